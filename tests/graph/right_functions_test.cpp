#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <backdrop/backdrop.hpp>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

// A thousand random functions, all of them right, and none is flagged: ranks 0 to 4, empty axes, f32 and f64,
// dropout, numbers of 1e8 and 1e-8, flat regions, kinks met exactly, deep compositions.
using namespace backdrop;

namespace {

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : seed_(seed) {}
  std::uint32_t word() { return random_block({seed_, 23}, 0, block_++)[0]; }
  std::size_t below(std::size_t n) { return word() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  double real() { return static_cast<double>(word()) / 1073741824.0 - 2; }

 private:
  std::uint64_t seed_, block_ = 0;
};

class RightFunction {
 public:
  explicit RightFunction(std::uint32_t seed)
      : dice_(seed), dtype_(dice_.one_in(2) ? DType::f32 : DType::f64) {
    shape_ = shape();
    size_ = std::array{1., 1., 1., 1e8, 1e-8}[dice_.below(5)];
    const bool deep = dice_.one_in(12);
    add(leaf(shape_));
    if (dice_.one_in(4)) add(kinked());
    const std::size_t steps = deep ? 40 : 2 + dice_.below(6);
    for (std::size_t k = 0; k < steps; ++k) add(deep ? elementwise(pool_.back()) : step(any()));
    y_ = pool_.back();
    if (!deep && dice_.one_in(2)) {
      for (std::size_t k = 0; k + 1 < pool_.size(); ++k) y_ = sum(y_) + sum(pool_[k]);
    }
    if (dice_.one_in(6)) y_ = scale(y_, dice_.one_in(2) ? 1e8 : 1e-8);
  }

  Var y() const { return y_; }
  const std::vector<Var>& inputs() const { return inputs_; }
  const Tape& tape() const { return tape_; }

 private:
  Shape shape() {
    std::vector<std::int64_t> extents(dice_.below(5));
    for (std::int64_t& extent : extents) extent = 1 + static_cast<std::int64_t>(dice_.below(3));
    if (!extents.empty() && dice_.one_in(25)) extents[dice_.below(extents.size())] = 0;
    if (Shape(extents).numel() > 18) extents[0] = 1;
    if (Shape(extents).numel() > 18) extents[1] = 1;
    return Shape(std::move(extents));
  }

  // A Variable of values around +-size_, brought back to those around 1.
  Var leaf(const Shape& shape) {
    std::vector<double> numbers(shape.numel());
    for (double& number : numbers) number = dice_.real() * size_;
    inputs_.push_back(
        tape_.variable("x" + std::to_string(inputs_.size()), Tensor::from(numbers, shape).to(dtype_)));
    return size_ == 1 ? inputs_.back() : scale(inputs_.back(), 1 / size_);
  }

  // A leaf that broadcasts to `to`.
  Var narrow_leaf(const Shape& to) {
    std::vector<std::int64_t> extents(to.begin(), to.end());
    if (!extents.empty() && dice_.one_in(3)) extents.erase(extents.begin());
    for (std::int64_t& extent : extents) extent = dice_.one_in(4) ? 1 : extent;
    return leaf(Shape(std::move(extents)));
  }

  // Stands on its kinks in some elements: zeros, ties, limits.
  Var kinked() {
    std::vector<double> numbers(shape_.numel());
    for (double& number : numbers) number = static_cast<double>(dice_.below(5)) / 2 - 1;
    const Var x = tape_.variable("kinked", Tensor::from(numbers, shape_).to(dtype_));
    inputs_.push_back(x);
    switch (dice_.below(8)) {
      case 0:
        return relu(x);
      case 1:
        return abs(x);
      case 2:
        return clip(x, -0.5, 0.5);
      case 3:
        return leaky_relu(x, 0.2);
      case 4:
        return maximum(x, full_like(x, 0.5));
      case 5:
        return hardtanh(x);
      case 6:
        return shape_.numel() == 0 ? relu(x) : max(x);
      default:
        return softshrink(x, 0.5);
    }
  }

  Var any() { return pool_[dice_.below(pool_.size())]; }
  void add(Var v) { pool_.push_back(v); }
  Var bounded(Var u) { return scale(tanh(u), 1.5); }
  Var positive(Var u) { return 0.5 + square(bounded(u)); }

