#include <fmt/format.h>

#include <backdrop/graph/vmap.hpp>
#include <backdrop/ops/layout.hpp>
#include <cmath>

#include "laws.hpp"

namespace backdrop::laws {

namespace {

constexpr std::int64_t kMany = 3;

// The values of a leaf: as they are, then floats scaled by powers of two, which no op's domain minds here.
Tensor variant(const Tensor& value, std::int64_t k) {
  if (!is_float(value.dtype())) return value;
  Tensor out = value;
  for (std::size_t i = 0; i < out.numel(); ++i) {
    const double number = std::ldexp(value.at(i), static_cast<int>(-k));
    if (out.dtype() == DType::f32) {
      out.mutable_data<float>()[i] = static_cast<float>(number);
    } else {
      out.mutable_data<double>()[i] = number;
    }
  }
  return out;
}

Tensor elements(const Tensor& many, std::int64_t k, const Shape& shape) {
  Tape tape;
  return value(reshape(slice(tape.constant(many), {k}, {k + 1}), shape));
}

// y over many values of these leaves at once, beside y at each.
void check_batch(Bench& b, Case& c, const std::vector<SampleMaker::Leaf>& leaves, std::string_view which) {
  std::vector<Var> xs, many;
  for (const SampleMaker::Leaf& leaf : leaves) {
    std::vector<Var> each;
    for (std::int64_t k = 0; k < kMany; ++k) each.push_back(c.tape().constant(variant(leaf.value, k)));
    xs.push_back(leaf.var);
    many.push_back(stack(each));
  }
  const Var batch = vmap(c.y, xs, many);
  std::vector<std::int64_t> extents{kMany};
  extents.insert(extents.end(), c.y.shape().begin(), c.y.shape().end());
  if (batch.shape() != Shape(extents)) {
    return b.fail(c, fmt::format("many values of {} give {}, and should {}", which, to_string(batch.shape()),
                                 to_string(Shape(extents))));
  }
  const Tensor found = value_of(c, batch);
  for (std::int64_t k = 0; k < kMany; ++k) {
    std::vector<Feed> feeds = c.maker.feeds();
    for (Feed& feed : feeds) {
      for (const SampleMaker::Leaf& leaf : leaves) {
        if (feed.name == leaf.var.name()) feed.value = variant(leaf.value, k);
      }
    }
    const Tensor one = value(c.y, {.feeds = feeds, .step = kStep});
    const Tensor among = elements(found, k, one.shape());
    const bool same = one.same_bits(among) ||
                      (is_float(one.dtype()) && distance(among, one, epsilon_of(one.dtype()), 1e-3) <= 256);
    if (same) continue;
    b.fail(c, fmt::format("of many values of {}, number {} gives {}, by itself {}", which, k,
                          to_string(among), to_string(one)));
  }
}

}  // namespace

void batch(Bench& b) {
  b.for_each({Variant::as_written, Variant::scalar, Variant::empty}, [&](Case& c) {
    if (c.sample.traits.large) return false;
    const auto& leaves = c.maker.leaves();
    if (leaves.empty()) return false;
    check_batch(b, c, leaves, "all inputs");
    for (const SampleMaker::Leaf& leaf : leaves) check_batch(b, c, {leaf}, leaf.var.name());
    return true;
  });
}

}  // namespace backdrop::laws
