#include <backdrop/ops/ops.hpp>

#include "oracle/step.hpp"

namespace backdrop::oracle {

void product_calls(Vocabulary& v) {
  v["matmul"] = [](const Step& s) {
    return matmul(s[0], s[1], {.transpose_a = s.flag("transpose_a"), .transpose_b = s.flag("transpose_b")});
  };
}

}  // namespace backdrop::oracle