  Var elementwise(Var u) {
    switch (dice_.below(36)) {
      case 0:
        return sin(u);
      case 1:
        return cos(u);
      case 2:
        return tanh(u);
      case 3:
        return sigmoid(u);
      case 4:
        return softplus(u);
      case 5:
        return exp(bounded(u));
      case 6:
        return log(positive(u));
      case 7:
        return sqrt(positive(u));
      case 8:
        return rsqrt(positive(u));
      case 9:
        return reciprocal(positive(u));
      case 10:
        return erf(u);
      case 11:
        return erfc(u);
      case 12:
        return atan(u);
      case 13:
        return asinh(u);
      case 14:
        return gelu(u);
      case 15:
        return gelu_tanh(u);
      case 16:
        return silu(u);
      case 17:
        return mish(u);
      case 18:
        return log_sigmoid(u);
      case 19:
        return softsign(u);
      case 20:
        return log1p(square(u));
      case 21:
        return expm1(bounded(u));
      case 22:
        return sinh(bounded(u));
      case 23:
        return cosh(bounded(u));
      case 24:
        return pow(bounded(u), 3);
      case 25:
        return lgamma(positive(u) + 0.5);
      case 26:
        return relu(bounded(u));
      case 27:
        return elu(bounded(u));
      case 28:
        return leaky_relu(u);
      case 29:
        return abs(bounded(u));
      case 30:
        return clip(u, -0.7, 0.9);
      case 31:
        return hardswish(u);
      case 32:
        return selu(bounded(u));
      case 33:
        return mul(floor(scale(u, 0.37)), bounded(u));  // constant between jumps
      case 34:
        return dropout(u, .1 * static_cast<double>(dice_.below(11)), key());
      default:
        return bounded(scale(u, dice_.real()));
    }
  }

  Var binary(Var u) {
    const Var v = dice_.one_in(2) ? narrow_leaf(u.shape()) : elementwise(u);
    switch (dice_.below(12)) {
      case 0:
        return u + v;
      case 1:
        return bounded(u) * bounded(v);
      case 2:
        return u - v;
      case 3:
        return bounded(u) / positive(v);
      case 4:
        return maximum(u, v);
      case 5:
        return minimum(u, v);
      case 6:
        return logaddexp(u, v);
      case 7:
        return atan2(u, positive(v));
      case 8:
        return hypot(u, positive(v));
      case 9:
        return pow(positive(u), bounded(v));
      case 10:
        return where(greater(u, v), sin(u), cos(v));
      default:
        return huber(u, broadcast_to(v, u.shape()), 0.7, Reduction::none);
    }
  }

  Var over_an_axis(Var u) {
    const auto axis = static_cast<std::int64_t>(dice_.below(u.shape().rank()));
    const bool keep = dice_.one_in(2), some = u.shape().numel() > 0;
    const std::int64_t one[] = {axis};
    switch (some ? dice_.below(18) : dice_.below(4)) {
      case 0:
        return sum(u, one, keep);
      case 1:
        return cumsum(bounded(u), axis, keep);
      case 2:
        return flip(u, {axis});
      case 3:
        return transpose(u);
      case 4:
        return softmax(u, axis);
      case 5:
        return mean(u, one, keep);
      case 6:
        return max(u, one, keep);
      case 7:
        return min(u, one, keep);
      case 8:
        return var(u, one, 0, keep);
      case 9:
        return logsumexp(u, one, keep);
      case 10:
        return prod(bounded(u), one, keep);
      case 11:
        return norm(1 + positive(u), one, keep);
      case 12:
        return log_softmax(u, axis);
      case 13:
        return standardize(u, one, 0.1);
      case 14:
        return cumprod(bounded(u), axis);
      case 15:
        return concat({u, sin(u)}, axis);
      case 16:
        return normalize(1 + positive(u), axis);
      default:
        return logcumsumexp(u, axis);
    }
  }

  Var of_matrices(Var u) {
    const std::size_t rank = u.shape().rank();
    const std::int64_t rows = u.shape()[rank - 2], columns = u.shape()[rank - 1];
    switch (dice_.below(8)) {
      case 0:
        return matmul(u, leaf({columns, 2}));
      case 1:
        return matmul(leaf({2, rows}), u);
      case 2:
        return matmul(u, u, {.transpose_b = true});
      case 3:
        return linear(u, leaf({2, columns}), leaf({2}));
      case 4:
        return tril(u);
      case 5:
        return swap_axes(u, -1, -2);
      case 6:
        return layer_norm(u, Shape{columns}, {.weight = leaf({columns}), .eps = 0.1});
      default:
        return rms_norm(u, Shape{columns}, {.eps = 0.1});
    }
  }

  Var moved(Var u) {
    const auto count = static_cast<std::int64_t>(u.shape().numel());
    const Var flat = reshape(u, {count});
    switch (dice_.below(7)) {
      case 0:
        return flat;
      case 1:
        return broadcast_to(unsqueeze(flat, 0), {2, count});
      case 2:
        return slice(flat, {0}, {count}, {2});
      case 3:
        return pad(flat, {1}, {1});
      case 4:
        return roll(flat, {1}, {0});
      case 5:
        return count == 0 ? flat : index_select(flat, tape_.constant(Tensor({count - 1, 0, 0}, DType::i64)));
      default:
        return dropout(u, 0.4, dropout_mask(tape_, u.shape(), 0.4, key()));
    }
  }

