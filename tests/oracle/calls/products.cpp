#include <backdrop/ops/ops.hpp>

#include "oracle/step.hpp"

namespace backdrop::oracle {

namespace {

Var optional(const Step& s, std::size_t k) { return k < s.count() ? s[k] : Var{}; }

}  // namespace

void product_calls(Vocabulary& v) {
  v["matmul"] = [](const Step& s) {
    return matmul(s[0], s[1], {.transpose_a = s.flag("transpose_a"), .transpose_b = s.flag("transpose_b")});
  };
  v["dot"] = [](const Step& s) { return dot(s[0], s[1]); };
  v["outer"] = [](const Step& s) { return outer(s[0], s[1]); };
  v["linear"] = [](const Step& s) { return linear(s[0], s[1], optional(s, 2)); };
  v["addmm"] = [](const Step& s) { return addmm(s[0], s[1], s[2], s.real("beta", 1), s.real("alpha", 1)); };
  v["add_product"] = [](const Step& s) {
    return add_product(s[0], s[1], s[2], s[3],
                       {.transpose_a = s.flag("transpose_a"), .transpose_b = s.flag("transpose_b")});
  };
  v["bilinear"] = [](const Step& s) { return bilinear(s[0], s[1], s[2], optional(s, 3)); };
  v["einsum"] = [](const Step& s) { return einsum(s.text("equation", ""), s.operands()); };
}

}  // namespace backdrop::oracle
