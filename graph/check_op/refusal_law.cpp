#include <fmt/format.h>

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/graph/json.hpp>
#include <limits>

#include "laws.hpp"

namespace backdrop::laws {

namespace {

// A call that may be wrong: the sampled one with something changed.
struct Attempt : SampledCall {
  std::string what;
  bool wrong = false;  // for certain
};

Var another(Case& c, const Shape& shape, DType dtype) { return c.maker.leaf(Tensor::zeros(shape, dtype)); }

std::vector<Shape> other_shapes(const Shape& shape) {
  const auto extents = shape.extents();
  std::vector<std::int64_t> more(extents.begin(), extents.end()), grown = more;
  more.push_back(7);
  std::vector<Shape> out{Shape(more)};
  if (!grown.empty()) {
    grown.front() += 1;
    out.emplace_back(grown);
    grown.front() -= 1;
    grown.back() = 0;
    if (Shape(grown) != shape) out.emplace_back(grown);
    out.emplace_back();
  }
  return out;
}

// Whether an op with a float result must refuse input k of this dtype: numbers are not truth values nor
// positions, and f32 does not mix with f64.
bool must_refuse(const Bench& b, Case& c, std::size_t k, DType given) {
  if (b.options().accepts != nullptr && b.options().accepts(k, given)) return false;
  const Call call = c.tape().call(c.at);
  const DType right = call.dtype(k);
  if (!is_float(call.node.dtype) || given == right) return false;
  if (!is_float(right) || !is_float(given)) return true;
  for (std::size_t j = 0; j < call.arity(); ++j) {
    if (j != k && call.dtype(j) == right) return true;
  }
  return false;
}

// Every input in turn with another dtype, and with other shapes.
std::vector<Attempt> wrong_types(const Bench& b, Case& c) {
  const Attempt right{sampled(c), "", false};
  std::vector<Attempt> out;
  for (std::size_t k = 0; k < right.inputs.size(); ++k) {
    const auto with = [&](const Shape& shape, DType dtype) {
      Attempt a = right;
      a.wrong = must_refuse(b, c, k, dtype);
      a.inputs[k] = another(c, shape, dtype);
      a.what = fmt::format("input {} is {} {}", k, to_string(dtype), to_string(shape));
      out.push_back(std::move(a));
    };
    const Var x = right.inputs[k];
    for (const DType dtype : {DType::f32, DType::f64, DType::i64, DType::mask}) {
      if (dtype != x.dtype()) with(x.shape(), dtype);
    }
    for (const Shape& shape : other_shapes(x.shape())) with(shape, x.dtype());
  }
  return out;
}

constexpr std::int64_t kFar = std::int64_t{1} << 62;

std::vector<AttrValue> other_settings(const AttrSpec& spec) {
  static constexpr std::int64_t kLists[][2] = {{99, 0}, {-1, 0},   {-7, 2},   {0, 0},
                                               {1, 0},  {kFar, 1}, {-kFar, 1}};
  std::vector<AttrValue> out;
  switch (spec.kind) {
    case AttrKind::real:
      for (double x : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                       -1.0, 0.0, 1e308}) {
        out.emplace_back(x);
      }
      break;
    case AttrKind::integer:
      for (std::int64_t n : {kFar, -kFar, std::int64_t{-1}, std::int64_t{0}, std::int64_t{99}})
        out.emplace_back(n);
      break;
    case AttrKind::boolean:
      for (bool b : {false, true}) out.emplace_back(b);
      break;
    case AttrKind::ints:
      out.emplace_back(std::span<const std::int64_t>{});
      for (const auto& list : kLists) {
        out.emplace_back(std::span<const std::int64_t>(list, 1));
        out.emplace_back(std::span<const std::int64_t>(list, 2));
      }
      break;
    case AttrKind::dtype:
      for (DType d : {DType::f32, DType::f64, DType::i64, DType::mask}) out.emplace_back(d);
      break;
    default:
      break;
  }
  return out;
}

std::vector<Attempt> other_attributes(Case& c) {
  const Attempt right{sampled(c), "", false};
  std::vector<Attempt> out;
  for (std::size_t k = 0; k < right.attrs.size(); ++k) {
    std::size_t number = 0;
    for (const AttrValue& value : other_settings(c.op().attrs[k])) {
      Attempt a = right;
      a.attrs[k] = value;
      a.what = fmt::format("setting {} of attribute '{}'", number++, c.op().attrs[k].name);
      out.push_back(std::move(a));
    }
  }
  return out;
}

// Calls that no op takes.
std::vector<Attempt> senseless(Case& c, Var foreign, Var stale) {
  const Attempt right{sampled(c), "", false};
  std::vector<Attempt> out;
  const auto with = [&](const char* what, auto&& change) {
    Attempt a = right;
    a.what = what;
    change(a.inputs);
    out.push_back(std::move(a));
  };
  if (!right.inputs.empty()) {
    with("a null Var", [](auto& xs) { xs[0] = Var{}; });
    with("a Var of another tape", [&](auto& xs) { xs[0] = foreign; });
    with("a Var that was dropped", [&](auto& xs) { xs.back() = stale; });
  }
  if (!c.op().variadic()) {
    const Var more = another(c, {2}, c.maker.dtype());
    with("an input too many", [&](auto& xs) { xs.push_back(more); });
    if (!right.inputs.empty()) with("an input too few", [](auto& xs) { xs.pop_back(); });
  }
  return out;
}

enum class Outcome { refused, accepted };

// An op that moves or picks elements may take any dtype, and gives it back.
bool carries_dtype(Case& c, const Attempt& a) {
  const Tape::Mark mark = c.tape().mark();
  const bool is_number = is_float(c.tape().record(c.op(), a.inputs, a.attrs, Where::here()).dtype());
  c.tape().rewind(mark);
  return !is_number;
}

// Recording throws an Error that names the op and leaves the tape as it was, or the node can be run.
Outcome attempt(Bench& b, Case& c, const Attempt& a) {
  Tape& tape = c.tape();
  const std::string before = dump_json(tape, {.bodies = false});
  Var y;
  try {
    y = tape.record(c.op(), a.inputs, a.attrs, Where::here());
  } catch (const Error& e) {
    if (dump_json(tape, {.bodies = false}) != before) {
      b.fail(c, a.what + ": is refused, and changes the tape");
    }
    const std::string text = e.what();
    // What is wrong with a handle is wrong whatever the op.
    const bool named = dynamic_cast<const TapeError*>(&e) != nullptr || text.find(c.op().name) == 0;
    if (!named) b.fail(c, a.what + ": the message does not begin with the op: " + text);
    return Outcome::refused;
  } catch (const std::exception& e) {
    b.fail(c, a.what + ": throws what is no backdrop::Error: " + e.what());
    return Outcome::refused;
  }
  const Tape::Mark mark = tape.mark();
  try {  // but not by a kernel that may read beyond an operand of a type it never expected
    const bool safe = !a.wrong || !is_float(y.dtype());
    if (safe && y.shape().numel() < 100'000) values(c, std::span<const Var>(&y, 1));
  } catch (const Error&) {  // what only the numbers can tell, an index out of range
  }
  tape.rewind(mark);
  return Outcome::accepted;
}

void check_refused(Bench& b, Case& c, const Attempt& a) {
  if (attempt(b, c, a) == Outcome::accepted) b.fail(c, a.what + ": is accepted");
}

// Whether some type was refused.
bool check_types(Bench& b, Case& c) {
  bool refuses = false;
  for (const Attempt& a : wrong_types(b, c)) {
    const Outcome outcome = attempt(b, c, a);
    if (outcome == Outcome::accepted && a.wrong && !carries_dtype(c, a)) {
      b.fail(c, a.what + ": is accepted");
    }
    refuses = refuses || outcome == Outcome::refused;
  }
  return refuses;
}

void check_attributes(Bench& b, Case& c) {
  for (const Attempt& a : other_attributes(c)) attempt(b, c, a);
  for (std::size_t k = 0; k < c.op().attr_count(); ++k) {
    const AttrSpec& spec = c.op().attrs[k];
    if (!spec.bounded || spec.kind != AttrKind::real) continue;
    for (double x : {spec.low - 1, spec.high + 1, std::numeric_limits<double>::quiet_NaN()}) {
      if (x >= spec.low && x <= spec.high) continue;
      Attempt a{sampled(c), fmt::format("{} = {}", spec.name, x), true};
      a.attrs[k] = x;
      check_refused(b, c, a);
    }
  }
}

void check_senseless(Bench& b, Case& c, Var foreign) {
  const Tape::Mark mark = c.tape().mark();
  const Var stale = c.tape().input("dropped", {2}, c.maker.dtype());
  c.tape().rewind(mark);
  for (const Attempt& a : senseless(c, foreign, stale)) check_refused(b, c, a);
}

bool accepts_anything(const CheckOpOptions& options, std::size_t inputs) {
  if (options.accepts == nullptr) return false;
  for (std::size_t k = 0; k < inputs; ++k) {
    for (const DType dtype : {DType::f32, DType::f64, DType::i64, DType::mask}) {
      if (!options.accepts(k, dtype)) return false;
    }
  }
  return true;
}

}  // namespace

void refusals(Bench& b) {
  Tape elsewhere;
  const Var foreign = elsewhere.input("x", {2});
  bool refuses = false;
  b.for_each({Variant::as_written}, [&](Case& c) {
    refuses = check_types(b, c) || refuses;
    check_attributes(b, c);
    check_senseless(b, c, foreign);
    return true;
  });
  if (b.op().arity() == 0 || accepts_anything(b.options(), b.op().arity())) return;
  if (!refuses) b.fail(fmt::format("{} refuses no dtype and no shape", b.op().name));
}

}  // namespace backdrop::laws
