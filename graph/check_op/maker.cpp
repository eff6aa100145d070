#include <algorithm>
#include <backdrop/graph/check_op.hpp>
#include <cmath>

namespace backdrop {

namespace {

// Numbers of the stream of leaf number `leaf`, in [0, 1), in steps of 2^-12.
double unit(std::size_t leaf, std::size_t element) {
  const auto block = random_block(Key{1207, static_cast<std::uint32_t>(leaf)}, 0, element);
  return static_cast<double>(block[0] >> 20) / 4096;
}

Tensor filled(const Shape& shape, DType dtype, auto&& number) {
  Tensor exact = Tensor::uninitialized(shape, DType::f64);
  std::size_t k = 0;
  for (double& x : exact.mutable_data<double>()) x = number(k++);
  return exact.to(dtype);
}

}  // namespace

Var SampleMaker::leaf(Tensor value) {
  const Var v = tape_.input(fmt::format("x{}", leaves_.size()), value.shape(), value.dtype());
  leaves_.push_back({v, std::move(value), is_float(v.dtype())});
  return v;
}

Var SampleMaker::real(const Shape& shape, Range range, DType dtype) {
  const auto number = [&, id = leaves_.size()](std::size_t k) {
    return range.low + std::floor((range.high - range.low) * unit(id, k) * 4096) / 4096;
  };
  return leaf(filled(shape, dtype, number));
}

Var SampleMaker::away_from(std::initializer_list<double> kinks, const Shape& shape) {
  const auto number = [&, id = leaves_.size()](std::size_t k) {
    double x = -2 + 4 * unit(id, k);
    for (double kink : kinks) {
      if (std::abs(x - kink) < 0.125) x = kink + (x < kink ? -0.1875 : 0.1875);
    }
    return x;
  };
  return leaf(filled(shape, dtype_, number));
}

Var SampleMaker::distinct(const Shape& shape) {
  std::vector<std::int64_t> order(shape.numel());
  fill_permutation(order, Key{1207, static_cast<std::uint32_t>(leaves_.size())}, 0);
  const double gap = std::floor(4096 * 4 / std::max(4.0, static_cast<double>(order.size()))) / 4096;
  return leaf(filled(shape, dtype_, [&](std::size_t k) { return -2 + gap * static_cast<double>(order[k]); }));
}

// Rounded to f32 first, so that both dtypes see the same numbers.
Var SampleMaker::reals(std::initializer_list<NestedList> numbers) {
  return leaf(Tensor(numbers, DType::f32).to(dtype_));
}

Var SampleMaker::fixed(Var v) {
  for (Leaf& l : leaves_) {
    if (l.var == v) l.differentiable = false;
  }
  return v;
}

Var SampleMaker::mask(const Shape& shape) {
  const auto number = [id = leaves_.size()](std::size_t k) { return unit(id, k) < 0.5 ? 0.0 : 1.0; };
  return leaf(filled(shape, DType::mask, number));
}

Var SampleMaker::integers(std::initializer_list<NestedList> numbers) {
  return leaf(Tensor(numbers, DType::i64));
}

Var SampleMaker::indices(const Shape& shape, std::int64_t n) {
  const auto number = [n, id = leaves_.size()](std::size_t k) {
    return std::floor(unit(id, k) * static_cast<double>(n));
  };
  return leaf(filled(shape, DType::i64, number));
}

std::vector<Feed> SampleMaker::feeds() const {
  std::vector<Feed> out;
  for (const Leaf& l : leaves_) out.emplace_back(l.var, l.value);
  return out;
}

std::vector<Var> SampleMaker::differentiable() const {
  std::vector<Var> out;
  for (const Leaf& l : leaves_) {
    if (l.differentiable) out.push_back(l.var);
  }
  return out;
}

}  // namespace backdrop
