#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "laws/custom_op.hpp"

// Ops of a user's program, right ones and wrong ones.
using namespace backdrop;
using namespace custom;

namespace {

// ---- what the ops below are made of

Type like_both(const Call& c) {
  if (c.type(0) != c.type(1)) throw ShapeError(std::string(c.name()) + ": a and b are of different types");
  return like_x(c);
}
Type masked(const Call& c) {
  if (c.dtype(1) != DType::mask || c.shape(0) != c.shape(1)) {
    throw DTypeError(std::string(c.name()) + ": a mask of the shape of x is needed");
  }
  return like_x(c);
}

template <class F>
void map(const Block& b, F f) {
  const auto each = [&]<class T>(T) {
    for (std::size_t k = 0; k < b.count; ++k) {
      static_cast<T*>(b.y)[k] = f(static_cast<const T*>(b.x[0])[k], k);
    }
  };
  b.dtype() == DType::f32 ? each(float{}) : each(double{});
}

// ---- right ones

constexpr auto beta = attr::real("beta").between(0, 8);
constinit const Op swish{
    .name = "swish",
    .inputs = {"x"},
    .attrs = {beta},
    .formula = "y = x / (1 + e^(-beta x))",
    .structure = Structure::diagonal,
    .infer = like_x,
    .block =
        [](const Block& b) {
          map(b, [&](auto x, std::size_t) {
            return x / (1 + std::exp(static_cast<decltype(x)>(-b[beta]) * x));
          });
        },
    .derivative = {[](const Call& c) {
      const Var s = sigmoid(scale(c[0], c[beta]));
      return s + scale(c.y, c[beta]) * (1. - s);
    }},
};
Var record_swish(Var x, double b) { return x.tape().record(swish, {x}, {b}, Where::here()); }
const std::vector<OpSample> kSwish{
    [](SampleMaker& m) {
      return record_swish(m.real({2, 3}), 1.5);
    },
    [](SampleMaker& m) { return record_swish(m.real({7}), 0); },
};

constinit const Op cube{.name = "cube",
                        .inputs = {"x"},
                        .structure = Structure::diagonal,
                        .infer = like_x,
                        .body = [](const Call& c) { return c[0] * square(c[0]); }};

// The sign of every element drawn anew.
constexpr auto key = attr::key("key");
Var flipped(const Call& c, Var v);
constinit const Op coin{
    .name = "coin",
    .inputs = {"x"},
    .attrs = {key},
    .structure = Structure::diagonal,
    .random = true,
    .infer = like_x,
    .block =
        [](const Block& b) {
          map(b, [&](auto x, std::size_t k) { return kept(b[key], b.step, 0.5, b.first + k) ? x : -x; });
        },
    .vjp = {flipped},
    .jvp = {flipped},
};
Var flipped(const Call& c, Var v) { return c.with_input(0, v); }

constexpr auto slope = attr::real("slope");
Var leaky(const Call& c, Var v) { return v.tape().record(*c.node.op, {v, c[1]}, {c[slope]}, Where::here()); }
constinit const Op leak{
    .name = "leak",
    .inputs = {"x", "mask"},
    .attrs = {slope},
    .infer = masked,
    .block =
        [](const Block& b) {
          const auto* bits = static_cast<const std::uint8_t*>(b.x[1]);
          map(b, [&](auto x, std::size_t k) {
            return (bits[k / 8] >> (k % 8) & 1) != 0 ? x : static_cast<decltype(x)>(b[slope]) * x;
          });
        },
    .vjp = {leaky, zero},
    .jvp = {leaky, zero},
};
Var record_leak(Var x, Var mask, double s) { return x.tape().record(leak, {x, mask}, {s}, Where::here()); }

// y[i, j] = a[i] b[j]
Type outer_type(const Call& c) {
  if (c.shape(0).rank() != 1 || c.shape(1).rank() != 1)
    throw ShapeError("product_table: two vectors are needed");
  if (c.dtype(0) != c.dtype(1) || !is_float(c.dtype(0)))
    throw DTypeError("product_table: two of f32 or of f64");
  return {c.dtype(0), c.tape.intern({c.shape(0)[0], c.shape(1)[0]})};
}
void outer_kernel(const Eval& e) {
  const std::size_t m = e.x[0].numel(), n = e.x[1].numel();
  const auto each = [&]<class T>(T) {
    e.workers.for_each(m, 16, [&](std::size_t begin, std::size_t end) {
      for (std::size_t k = begin * n; k < end * n; ++k) {
        e.y.as<T>()[k] = e.x[0].as<const T>()[k / n] * e.x[1].as<const T>()[k % n];
      }
    });
  };
  e.y.dtype == DType::f32 ? each(float{}) : each(double{});
}
Var along_b(const Call& c, Var g) { return sum(g * broadcast_to(c[1], g.shape()), {1}); }
Var along_a(const Call& c, Var g) {
  return sum(g * broadcast_to(reshape(c[0], {c.shape(0)[0], 1}), g.shape()), {0});
}
constexpr Op outer_with(const char* name, std::size_t (*leading)(const Call&, std::size_t)) {
  Op op{.name = name, .inputs = {"a", "b"}, .leading = leading, .infer = outer_type, .eval = outer_kernel};
  op.vjp = {along_b, along_a};
  op.jvp = rule::multilinear;
  return op;
}
constinit const Op product_table =
    outer_with("product_table", [](const Call&, std::size_t k) { return std::size_t{k == 0 ? 1U : 0U}; });
template <const Op& kOp>
std::vector<OpSample> table_samples() {
  return {
      [](SampleMaker& m) {
        return m.tape().record(kOp, {m.real({3}), m.real({4})}, {}, Where::here());
      },
      [](SampleMaker& m) {
        return m.tape().record(kOp, {m.real({3}), m.real({3})}, {}, Where::here());
      },
      [](SampleMaker& m) {
        return m.tape().record(kOp, {m.real({0}), m.real({4})}, {}, Where::here());
      },
      {{.large = true},
       [](SampleMaker& m) {
         return m.tape().record(kOp, {m.real({300}), m.real({50})}, {}, Where::here());
       }},
  };
}

// ---- wrong ones

template <const Op& kOp>
std::vector<OpSample> of_one() {
  return {[](SampleMaker& m) { return record(kOp, m.real({2, 3})); }};
}
Var twice_x(const Call& c, Var g) { return g * scale(c[0], 2); }
void squares(const Block& b) {
  map(b, [](auto x, std::size_t) { return x * x; });
}
constexpr Op square_with(const char* name, Rules vjp, Rules jvp) {
  return {.name = name, .inputs = {"x"}, .infer = like_x, .block = squares, .vjp = vjp, .jvp = jvp};
}
constinit const Op wrong_vjp =
    square_with("wrong_vjp", {[](const Call& c, Var g) { return g * c[0]; }}, {twice_x});
constinit const Op wrong_jvp =
    square_with("wrong_jvp", {twice_x}, {[](const Call& c, Var t) { return t * c[0]; }});
constinit const Op curved_jvp =
    square_with("curved_jvp", {twice_x}, {[](const Call& c, Var t) { return square(t) * scale(c[0], 2); }});

// 2x whose own derivative is 3
constinit const Op doubled{.name = "doubled",
                           .inputs = {"x"},
                           .infer = like_x,
                           .block = [](const Block& b) { map(b, [](auto x, std::size_t) { return 2 * x; }); },
                           .vjp = {[](const Call&, Var g) { return scale(g, 3); }},
                           .jvp = {[](const Call&, Var t) { return scale(t, 3); }}};
Var by_doubled(const Call& c, Var g) { return g * record(doubled, c[0]); }
constinit const Op wrong_second = square_with("wrong_second", {by_doubled}, {by_doubled});

// What it records depends on how often it was asked.
constinit const Op forgetful = square_with("forgetful", {[](const Call& c, Var g) {
                                             static int calls = 0;
                                             return ++calls % 2 == 0 ? twice_x(c, g) : scale(g * c[0], 2);
                                           }},
                                           {twice_x});

constexpr Op with_kernel(const char* name, void (*block)(const Block&)) {
  Op op = square_with(name, {twice_x}, {twice_x});
  op.block = block;
  return op;
}
constinit const Op counting = with_kernel("counting", [](const Block& b) {
  static int calls = 0;
  const double off = ++calls * 1e-13;
  map(b, [&](auto x, std::size_t) { return x * x + static_cast<decltype(x)>(off); });
});
constinit const Op wrong_in_f32 = with_kernel("wrong_in_f32", [](const Block& b) {
  map(b, [](auto x, std::size_t) { return sizeof x == 4 ? x * x * static_cast<decltype(x)>(1.001) : x * x; });
});
constinit const Op wandering = with_kernel("wandering", [](const Block& b) {  // by the step, but not random
  map(b, [&](auto x, std::size_t) { return x * x + static_cast<decltype(x)>(b.step % 2); });
});

constinit const Op other_body = [] {
  Op op = with_kernel("other_body", [](const Block& b) {
    map(b, [](auto x, std::size_t) { return x * x * (1 + 4 * std::numeric_limits<decltype(x)>::epsilon()); });
  });
  op.exact = true;
  op.body = [](const Call& c) { return square(c[0]); };
  return op;
}();

constinit const Op moody = [] {
  Op op = square_with("moody", {twice_x}, {twice_x});
  op.body = [](const Call& c) {
    static int calls = 0;
    return ++calls % 2 == 0 ? square(c[0]) : c[0] * c[0];
  };
  return op;
}();

constinit const Op takes_all = [] {
  Op op = square_with("takes_all", {twice_x}, {twice_x});
  op.infer = [](const Call& c) {
    return Type{is_float(c.dtype(0)) ? c.dtype(0) : DType::f64, c.type(0).shape};
  };
  return op;
}();
constinit const Op anonymous = [] {
  Op op = square_with("anonymous", {twice_x}, {twice_x});
  op.infer = [](const Call& c) {
    if (!is_float(c.dtype(0))) throw DTypeError("a float is needed");
    return c.type(0);
  };
  return op;
}();
constinit const Op unread = [] {
  Op op = square_with("unread", {twice_x}, {twice_x});
  op.attrs = {slope};
  return op;
}();
std::vector<OpSample> unread_samples() {
  return {[](SampleMaker& m) { return m.tape().record(unread, {m.real({3})}, {1.}, Where::here()); },
          [](SampleMaker& m) { return m.tape().record(unread, {m.real({3})}, {2.}, Where::here()); }};
}
constinit const Op taken_name = square_with("square", {twice_x}, {twice_x});

constinit const Op too_much_leading =
    outer_with("too_much_leading", [](const Call&, std::size_t) { return std::size_t{1}; });

// y[i] = x[n - 1 - i]
void reversed(const Eval& e) {
  const std::size_t n = e.y.numel();
  const auto each = [&]<class T>(T) {
    for (std::size_t k = 0; k < n; ++k) e.y.as<T>()[k] = e.x[0].as<const T>()[n - 1 - k];
  };
  e.y.dtype == DType::f32 ? each(float{}) : each(double{});
}
constexpr Op reverse_with(const char* name, Structure structure) {
  Op op{.name = name, .inputs = {"x"}, .structure = structure, .infer = like_x, .eval = reversed};
  op.vjp = {[](const Call& c, Var g) { return c.with_input(0, g); }};
  op.jvp = rule::linear;
  return op;
}
constinit const Op mirror = reverse_with("mirror", Structure::selection);
constinit const Op not_diagonal = reverse_with("not_diagonal", Structure::diagonal);
constinit const Op not_in_pattern = reverse_with("not_in_pattern", Structure::diagonal);
constinit const Op wrong_batch = [] {  // mirrors along both axes
  Op op = reverse_with("wrong_batch", Structure::selection);
  op.batch = [](const Call&, std::span<const Var> x) { return flip(x[0], {0, 1}); };
  return op;
}();
constinit const Op not_a_view = [] {
  Op op = reverse_with("not_a_view", Structure::selection);
  op.view = true;
  return op;
}();
constinit const Op not_a_partition = [] {
  Op op = square_with("not_a_partition", {twice_x}, {twice_x});
  op.structure = Structure::partition;
  return op;
}();

// a * b, but not where both are one Var.
constinit const Op not_tied{
    .name = "not_tied",
    .inputs = {"a", "b"},
    .infer = like_both,
    .vjp = {[](const Call& c, Var g) { return c[0] == c[1] ? Var{} : g * c[1]; },
            [](const Call& c, Var g) { return g * c[0]; }},
    .jvp = rule::multilinear,
    .body = [](const Call& c) { return c[0] * c[1]; },
};
std::vector<OpSample> products() {
  return {[](SampleMaker& m) {
    const Var a = m.real({3});
    return m.tape().record(not_tied, {a, m.real({3})}, {}, Where::here());
  }};
}

std::vector<Wrong> wrong_ops() {
  return {
      {wrong_vjp, of_one<wrong_vjp>(), OpLaw::reverse, "factor 2 is missing"},
      {wrong_vjp, of_one<wrong_vjp>(), OpLaw::transposed, "<g, J t> and <J' g, t> are"},
      {wrong_jvp, of_one<wrong_jvp>(), OpLaw::forward, "FAILED"},
      {wrong_jvp, of_one<wrong_jvp>(), OpLaw::transposed, "<g, J t> and <J' g, t> are"},
      {curved_jvp, of_one<curved_jvp>(), OpLaw::forward, "FAILED"},
      {wrong_second, of_one<wrong_second>(), OpLaw::second_order, "FAILED"},
      {forgetful, of_one<forgetful>(), OpLaw::purity, "a rule keeps a state"},
      {counting, of_one<counting>(), OpLaw::purity, "computed again is"},
      {wandering, of_one<wandering>(), OpLaw::purity, "at another step, without a random op"},
      {wrong_in_f32, of_one<wrong_in_f32>(), OpLaw::precision, "epsilon of f32 apart"},
      {other_body, of_one<other_body>(), OpLaw::body, "value by the op"},
      {moody, of_one<moody>(), OpLaw::reload, "1.0, byte"},
      {moody, of_one<moody>(), OpLaw::refold, "expanded and fused again"},
      {takes_all, of_one<takes_all>(), OpLaw::refusals, "input 0 is mask [2, 3]: is accepted"},
      {anonymous, of_one<anonymous>(), OpLaw::refusals, "does not begin with the op"},
      {unread, unread_samples(), OpLaw::attributes, "the attribute 'slope' has no effect"},
      {taken_name, of_one<taken_name>(), OpLaw::samples, "the library has an op of this name"},
      {too_much_leading, table_samples<too_much_leading>(), OpLaw::structure, "leading axes of y [3, 4]"},
      {not_diagonal, of_vectors<not_diagonal>(), OpLaw::structure, "depends on element 0 of 'x'"},
      {not_a_partition, of_one<not_a_partition>(), OpLaw::structure, "is no partition"},
      {not_a_view, of_vectors<not_a_view>(), OpLaw::structure, "not input 0 byte for byte"},
      {not_in_pattern, of_vectors<not_in_pattern>(), OpLaw::sparsity, "by the pattern"},
      {wrong_batch, of_vectors<wrong_batch>(), OpLaw::batch, "of many values of x0, number 0 gives"},
      {not_tied, products(), OpLaw::tied, "x1 = x0: the vjp of one Var"},
  };
}

}  // namespace