  Var step(Var u) {
    const std::size_t rank = u.shape().rank(), count = u.shape().numel();
    const std::size_t which = dice_.below(10);
    if (which < 3) return elementwise(u);
    if (which < 5 || rank == 0) return binary(u);
    if (which < 7) return over_an_axis(u);
    if (which < 9 && rank >= 2 && count > 0 && count < 40) return of_matrices(u);
    return count < 40 ? moved(u) : sum(u);
  }

  Key key() { return {dice_.word(), stream_++}; }

  Dice dice_;
  DType dtype_;
  Shape shape_;
  double size_ = 1;
  Tape tape_;
  std::vector<Var> inputs_, pool_;
  std::uint32_t stream_ = 0;
  Var y_;
};

}  // namespace

TEST_CASE("kinks that bend to opposite sides are no fault along a direction that meets both") {
  for (const bool wrong : {false, true}) {
    Tape tape;
    const Var x = tape.variable("x", Tensor({0, 1, 0, 2}, DType::f64));
    const Var y = sum(relu(x) * tape.constant(Tensor({1, 1, -3, 1}, DType::f64)));
    const Var dy = tape.constant(wrong ? Tensor({0, 1, 0, 9}, DType::f64) : Tensor({0, 1, 0, 1}, DType::f64));
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Report report = gradcheck(
          y, {x}, {.mode = CheckMode::directional, .directions = 4, .key = {seed, 0}, .given = {dy}});
      INFO(to_string(report));
      CHECK((report.count(Verdict::fail) > 0) == wrong);
      if (!wrong) CHECK(report.count(Verdict::kink) == 4);
    }
  }
}

TEST_CASE("a derivative that is 0 but for the rounding of what cancels passes the dot product test") {
  for (const double number : {0.3, 0.7, 1.1, 1.3, 1.9, 2.3, 5.7}) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      Tape tape;
      const Var x = tape.variable("x", Tensor({number}, DType::f64));
      const Report report = gradcheck(normalize(1.5 + square(tanh(x)), 0), {x},
                                      {.mode = CheckMode::dot_product, .key = {seed, 0}});
      INFO(to_string(report));
      CHECK(report.passed());
    }
  }
}

TEST_CASE("a function without elements passes in every mode") {
  for (const CheckMode mode : {CheckMode::full, CheckMode::directional, CheckMode::taylor,
                               CheckMode::dot_product, CheckMode::second_order}) {
    Tape tape;
    const Var x = tape.variable("x", Tensor::zeros({2, 0}, DType::f64));
    CHECK(gradcheck(square(x), {x}, {.mode = mode}).passed());
    const Var z = tape.variable("z", Tensor({1, 2}, DType::f64));
    CHECK(gradcheck(slice(z, {1}, {1}), {z}, {.mode = mode}).passed());
  }
}

TEST_CASE("1,000 right functions of random shapes are never flagged, in every mode in turn") {
  struct Mode {
    CheckMode mode;
    bool forward;
  };
  const std::array<Mode, 6> modes{{{CheckMode::full, false},
                                   {CheckMode::full, true},
                                   {CheckMode::directional, false},
                                   {CheckMode::taylor, false},
                                   {CheckMode::dot_product, false},
                                   {CheckMode::second_order, false}}};
  std::array<std::size_t, 4> entries{};
  std::array<std::size_t, 6> inconclusive{};
  std::size_t checked = 0;
  std::set<std::string> ops;
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    const RightFunction f(seed);
    const Mode& mode = modes[seed % modes.size()];
    const Report report =
        gradcheck(f.y(), f.inputs(), {.mode = mode.mode, .step = seed, .forward = mode.forward});
    INFO("seed ", seed, "\n", to_string(report));
    CHECK(report.count(Verdict::fail) == 0);
    for (std::size_t k = 0; k < entries.size(); ++k) entries[k] += report.count(static_cast<Verdict>(k));
    for (const Report::Trend& trend : report.trends) CHECK(trend.verdict != Verdict::fail);
    if (report.count(Verdict::inconclusive) > 0) ++inconclusive[seed % modes.size()];
    for (std::size_t k = 0; k < f.tape().size(); ++k) ops.insert(f.tape().node(k).op->name);
    ++checked;
  }
  std::string rates;
  for (std::size_t k = 0; k < entries.size(); ++k) {
    rates += std::to_string(entries[k]) + " " + std::string(name(static_cast<Verdict>(k))) + "  ";
  }
  for (std::size_t count : inconclusive) rates += std::to_string(count) + " ";
  MESSAGE(rates, "functions inconclusive by mode; ", ops.size(), " ops");
  const std::size_t all = entries[0] + entries[1] + entries[2] + entries[3];
  CHECK(checked == 1000);
  CHECK(entries[0] > all * 95 / 100);
  CHECK(entries[static_cast<std::size_t>(Verdict::kink)] > 150);
  CHECK(entries[static_cast<std::size_t>(Verdict::inconclusive)] < all / 100);
  CHECK(ops.size() > 80);
}
