#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/create.hpp>
#include <backdrop/ops/dropout.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/matmul.hpp>
#include <backdrop/ops/reduce.hpp>
#include <backdrop/ops/registry.hpp>

namespace backdrop {

namespace {

constexpr const Op* kOps[] = {
    // leaves
    &input_op,
    &variable_op,
    &constant_op,
    // create
    &full_op,
    // arithmetic
    &add_op,
    &mul_op,
    &scale_op,
    &square_op,
    // dropout
    &dropout_op,
    &dropout_mask_op,
    // reduce
    &sum_op,
    &mean_op,
    // matmul
    &matmul_op,
    // layout
    &broadcast_to_op,
    &sum_to_op,
    &reshape_op,
};

}  // namespace

std::span<const Op* const> all_ops() { return kOps; }

const Op* find_op(std::string_view name) {
  for (const Op* op : kOps) {
    if (op->name == name) return op;
  }
  return nullptr;
}

}  // namespace backdrop