TEST_CASE("right ops of a user's program keep all laws") {
  CHECK(check_op(swish, kSwish));
  CHECK(check_op(cube, of_one<cube>()));
  CHECK(check_op(coin, {[](SampleMaker& m) {
                   return m.tape().record(coin, {m.real({11})}, {m.key()}, Where::here());
                 }}));
  CHECK(check_op(leak, {[](SampleMaker& m) {
                          return record_leak(m.real({2, 5}), m.mask({2, 5}), 0.25);
                        },
                        [](SampleMaker& m) { return record_leak(m.real({3}), m.mask({3}), -1); }}));
  CHECK(check_op(product_table, table_samples<product_table>()));
  CHECK(check_op(mirror, of_vectors<mirror>()));
}

TEST_CASE("a wrong op of a user's program fails the law that it breaks, which says how") {
  for (const Wrong& wrong : wrong_ops()) check_breaks(wrong, {&doubled});
}

TEST_CASE("a report has a result for each law, and a program can return its verdict") {
  const OpReport right = check_op(cube, of_one<cube>());
  CHECK(right.exit_code() == 0);
  CHECK(right[OpLaw::reverse].cases > 0);
  CHECK(right[OpLaw::attributes].cases == 0);
  CHECK(mentions(right, "attributes   does not apply"));

  const OpReport wrong = check_op(wrong_vjp, of_one<wrong_vjp>());
  CHECK(wrong.exit_code() == 1);
  CHECK_FALSE(bool(wrong));
  CHECK(wrong[OpLaw::forward].passed());
  CHECK(wrong[OpLaw::reload].passed());
  CHECK(wrong[OpLaw::reverse].failures.front().find("wrong_vjp [custom_op_test.cpp:") == 0);
  CHECK(std::string(doctest::toString(wrong).c_str()) == to_string(wrong));

  const OpReport some =
      check_op(cube, of_one<cube>(), {.laws = {OpLaw::body, OpLaw::reverse}, .skip = {OpLaw::body}});
  CHECK(some.laws.size() == 1);
  CHECK_THROWS_AS(some[OpLaw::body], ValueError);
  CHECK_THROWS_AS(check_op(cube, {}), ValueError);
}

