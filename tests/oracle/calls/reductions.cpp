#include <backdrop/ops/ops.hpp>

#include "oracle/step.hpp"

namespace backdrop::oracle {

namespace {

Var half(const Step& s, const Sorted& sorted) {
  return s.integer("output") == 0 ? sorted.values : sorted.indices;
}

}  // namespace

void reduction_calls(Vocabulary& v) {
  v["sum"] = [](const Step& s) { return sum(s[0], s.ints("axes"), s.flag("keepdims")); };
  v["mean"] = [](const Step& s) { return mean(s[0], s.ints("axes"), s.flag("keepdims")); };
  v["max"] = [](const Step& s) { return max(s[0], s.ints("axes"), s.flag("keepdims")); };
  v["min"] = [](const Step& s) { return min(s[0], s.ints("axes"), s.flag("keepdims")); };
  v["prod"] = [](const Step& s) { return prod(s[0], s.ints("axes"), s.flag("keepdims")); };
  v["cumsum"] = [](const Step& s) { return cumsum(s[0], s.integer("axis"), s.flag("reverse")); };
  v["cumprod"] = [](const Step& s) { return cumprod(s[0], s.integer("axis")); };
  v["logcumsumexp"] = [](const Step& s) { return logcumsumexp(s[0], s.integer("axis")); };
  v["std"] = [](const Step& s) {
    return stddev(s[0], s.ints("axes"), s.integer("correction"), s.flag("keepdims"));
  };
  v["norm"] = [](const Step& s) { return norm(s[0], s.ints("axes"), s.flag("keepdims")); };
  v["norm_of_order"] = [](const Step& s) {
    return norm_of_order(s[0], s.real("order"), s.ints("axes"), s.flag("keepdims"));
  };
  v["logsumexp"] = [](const Step& s) { return logsumexp(s[0], s.ints("axes"), s.flag("keepdims")); };
  v["var"] = [](const Step& s) {
    return var(s[0], s.ints("axes"), s.integer("correction"), s.flag("keepdims"));
  };
  v["any"] = [](const Step& s) { return any(s[0], s.ints("axes"), s.flag("keepdims")); };
  v["all"] = [](const Step& s) { return all(s[0], s.ints("axes"), s.flag("keepdims")); };
  v["sort"] = [](const Step& s) { return sort(s[0], s.integer("axis"), s.flag("descending")).values; };
  v["argsort"] = [](const Step& s) { return argsort(s[0], s.integer("axis"), s.flag("descending")); };
  v["topk"] = [](const Step& s) {
    return half(s, topk(s[0], s.integer("k"), s.integer("axis"), s.flag("largest", true)));
  };
  v["argmax"] = [](const Step& s) { return argmax(s[0], s.integer("axis"), s.flag("keepdims")); };
  v["argmin"] = [](const Step& s) { return argmin(s[0], s.integer("axis"), s.flag("keepdims")); };
}

}  // namespace backdrop::oracle
