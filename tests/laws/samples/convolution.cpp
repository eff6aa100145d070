#include <backdrop/graph/gradient.hpp>
#include <backdrop/ops/convolution.hpp>

#include "laws/samples.hpp"

namespace backdrop {

namespace {

using Ints = std::span<const std::int64_t>;
using List = std::vector<std::int64_t>;

Var windows(Var x, const List& kernel, const List& count, const List& stride, const List& padding,
            const List& dilation, double fill = 0) {
  return x.tape().record(windows_op, {x},
                         {Ints(kernel), Ints(count), Ints(stride), Ints(padding), Ints(dilation), fill},
                         Where::here());
}

Var unwindows(Var x, const List& extents, const List& stride, const List& padding, const List& dilation) {
  return x.tape().record(unwindows_op, {x}, {Ints(extents), Ints(stride), Ints(padding), Ints(dilation)},
                         Where::here());
}

Var window_product(Var x, Var z, const List& kernel, const List& stride, const List& padding,
                   const List& dilation, std::int64_t groups = 1) {
  return x.tape().record(window_product_op, {x, z},
                         {Ints(kernel), Ints(stride), Ints(padding), Ints(dilation), groups}, Where::here());
}

void window_samples(Samples& s) {
  s.add(windows_op, [](SampleMaker& m) { return windows(m.real({2, 5}), {3}, {4}, {1}, {0}, {1}); });
  s.add(windows_op, [](SampleMaker& m) { return windows(m.real({7}), {2}, {6}, {2}, {3}, {4}, 0.5); });
  s.add(windows_op, [](SampleMaker& m) {
    return windows(m.real({2, 3, 4}), {2, 3}, {2, 3}, {2, 1}, {1, -1}, {1, 2});
  });
  s.add(windows_op, [](SampleMaker& m) { return windows(m.real({0, 4}), {2}, {3}, {1}, {0}, {1}); });
  s.add(windows_op, [](SampleMaker& m) { return windows(m.real({2, 0}), {2}, {3}, {1}, {1}, {1}); });
  s.add(windows_op, [](SampleMaker& m) { return windows(m.real({3}), {2}, {0}, {1}, {0}, {1}); });
  s.add(windows_op, {.large = true}, [](SampleMaker& m) {
    return windows(m.real({12, 40, 41}), {3, 3}, {40, 41}, {1, 1}, {1, 1}, {1, 1});
  });
  s.add(unwindows_op, [](SampleMaker& m) { return unwindows(m.real({2, 3, 4}), {6}, {1}, {0}, {1}); });
  s.add(unwindows_op, [](SampleMaker& m) { return unwindows(m.real({2, 6}), {7}, {2}, {3}, {4}); });
  s.add(unwindows_op, [](SampleMaker& m) {
    return unwindows(m.real({2, 2, 3, 2, 3}), {3, 4}, {2, 1}, {1, -1}, {1, 2});
  });
  s.add(unwindows_op, [](SampleMaker& m) { return unwindows(m.real({0, 2, 3}), {4}, {1}, {0}, {1}); });
  s.add(unwindows_op, [](SampleMaker& m) { return unwindows(m.real({2, 2, 0}), {4}, {1}, {0}, {1}); });
  s.add(unwindows_op, [](SampleMaker& m) { return unwindows(m.real({2, 3, 4}), {0}, {1}, {1}, {1}); });
  s.add(unwindows_op, {.large = true}, [](SampleMaker& m) {
    return unwindows(m.real({12, 3, 3, 40, 41}), {40, 41}, {1, 1}, {1, 1}, {1, 1});
  });
}

void conv_samples(Samples& s) {
  s.add(convolution_op, [](SampleMaker& m) {
    return conv2d(m.real({2, 2, 4, 3}), m.real({3, 2, 2, 3}), m.real({3}));
  });
  s.add(convolution_op, [](SampleMaker& m) {
    return conv2d(m.real({1, 4, 5, 4}), m.real({2, 2, 3, 2}), {},
                  {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2});
  });
  s.add(convolution_op, [](SampleMaker& m) { return conv2d(m.real({2, 3, 2, 2}), m.real({4, 3, 1, 1})); });
  s.add(convolution_op, [](SampleMaker& m) {
    return conv2d(m.real({2, 4, 2, 2}), m.real({4, 1, 1, 1}), {}, {.groups = 4});
  });
  s.add(convolution_op, [](SampleMaker& m) {
    return conv2d(m.real({2, 3, 3}), m.real({1, 2, 2, 2}), m.real({1}), {.padding = {0, 1, 1, 0}});
  });
  s.add(convolution_op, [](SampleMaker& m) {
    return conv1d(m.real({2, 2, 6}), m.real({2, 2, 3}), m.real({2}), {.stride = {2}, .padding = {1}});
  });
  s.add(convolution_op, [](SampleMaker& m) {
    return conv3d(m.real({1, 1, 3, 2, 3}), m.real({2, 1, 2, 2, 2}));
  });
  s.add(convolution_op, [](SampleMaker& m) { return conv2d(m.real({0, 2, 3, 3}), m.real({2, 2, 2, 2})); });
  s.add(convolution_op, [](SampleMaker& m) { return conv2d(m.real({1, 0, 3, 3}), m.real({2, 0, 2, 2})); });
  s.add(convolution_op, {.large = true}, [](SampleMaker& m) {
    return conv2d(m.real({3, 8, 30, 31}), m.real({16, 8, 3, 3}), m.real({16}), {.padding = {1}});
  });
  s.add(convolution_op, {.large = true}, [](SampleMaker& m) {  // rows of windows that are cut
    return conv1d(m.real({2, 4, 5000}), m.real({3, 4, 5}), {}, {.padding = {2}});
  });
  s.add(convolution_op, {.large = true}, [](SampleMaker& m) {  // channels in blocks
    return conv2d(m.real({2, 90, 9, 8}), m.real({8, 90, 3, 3}), {}, {.padding = {1}});
  });
  s.add(transposed_convolution_op, [](SampleMaker& m) {
    return conv_transpose2d(m.real({2, 2, 2, 3}), m.real({2, 3, 2, 2}), m.real({3}));
  });
  s.add(transposed_convolution_op, [](SampleMaker& m) {
    return conv_transpose2d(
        m.real({1, 4, 3, 2}), m.real({4, 1, 3, 2}), {},
        {.stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 0}, .groups = 2, .dilation = {1, 2}});
  });
  s.add(transposed_convolution_op, [](SampleMaker& m) {
    return conv_transpose1d(m.real({2, 2, 3}), m.real({2, 2, 3}), m.real({2}),
                            {.stride = {2}, .padding = {1}, .output_padding = {1}});
  });
  s.add(transposed_convolution_op, [](SampleMaker& m) {  // further positions than the stride
    return conv_transpose2d(m.real({1, 2, 2, 3}), m.real({2, 2, 2, 1}), {},
                            {.stride = {1, 2}, .padding = {0, 1}, .output_padding = {2, 1}, .dilation = {3}});
  });
  s.add(transposed_convolution_op, [](SampleMaker& m) {
    return conv_transpose2d(m.real({0, 2, 2, 2}), m.real({2, 1, 2, 2}));
  });
  s.add(transposed_convolution_op, [](SampleMaker& m) {
    return conv_transpose2d(m.real({2, 3, 3, 2}), m.real({3, 2, 1, 1}));
  });
  s.add(transposed_convolution_op, {.large = true}, [](SampleMaker& m) {
    return conv_transpose2d(m.real({2, 16, 30, 31}), m.real({16, 30, 3, 3}), {}, {.stride = {2}});
  });
}

void window_product_samples(Samples& s) {
  s.add(window_product_op, [](SampleMaker& m) {
    return window_product(m.real({2, 2, 4, 3}), m.real({2, 3, 3, 2}), {2, 2}, {1, 1}, {0, 0}, {1, 1});
  });
  s.add(window_product_op, [](SampleMaker& m) {
    return window_product(m.real({1, 4, 5, 4}), m.real({1, 2, 2, 3}), {3, 2}, {2, 1}, {1, 0}, {1, 3}, 2);
  });
  s.add(window_product_op, [](SampleMaker& m) {  // as many windows as a convolution would not have
    return window_product(m.real({1, 2, 9, 3}), m.real({1, 2, 2, 4}), {2, 1}, {1, 2}, {0, 1}, {5, 1});
  });
  s.add(window_product_op, [](SampleMaker& m) {
    return window_product(m.real({2, 3, 2, 2}), m.real({2, 2, 2, 2}), {1, 1}, {1, 1}, {0, 0}, {1, 1});
  });
  s.add(window_product_op, [](SampleMaker& m) {
    return window_product(m.real({2, 2, 6}), m.real({2, 2, 3}), {3}, {2}, {1}, {1});
  });
  s.add(window_product_op, [](SampleMaker& m) {
    return window_product(m.real({0, 2, 4}), m.real({0, 3, 3}), {2}, {1}, {0}, {1});
  });
  s.add(window_product_op, {.large = true}, [](SampleMaker& m) {
    return window_product(m.real({3, 20, 30, 31}), m.real({3, 16, 30, 31}), {3, 3}, {1, 1}, {1, 1}, {1, 1});
  });
}

void pool_samples(Samples& s) {
  s.add(max_pool_op, [](SampleMaker& m) { return max_pool2d(m.distinct({1, 2, 4, 6}), {2}); });
  s.add(max_pool_op, [](SampleMaker& m) {
    return max_pool2d(m.distinct({2, 1, 5, 4}), {3, 2},
                      {.stride = {2, 1}, .padding = {1}, .dilation = {1, 2}, .ceil_mode = true});
  });
  s.add(max_pool_op, [](SampleMaker& m) { return max_pool1d(m.distinct({2, 7}), {3}, {.stride = {2}}); });
  s.add(max_pool_op, [](SampleMaker& m) {
    return max_pool1d(m.distinct({2, 8}), {3}, {.stride = {2}, .ceil_mode = true});
  });
  s.add(max_pool_op, [](SampleMaker& m) { return max_pool2d(m.real({0, 2, 4, 4}), {2}); });
  s.add(max_pool_op, {.smooth = false}, [](SampleMaker& m) {
    return max_pool1d(m.reals({{1, 1, 0, 2, 2, 2}}), {3});
  });
  s.add(avg_pool_op, [](SampleMaker& m) { return avg_pool2d(m.real({1, 2, 4, 6}), {2}); });
  s.add(avg_pool_op, [](SampleMaker& m) {
    return avg_pool2d(m.real({2, 1, 5, 4}), {3, 2},
                      {.stride = {2, 1}, .padding = {1}, .ceil_mode = true, .count_include_pad = false});
  });
  s.add(avg_pool_op, [](SampleMaker& m) {
    return avg_pool1d(m.real({2, 8}), {3}, {.stride = {2}, .padding = {1}, .ceil_mode = true});
  });
  s.add(avg_pool_op, [](SampleMaker& m) { return avg_pool2d(m.real({0, 2, 4, 4}), {2}); });
  s.add(adaptive_avg_pool_op, [](SampleMaker& m) {
    return adaptive_avg_pool2d(m.real({1, 2, 5, 4}), {3, 2});
  });
  s.add(adaptive_avg_pool_op, [](SampleMaker& m) { return adaptive_avg_pool2d(m.real({2, 2, 3}), {1}); });
  s.add(adaptive_avg_pool_op, [](SampleMaker& m) {
    return adaptive_avg_pool2d(m.real({0, 2, 2, 3}), {2, 4});
  });
}

void resampling_samples(Samples& s) {
  s.add(upsample_nearest_op, [](SampleMaker& m) { return upsample_nearest(m.real({1, 2, 2, 3}), {4, 5}); });
  s.add(upsample_nearest_op, [](SampleMaker& m) { return upsample_nearest(m.real({2, 1, 3}), {2}); });
  s.add(upsample_nearest_op, [](SampleMaker& m) { return upsample_nearest(m.real({0, 1, 3}), {4}); });
  s.add(upsample_bilinear_op, [](SampleMaker& m) { return upsample_bilinear(m.real({1, 2, 2, 3}), {4, 5}); });
  s.add(upsample_bilinear_op, [](SampleMaker& m) {
    return upsample_bilinear(m.real({1, 2, 3, 2}), {4, 1}, true);
  });
  s.add(upsample_bilinear_op, [](SampleMaker& m) { return upsample_bilinear(m.real({0, 1, 3, 2}), {4, 4}); });
}

}  // namespace

void convolution_samples(Samples& s) {
  window_samples(s);
  conv_samples(s);
  window_product_samples(s);
  pool_samples(s);
  resampling_samples(s);
}

}  // namespace backdrop
