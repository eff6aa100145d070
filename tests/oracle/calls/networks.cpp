#include <backdrop/ops/ops.hpp>
#include <stdexcept>

#include "oracle/step.hpp"

namespace backdrop::oracle {

namespace {

Reduction reduction(const Step& s) {
  const std::string text = s.text("reduction", "mean");
  if (text == "mean") return Reduction::mean;
  if (text == "sum") return Reduction::sum;
  if (text == "none") return Reduction::none;
  throw std::logic_error("no such reduction: " + text);
}

}  // namespace

void network_calls(Vocabulary& v) {
  v["softmax"] = [](const Step& s) { return softmax(s[0], s.integer("axis")); };
  v["log_softmax"] = [](const Step& s) { return log_softmax(s[0], s.integer("axis")); };
  v["mse"] = [](const Step& s) { return mse(s[0], s[1]); };
  v["cross_entropy"] = [](const Step& s) { return cross_entropy(s[0], s[1], reduction(s)); };
}

}  // namespace backdrop::oracle
