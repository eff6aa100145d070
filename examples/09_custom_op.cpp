// An op that the library does not have, in a program of the user's: what it needs, one call that holds it to
// all laws, and a recording with it that is dumped and loaded.

#include <backdrop/backdrop.hpp>
#include <cmath>

namespace bd = backdrop;

constexpr auto beta = bd::attr::real("beta").between(0, 100);

bd::Type like_x(const bd::Call& c) {
  if (!bd::is_float(c.dtype(0))) throw bd::DTypeError(std::string(c.name()) + ": x must be f32 or f64");
  return c.type(0);
}

template <class T>
void swish_of(const bd::Block& b) {
  const auto* x = static_cast<const T*>(b.x[0]);
  auto* y = static_cast<T*>(b.y);
  for (std::size_t k = 0; k < b.count; ++k) y[k] = x[k] / (1 + std::exp(static_cast<T>(-b[beta]) * x[k]));
}

// y = x / (1 + e^(-beta x)). Ramachandran, Zoph, Le, arXiv:1710.05941.
constinit const bd::Op swish_op{
    .name = "swish",
    .inputs = {"x"},
    .attrs = {beta},
    .formula = "y = x / (1 + e^(-beta x))",
    .jacobian = "diag(s + beta y (1 - s)), s = 1 / (1 + e^(-beta x))",
    .structure = bd::Structure::diagonal,
    .infer = like_x,
    .block =
        [](const bd::Block& b) { b.dtype() == bd::DType::f32 ? swish_of<float>(b) : swish_of<double>(b); },
    .derivative = {[](const bd::Call& c) {
      const bd::Var s = bd::sigmoid(c[beta] * c[0]);
      return s + c[beta] * c.y * (1.0 - s);
    }},
};

bd::Var swish(bd::Var x, double b, bd::Where where = bd::Where::here()) {
  return x.tape().record(swish_op, {x}, {b}, where);
}

// The same with a slip in the derivative: beta is forgotten.
const bd::Op forgetful_op = [] {
  bd::Op op = swish_op;
  op.name = "forgetful_swish";
  op.derivative = {[](const bd::Call& c) {
    const bd::Var s = bd::sigmoid(c[beta] * c[0]);
    return s + c.y * (1.0 - s);
  }};
  return op;
}();

const std::vector<bd::OpSample> samples{
    [](bd::SampleMaker& m) {
      return swish(m.real({2, 3}), 1.5);
    },
    [](bd::SampleMaker& m) { return swish(m.real({7}), 0); },
};

bd::Var forgetful(bd::Var x, double b) { return x.tape().record(forgetful_op, {x}, {b}, bd::Where::here()); }

const std::vector<bd::OpSample> forgetful_samples{
    [](bd::SampleMaker& m) { return forgetful(m.real({5}), 1); },
    [](bd::SampleMaker& m) {
      return forgetful(m.real({5}, {-4, 4}), 1.5);
    },
};

int main() {
  const bd::OpReport report = bd::check_op(swish_op, samples);
  fmt::print("{}\n", report);

  const bd::OpReport wrong = bd::check_op(forgetful_op, forgetful_samples);
  fmt::print("{} fails:", wrong.op);
  for (const bd::OpReport::Result& result : wrong.laws) {
    if (!result.passed()) fmt::print(" {} ({} of {})", bd::name(result.law), result.failed, result.cases);
  }
  fmt::print("\n\n");

  bd::Tape tape;
  const bd::Var x = tape.variable("x", {1.0, -2.0, 3.0, 4.0});
  const bd::Var y = bd::dropout(swish(x, 1), 0.5, bd::Key{42, 0});
  const bd::Var gradient = bd::grad(bd::sum(bd::square(y)), x);
  const std::string text = bd::dump_json(tape, {.values = true});
  try {
    bd::load_json(text);
  } catch (const bd::Error& error) {
    fmt::print("{}\n", error.what());
  }
  const bd::Op* const mine[] = {&swish_op};
  const auto loaded = bd::load_json(text, {.ops = mine});
  fmt::print("loaded, the same recording: {}\n", bd::same_recording(tape, *loaded));
  fmt::print("loaded, the same gradient: {}\n",
             bd::value(loaded->var(gradient.index())).same_bits(bd::value(gradient)));
  return report.exit_code();
}