TEST_CASE("ops that a user's op records with are loaded if they are passed, too") {
  const OpReport without = check_op(wrong_second, of_one<wrong_second>(), {.laws = {OpLaw::reload}});
  CHECK(mentions(without, "unknown op 'doubled'"));
  CHECK(check_op(wrong_second, of_one<wrong_second>(), {.laws = {OpLaw::reload}, .ops = {&doubled}}));
}

TEST_CASE("a sample that throws, and one that does not record the op, fail") {
  const OpReport thrown =
      check_op(cube, {[](SampleMaker& m) { return record(cube, m.mask({3})); }}, {.laws = {OpLaw::purity}});
  CHECK(mentions(thrown, "throws: cube: x is mask"));
  const OpReport other =
      check_op(cube, {[](SampleMaker& m) { return square(m.real({3})); }}, {.laws = {OpLaw::purity}});
  CHECK(mentions(other, "does not record cube"));
}

TEST_CASE("an op can be held to the laws in one dtype") {
  const std::vector<OpSample> samples{[](SampleMaker& m) {
                                        return tanh(m.real({2, 3}));
                                      },
                                      [](SampleMaker& m) { return tanh(m.real({})); },
                                      [](SampleMaker& m) {
                                        return tanh(m.real({0, 2}));
                                      }};
  for (const DType dtype : {DType::f32, DType::f64}) {
    const OpReport report = check_op(tanh_op, samples, {.dtypes = {dtype}});
    CHECK_MESSAGE(bool(report), to_string(report));
  }
}
