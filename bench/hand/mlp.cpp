#include "hand/mlp.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>

#include "hand/philox.hpp"

#ifdef BACKDROP_ONEDNN
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#endif

namespace hand {

namespace {

enum class Side { plain, transposed };

CBLAS_TRANSPOSE blas(Side side) { return side == Side::plain ? CblasNoTrans : CblasTrans; }

#ifdef BACKDROP_ONEDNN
bool avx512_of_onednn() {
  static const bool has =
      (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
  return has;
}
#endif

// c [m, n] = alpha op(a) op(b) + beta c, all row by row without gaps; by the library that is faster.
void product(Side side_a, Side side_b, std::size_t m, std::size_t n, std::size_t k, float alpha,
             const float* a, const float* b, float beta, float* c) {
#ifdef BACKDROP_ONEDNN
  if (avx512_of_onednn()) {
    const auto size = [](std::size_t x) { return static_cast<dnnl_dim_t>(x); };
    dnnl_sgemm(side_a == Side::plain ? 'N' : 'T', side_b == Side::plain ? 'N' : 'T', size(m), size(n),
               size(k), alpha, a, size(side_a == Side::plain ? k : m), b, size(side_b == Side::plain ? n : k),
               beta, c, size(n));
    return;
  }
#endif
  const auto i = static_cast<blasint>(m), j = static_cast<blasint>(n), l = static_cast<blasint>(k);
  cblas_sgemm(CblasRowMajor, blas(side_a), blas(side_b), i, j, l, alpha, a, side_a == Side::plain ? l : i, b,
              side_b == Side::plain ? j : l, beta, c, j);
}

// y = op(a) x for a [rows, columns]
void product_with_vector(Side side, std::size_t rows, std::size_t columns, const float* a, const float* x,
                         float* y) {
  const auto i = static_cast<blasint>(rows), j = static_cast<blasint>(columns);
  cblas_sgemv(CblasRowMajor, blas(side), i, j, 1, a, j, x, 1, 0, y, 1);
}

}  // namespace

Mlp::Layer::Layer(std::size_t batch, std::size_t in_width, std::size_t out_width)
    : in(in_width),
      out(out_width),
      weight(in * out),
      bias(out),
      output(batch * out),
      gradient(batch * out),
      row(out) {}

Mlp::Mlp(const std::vector<std::int64_t>& widths, std::int64_t batch, float learning_rate, std::uint64_t seed)
    : batch_(static_cast<std::size_t>(batch)), learning_rate_(learning_rate), seed_(seed) {
  openblas_set_num_threads(1);
#ifdef BACKDROP_ONEDNN  // which takes as many threads as OpenMP says
  void* const set_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
  if (set_threads != nullptr) reinterpret_cast<void (*)(int)>(set_threads)(1);
#endif
  layers_.reserve(widths.size() - 1);
  for (std::size_t k = 1; k < widths.size(); ++k) {
    layers_.emplace_back(batch_, static_cast<std::size_t>(widths[k - 1]),
                         static_cast<std::size_t>(widths[k]));
  }
}

float Mlp::step(const float* inputs, const std::int64_t* labels, std::uint32_t step) {
  const std::size_t last = layers_.size() - 1;
  const auto input_of = [&](std::size_t k) { return k == 0 ? inputs : layers_[k - 1].output.data(); };
  for (std::size_t k = 0; k <= last; ++k) {
    Layer& layer = layers_[k];
    if (batch_ == 1) {
      product_with_vector(Side::transposed, layer.in, layer.out, layer.weight.data(), input_of(k),
                          layer.output.data());
    } else {
      product(Side::plain, Side::plain, batch_, layer.out, layer.in, 1, input_of(k), layer.weight.data(), 0,
              layer.output.data());
    }
    if (k < last) relu_and_dropout(layer, static_cast<std::uint32_t>(k), step);
  }
  const float loss = cross_entropy(layers_[last], labels);
  for (std::size_t k = last + 1; k-- > 0;) {
    if (k > 0) backward(layers_[k], layers_[k - 1]);
    update(layers_[k], input_of(k));
  }
  return loss;
}

// Element e is dropped if bit e of the stream is 0. Widths are multiples of 32, so a word lies in one row.
void Mlp::relu_and_dropout(Layer& layer, std::uint32_t stream, std::uint32_t step) const {
  constexpr std::size_t kBits = 32;
  const std::size_t count = layer.output.size();
  for (std::size_t first = 0; first < count; first += kBits * kWords) {
    std::uint32_t words[kWords];
    philox(seed_, stream, step, static_cast<std::uint32_t>(first / 128), words);
    const std::size_t here = std::min<std::size_t>(kWords, (count - first) / kBits);
    for (std::size_t w = 0; w < here; ++w) {
      float* z = layer.output.data() + first + w * kBits;
      const float* bias = layer.bias.data() + (first + w * kBits) % layer.out;
      const std::uint32_t word = words[w];
      for (std::uint32_t bit = 0; bit < kBits; ++bit) {  // no branches: vectors
        const auto factor = static_cast<float>(2 * static_cast<int>(word >> bit & 1));
        z[bit] = std::max(z[bit] + bias[bit], 0.F) * factor;
      }
    }
  }
}

// Leaves (softmax - one_hot) / batch as the gradient.
float Mlp::cross_entropy(Layer& layer, const std::int64_t* labels) const {
  const auto batch = static_cast<float>(batch_);
  float loss = 0;
  for (std::size_t r = 0; r < batch_; ++r) {
    float* z = layer.output.data() + r * layer.out;
    float* g = layer.gradient.data() + r * layer.out;
    for (std::size_t c = 0; c < layer.out; ++c) z[c] += layer.bias[c];
    const float largest = *std::max_element(z, z + layer.out);
    float sum = 0;
    for (std::size_t c = 0; c < layer.out; ++c) sum += g[c] = std::exp(z[c] - largest);
    for (std::size_t c = 0; c < layer.out; ++c) g[c] /= sum * batch;
    const auto label = static_cast<std::size_t>(labels[r]);
    g[label] -= 1 / batch;
    loss += std::log(sum) + largest - z[label];
  }
  return loss / batch;
}

// An output that is not 0 was kept and positive: no mask is needed.
void Mlp::backward(const Layer& layer, Layer& below) const {
  float* g = below.gradient.data();
  if (batch_ == 1) {
    product_with_vector(Side::plain, layer.in, layer.out, layer.weight.data(), layer.gradient.data(), g);
  } else {
    product(Side::plain, Side::transposed, batch_, layer.in, layer.out, 1, layer.gradient.data(),
            layer.weight.data(), 0, g);
  }
  const float* y = below.output.data();
  for (std::size_t k = 0; k < below.gradient.size(); ++k) g[k] = y[k] > 0 ? 2 * g[k] : 0;
}

// weight -= learning rate * inputs' gradient, within the product.
void Mlp::update(Layer& layer, const float* inputs) const {
  if (batch_ == 1) {
    const auto in = static_cast<blasint>(layer.in), out = static_cast<blasint>(layer.out);
    cblas_sger(CblasRowMajor, in, out, -learning_rate_, inputs, 1, layer.gradient.data(), 1,
               layer.weight.data(), out);
  } else {
    product(Side::transposed, Side::plain, layer.in, layer.out, batch_, -learning_rate_, inputs,
            layer.gradient.data(), 1, layer.weight.data());
  }
  std::fill(layer.row.begin(), layer.row.end(), 0.F);
  for (std::size_t r = 0; r < batch_; ++r) {
    const float* g = layer.gradient.data() + r * layer.out;
    for (std::size_t c = 0; c < layer.out; ++c) layer.row[c] += g[c];
  }
  for (std::size_t c = 0; c < layer.out; ++c) layer.bias[c] -= learning_rate_ * layer.row[c];
}

}  // namespace hand
