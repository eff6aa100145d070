#include <fmt/format.h>

#include <algorithm>
#include <backdrop/graph/json.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <cstring>

#include "laws.hpp"

namespace backdrop::laws {

namespace {

void check_same(Bench& b, const Case& c, const std::string& how, std::span<const Tensor> found,
                std::span<const Tensor> expected) {
  for (std::size_t k = 0; k < found.size(); ++k) {
    if (found[k].same_bits(expected[k])) continue;
    b.fail(c, fmt::format("{} {} {}, otherwise {}", k == 0 ? "the value" : fmt::format("derivative {}", k),
                          how, to_string(found[k]), to_string(expected[k])));
    return;
  }
}

// A copy that shares no memory.
std::vector<Tensor> copied(const std::vector<Feed>& feeds) {
  std::vector<Tensor> out;
  for (const Feed& feed : feeds) {
    Tensor copy = Tensor::uninitialized(feed.value.shape(), feed.value.dtype());
    std::memcpy(copy.mutable_bytes(), feed.value.bytes(), byte_size(copy.dtype(), copy.numel()));
    out.push_back(std::move(copy));
  }
  return out;
}

void check_operands_stay(Bench& b, Case& c) {
  const std::vector<Feed> feeds = c.maker.feeds();
  const std::vector<Tensor> before = copied(feeds);
  value_of(c, c.y);
  for (std::size_t k = 0; k < feeds.size(); ++k) {
    if (!feeds[k].value.same_bits(before[k])) b.fail(c, fmt::format("a run changes input {}", feeds[k].name));
  }
}

// Random numbers in f64 take twice the bits: they are others. Masks are the same.
void check_precision(Bench& b, Case& c) {
  const std::unique_ptr<Case> exact = make_case(c.op(), c.sample, DType::f64, c.variant);
  const std::vector<Tensor> found = values(c, results(c)), expected = values(*exact, results(*exact));
  for (std::size_t k = 0; k < found.size(); ++k) {
    const double off = distance(found[k], expected[k], epsilon_of(DType::f32), 1);
    if (off <= c.sample.traits.rounding) continue;
    b.fail(c, fmt::format("{} is {}, in f64 {}: {:g} epsilon of f32 apart",
                          k == 0 ? "the value" : fmt::format("derivative {}", k), to_string(found[k]),
                          to_string(expected[k]), off));
  }
}

}  // namespace

void schedule(Bench& b) {
  b.for_each({Variant::as_written, Variant::scalar, Variant::empty, Variant::large}, [&](Case& c) {
    const std::vector<Var> vars = results(c);
    const std::vector<Tensor> plain = values(c, vars, {.optimize = false});
    check_same(b, c, "optimised is", values(c, vars), plain);
    for (const int threads : {2, 3}) {
      check_same(b, c, fmt::format("with {} threads is", threads), values(c, vars, {.threads = threads}),
                 plain);
    }
    return true;
  });
}

void purity(Bench& b) {
  b.for_each({Variant::as_written, Variant::scalar}, [&](Case& c) {
    const std::vector<Var> vars = results(c);
    const std::vector<Tensor> first = values(c, vars);
    check_same(b, c, "computed again is", values(c, vars), first);
    if (!draws(c.tape())) {
      check_same(b, c, "at another step, without a random op, is", values(c, vars, {.step = kStep + 1}),
                 first);
    }
    check_operands_stay(b, c);
    const std::unique_ptr<Case> again = make_case(c.op(), c.sample, c.maker.dtype(), c.variant);
    results(*again);
    if (dump_json(again->tape()) != dump_json(c.tape())) {
      b.fail(c, "recorded again, with its derivatives, it is another recording: a rule keeps a state");
    }
    return true;
  });
}

void precision(Bench& b) {
  const auto& dtypes = b.options().dtypes;
  const auto made_in = [&](DType dtype) {
    return std::find(dtypes.begin(), dtypes.end(), dtype) != dtypes.end();
  };
  if (!made_in(DType::f32) || !made_in(DType::f64)) return;
  b.for_each({Variant::as_written, Variant::scalar}, [&](Case& c) {
    if (c.maker.dtype() != DType::f32) return false;
    if (draws(make_case(c.op(), c.sample, DType::f32)->tape(), true)) return false;
    check_precision(b, c);
    return true;
  });
}

void reload(Bench& b) {
  const std::vector<const Op*> own = b.own_ops();
  b.for_each({Variant::as_written, Variant::scalar, Variant::empty}, [&](Case& c) {
    const std::vector<Var> vars = results(c);
    const std::string text = dump_json(c.tape(), {.bodies = true, .values = true});
    const std::unique_ptr<Tape> loaded = load_json(text, {.ops = own});
    const std::string again = dump_json(*loaded, {.bodies = true, .values = true});
    if (again != text) b.fail(c, "dumped\n" + text + "\nand after loading\n" + again);
    if (!same_recording(c.tape(), *loaded)) b.fail(c, "loaded, it is another recording:\n" + text);
    std::vector<Var> there;
    there.reserve(vars.size());
    for (Var v : vars) there.push_back(loaded->var(v.index()));
    check_same(b, c, "after loading is", values(c, there), values(c, vars));
    return true;
  });
}

}  // namespace backdrop::laws
