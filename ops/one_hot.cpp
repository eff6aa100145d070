#include <backdrop/ops/loss.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "infer.hpp"

namespace backdrop {

namespace {

constexpr auto classes = attr::integer("classes").between(0, 1LL << 40);

Type infer_one_hot(const Call& c) {
  infer::require_dtype(c, 0, DType::i64, "; cast the labels");
  const auto labels = c.shape(0).extents();
  std::vector<std::int64_t> extents(labels.begin(), labels.end());
  extents.push_back(c[classes]);
  return {DType::mask, c.tape.intern(Shape(std::move(extents)))};
}

void set_bits(const Eval& e) {
  const auto* labels = e.x[0].as<const std::int64_t>();
  const auto width = static_cast<std::size_t>(e[classes]);
  auto* bits = e.y.as<std::uint8_t>();
  std::memset(bits, 0, byte_size(DType::mask, e.y.numel()));
  for (std::size_t k = 0; k < e.x[0].numel(); ++k) {
    if (labels[k] < 0 || labels[k] >= e[classes]) {
      throw ValueError("one_hot: label " + std::to_string(labels[k]) + " at index " + std::to_string(k) +
                       " is not within [0, " + std::to_string(width) + ")");
    }
    const std::size_t at = k * width + static_cast<std::size_t>(labels[k]);
    bits[at / 8] = static_cast<std::uint8_t>(bits[at / 8] | 1U << at % 8);
  }
}

}  // namespace

// y[..., k] = 1 where k is the label
constinit const Op one_hot_op{
    .name = "one_hot",
    .inputs = {"labels"},
    .attrs = {classes},
    .formula = "y[..., k] = (labels[...] == k)",
    .jacobian = "none: labels are integers",
    .infer = infer_one_hot,
    .eval = set_bits,
};

Var one_hot(Var labels, std::int64_t count, Where where) {
  return labels.tape().record(one_hot_op, {labels}, {count}, where);
}

}  // namespace backdrop
