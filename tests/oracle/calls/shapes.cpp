#include <backdrop/ops/ops.hpp>

#include "oracle/step.hpp"

namespace backdrop::oracle {

namespace {

void reshaping(Vocabulary& v) {
  v["reshape"] = [](const Step& s) { return reshape(s[0], s.ints("shape")); };
  v["flatten"] = [](const Step& s) { return flatten(s[0], s.integer("first", 0), s.integer("last", -1)); };
  v["squeeze"] = [](const Step& s) { return squeeze(s[0], s.ints("axes")); };
  v["unsqueeze"] = [](const Step& s) { return unsqueeze(s[0], s.integer("axis")); };
  v["transpose"] = [](const Step& s) { return transpose(s[0], s.ints("axes")); };
  v["permute"] = [](const Step& s) { return permute(s[0], s.ints("axes")); };
  v["swap_axes"] = [](const Step& s) { return swap_axes(s[0], s.integer("a"), s.integer("b")); };
  v["broadcast_to"] = [](const Step& s) { return broadcast_to(s[0], Shape(s.ints("shape"))); };
}

// What a function that returns several gives in the place that the case asks about.
Var output(const Step& s, const std::vector<Var>& results) {
  return results.at(static_cast<std::size_t>(s.integer("output")));
}

void creation(Vocabulary& v) {
  v["full"] = [](const Step& s) {
    return full(s.tape(), Shape(s.ints("shape")), s.real("value"), DType::f64);
  };
  v["arange"] = [](const Step& s) {
    return arange(s.tape(), s.integer("count"), s.real("start"), s.real("step"), DType::f64);
  };
  v["sum_to"] = [](const Step& s) { return sum_to(s[0], Shape(s.ints("shape"))); };
}

void parts(Vocabulary& v) {
  v["concat"] = [](const Step& s) { return concat(s.operands(), s.integer("axis")); };
  v["stack"] = [](const Step& s) { return stack(s.operands(), s.integer("axis")); };
  v["split"] = [](const Step& s) { return output(s, split(s[0], s.ints("sizes"), s.integer("axis"))); };
  v["split_every"] = [](const Step& s) {
    return output(s, split_every(s[0], s.integer("size"), s.integer("axis")));
  };
  v["chunk"] = [](const Step& s) { return output(s, chunk(s[0], s.integer("chunks"), s.integer("axis"))); };

  v["slice"] = [](const Step& s) {
    const std::vector<std::int64_t> steps = s.ints("steps");
    const bool backwards = !steps.empty() && steps.back() < 0;
    return slice(s[0], s.ints("starts"), s.ints("stops", backwards ? kBegin : kEnd), steps);
  };
  v["select"] = [](const Step& s) { return select(s[0], s.integer("axis"), s.integer("index")); };
  v["unbind"] = [](const Step& s) { return output(s, unbind(s[0], s.integer("axis"))); };
  v["pad"] = [](const Step& s) {
    const std::vector<std::int64_t> before = s.ints("before"), after = s.ints("after");
    if (!s.has("value")) return pad(s[0], before, after);
    return pad(s[0], before, after, PadMode::constant, s.real("value"));
  };
  v["pad_reflect"] = [](const Step& s) {
    return pad(s[0], s.ints("before"), s.ints("after"), PadMode::reflect);
  };
  v["pad_edge"] = [](const Step& s) {
    return pad(s[0], s.ints("before"), s.ints("after"), PadMode::replicate);
  };
  v["pad_circular"] = [](const Step& s) {
    return pad(s[0], s.ints("before"), s.ints("after"), PadMode::circular);
  };
}

void picking(Vocabulary& v) {
  v["gather"] = [](const Step& s) { return gather(s[0], s[1], s.integer("axis")); };
  v["index_select"] = [](const Step& s) { return index_select(s[0], s[1], s.integer("axis")); };
  v["embedding"] = [](const Step& s) {
    return s.has("padding") ? embedding(s[0], s[1], s.integer("padding")) : embedding(s[0], s[1]);
  };
  v["flip"] = [](const Step& s) { return flip(s[0], s.ints("axes")); };
  v["roll"] = [](const Step& s) { return roll(s[0], s.ints("shifts"), s.ints("axes")); };
  v["tile"] = [](const Step& s) { return tile(s[0], s.ints("repeats")); };
  v["repeat"] = [](const Step& s) { return repeat(s[0], s.ints("repeats")); };
  v["repeat_interleave"] = [](const Step& s) {
    return repeat_interleave(s[0], s.integer("repeats"), s.integer("axis"));
  };
  v["diagonal"] = [](const Step& s) {
    return diagonal(s[0], s.integer("offset", 0), s.integer("axis1", 0), s.integer("axis2", 1));
  };
  v["pixel_shuffle"] = [](const Step& s) { return pixel_shuffle(s[0], s.integer("factor")); };
  v["pixel_unshuffle"] = [](const Step& s) { return pixel_unshuffle(s[0], s.integer("factor")); };
  v["tril"] = [](const Step& s) { return tril(s[0], s.integer("diagonal", 0)); };
  v["triu"] = [](const Step& s) { return triu(s[0], s.integer("diagonal", 0)); };
  v["index_add"] = [](const Step& s) {
    return index_add(s[0], s[1], s.integer("axis"), s.integer("extent"));
  };
  v["scatter_add"] = [](const Step& s) {
    return scatter_add(s[0], s[1], s.integer("axis"), s.integer("extent"));
  };
  v["one_hot"] = [](const Step& s) { return one_hot(s[0], s.integer("classes"), DType::f64); };
}

}  // namespace

void shape_calls(Vocabulary& v) {
  reshaping(v);
  creation(v);
  parts(v);
  picking(v);
}

}  // namespace backdrop::oracle
