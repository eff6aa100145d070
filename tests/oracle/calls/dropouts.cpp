#include <backdrop/ops/ops.hpp>

#include "oracle/step.hpp"

namespace backdrop::oracle {

void dropout_calls(Vocabulary& v) {
  v["dropout"] = [](const Step& s) { return dropout(s[0], s.real("p"), s[1]); };
}

}  // namespace backdrop::oracle
