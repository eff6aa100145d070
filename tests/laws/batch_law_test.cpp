#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>

#include "laws/cases.hpp"

using namespace backdrop;

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
void check_batch(Case& c, const std::vector<Maker::Leaf>& leaves, const char* which) {
  std::vector<Var> xs, many;
  for (const Maker::Leaf& leaf : leaves) {
    std::vector<Var> each;
    for (std::int64_t k = 0; k < kMany; ++k) each.push_back(c.tape().constant(variant(leaf.value, k)));
    xs.push_back(leaf.var);
    many.push_back(stack(each));
  }
  const Var batch = vmap(c.y, xs, many);
  std::vector<std::int64_t> extents{kMany};
  extents.insert(extents.end(), c.y.shape().begin(), c.y.shape().end());
  REQUIRE(batch.shape() == Shape(extents));
  const Tensor found = value_of(c, batch);
  for (std::int64_t k = 0; k < kMany; ++k) {
    std::vector<Feed> feeds = c.maker.feeds();
    for (Feed& feed : feeds) {
      for (const Maker::Leaf& leaf : leaves) {
        if (feed.name == leaf.var.name()) feed.value = variant(leaf.value, k);
      }
    }
    const Tensor one = value(c.y, {.feeds = feeds, .step = 3});
    const Tensor among = elements(found, k, one.shape());
    const bool same = one.same_bits(among) ||
                      (is_float(one.dtype()) && distance(among, one, epsilon_of(one.dtype()), 1e-3) <= 256);
    CHECK_MESSAGE(same, c.name() << ", " << which << ", value " << k << "\n"
                                 << to_string(one) << "\n"
                                 << to_string(among));
  }
}

}  // namespace

TEST_CASE("an op on many inputs at once is the op on each") {
  for_each_case({Variant::as_written, Variant::scalar, Variant::empty}, [](Case& c) {
    if (c.sample.traits.large) return;
    const auto& leaves = c.maker.leaves();
    if (leaves.empty()) return;
    check_batch(c, leaves, "all inputs");
    for (const Maker::Leaf& leaf : leaves) check_batch(c, {leaf}, std::string(leaf.var.name()).c_str());
  });
}
