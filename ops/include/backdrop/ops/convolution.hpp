#pragma once

#include <backdrop/core/op.hpp>
#include <vector>

/// What looks at windows of its input: convolutions, pooling, resampling. The layout is [N, C, spatial
/// axes...] throughout. Where an option takes a list, one number stands for all spatial axes.
namespace backdrop {

extern const Op windows_op;
extern const Op unwindows_op;
extern const Op convolution_op;
extern const Op transposed_convolution_op;
extern const Op window_product_op;
extern const Op max_pool_op;
extern const Op avg_pool_op;
extern const Op adaptive_avg_pool_op;
extern const Op upsample_nearest_op;
extern const Op upsample_bilinear_op;

struct ConvOptions {
  std::vector<std::int64_t> stride{1};
  std::vector<std::int64_t> padding{0};  ///< zeros; of twice as many numbers, the second half is behind
  std::vector<std::int64_t> dilation{1};
  std::int64_t groups = 1;  ///< channels and outputs are divided into so many, each seeing its own
};

/// y[n, o, i...] = bias[o] + sum over c, k... of x[n, c, i * stride - padding + k * dilation] weight[o, c,
/// k...] (a correlation, as everywhere in the field): x [N, C, S...], weight [O, C / groups, K...], bias [O],
/// or a null Var for none. f32 or f64. Throws ShapeError and DTypeError.
Var conv1d(Var x, Var weight, Var bias = {}, const ConvOptions& options = {}, Where where = Where::here());
Var conv2d(Var x, Var weight, Var bias = {}, const ConvOptions& options = {}, Where where = Where::here());
Var conv3d(Var x, Var weight, Var bias = {}, const ConvOptions& options = {}, Where where = Where::here());

struct ConvTransposeOptions {
  std::vector<std::int64_t> stride{1};
  std::vector<std::int64_t> padding{0};         ///< as in ConvOptions: what is cut off the result
  std::vector<std::int64_t> output_padding{0};  ///< further positions at the end of each axis
  std::int64_t groups = 1;
  std::vector<std::int64_t> dilation{1};
};

/// The transpose of a convolution in x, plus bias: x [N, C, S...], weight [C, O / groups, K...] gives
/// [N, O, (S-1) stride - 2 padding + dilation (K-1) + output_padding + 1...]. bias [O], or a null Var for
/// none. f32 or f64. Throws ShapeError and DTypeError.
Var conv_transpose1d(Var x, Var weight, Var bias = {}, const ConvTransposeOptions& options = {},
                     Where where = Where::here());
Var conv_transpose2d(Var x, Var weight, Var bias = {}, const ConvTransposeOptions& options = {},
                     Where where = Where::here());
Var conv_transpose3d(Var x, Var weight, Var bias = {}, const ConvTransposeOptions& options = {},
                     Where where = Where::here());

struct MaxPoolOptions {
  std::vector<std::int64_t> stride{};    ///< none = the kernel
  std::vector<std::int64_t> padding{0};  ///< with -inf, at most half of the kernel
  std::vector<std::int64_t> dilation{1};
  bool ceil_mode = false;  ///< also windows that reach beyond the end, as long as they begin before it
};

/// The greatest element of each window, NaN if any is. Of equal ones the first receives the derivative, as in
/// PyTorch. f32 or f64. Throws ShapeError.
Var max_pool1d(Var x, const std::vector<std::int64_t>& kernel, const MaxPoolOptions& options = {},
               Where where = Where::here());
Var max_pool2d(Var x, const std::vector<std::int64_t>& kernel, const MaxPoolOptions& options = {},
               Where where = Where::here());
Var max_pool3d(Var x, const std::vector<std::int64_t>& kernel, const MaxPoolOptions& options = {},
               Where where = Where::here());

struct AvgPoolOptions {
  std::vector<std::int64_t> stride{};    ///< none = the kernel
  std::vector<std::int64_t> padding{0};  ///< with zeros, at most half of the kernel
  bool ceil_mode = false;                ///< also windows that reach beyond the end
  bool count_include_pad = true;         ///< whether zeros of the padding count as elements
};

/// The mean of each window; what a window of ceil_mode has beyond the padding is not counted. f32 or f64.
/// Throws ShapeError.
Var avg_pool1d(Var x, const std::vector<std::int64_t>& kernel, const AvgPoolOptions& options = {},
               Where where = Where::here());
Var avg_pool2d(Var x, const std::vector<std::int64_t>& kernel, const AvgPoolOptions& options = {},
               Where where = Where::here());
Var avg_pool3d(Var x, const std::vector<std::int64_t>& kernel, const AvgPoolOptions& options = {},
               Where where = Where::here());

/// The mean over [floor(i S / size), ceil((i+1) S / size)) along both last axes, for i in [0, size): any
/// input to a given size. One number stands for both. f32 or f64. Throws ShapeError.
Var adaptive_avg_pool2d(Var x, const std::vector<std::int64_t>& size, Where where = Where::here());

struct WindowOptions {
  std::vector<std::int64_t> stride{1};
  std::vector<std::int64_t> padding{0};  ///< with zeros, as in ConvOptions
  std::vector<std::int64_t> dilation{1};
};

/// The windows of [N, C, H, W] as columns (im2col), [N, C * K0 * K1, windows]: PyTorch's unfold. f32 or f64.
/// Throws ShapeError.
Var unfold(Var x, const std::vector<std::int64_t>& kernel, const WindowOptions& options = {},
           Where where = Where::here());

/// The transpose of unfold (col2im): adds columns [N, C * K0 * K1, windows] up to [N, C, size...]. Throws
/// ShapeError when the count of windows is not what that size has.
Var fold(Var x, const std::vector<std::int64_t>& size, const std::vector<std::int64_t>& kernel,
         const WindowOptions& options = {}, Where where = Where::here());

/// [N, C, S...] resampled to `size`: y[..., i] = x[..., floor(i S / size)]. f32 or f64. Throws ShapeError.
Var upsample_nearest(Var x, const std::vector<std::int64_t>& size, Where where = Where::here());

/// Linear interpolation along each axis of `size`, between the two elements next to (i + 1/2) S / size - 1/2
/// (not below 0), or to i (S-1) / (size-1) with align_corners. f32 or f64. Throws ShapeError.
Var upsample_bilinear(Var x, const std::vector<std::int64_t>& size, bool align_corners = false,
                      Where where = Where::here());

}  // namespace backdrop
