#include "mutants/by_hand.hpp"

#include <algorithm>

namespace backdrop {

namespace {

constexpr auto p = attr::real("p").between(0, 1);
constexpr auto key = attr::key("key");
constexpr std::uint32_t kStep = 3;

Type like_x(const Call& c) { return c.type(0); }
Var drop(const Call& c, Var v) { return dropout(v, c[p], c[1]); }
Var times_two_x(const Call& c, Var g) { return mul(g, scale(c[0], 2)); }

// Kernels are those of the right body, so each fault is in one rule and nowhere else.
constexpr Op dropout_with(const char* name, Rules vjp) {
  Op op{.name = name, .inputs = {"x", "mask"}, .attrs = {p}, .infer = like_x, .vjp = vjp};
  op.jvp = {[](const Call& c, Var t) { return drop(c, t); }};
  op.body = [](const Call& c) { return scale(mul(c[0], c[1]), keep_scale(c[p])); };
  return op;
}
constexpr Op square_with(const char* name, Rules vjp, Rules jvp) {
  Op op{.name = name, .inputs = {"x"}, .infer = like_x, .vjp = vjp, .jvp = jvp};
  op.body = [](const Call& c) { return square(c[0]); };
  return op;
}

constinit const Op bare_mask = dropout_with("bare_mask", {[](const Call& c, Var g) { return mul(g, c[1]); }});
constinit const Op scaled_twice =
    dropout_with("scaled_twice", {[](const Call& c, Var g) { return scale(drop(c, g), keep_scale(c[p])); }});
constinit const Op scaled_by_p =
    dropout_with("scaled_by_p", {[](const Call& c, Var g) { return scale(mul(g, c[1]), 1 / c[p]); }});
constinit const Op no_mask =
    dropout_with("no_mask", {[](const Call& c, Var g) { return scale(g, keep_scale(c[p])); }});
constinit const Op new_mask = dropout_with("new_mask", {[](const Call& c, Var g) {
                                             return dropout(g, c[p], Key{99, 2});
                                           }});
constinit const Op mask_of_another_step{
    .name = "mask_of_another_step",
    .inputs = {"x"},
    .attrs = {p, key},
    .infer = like_x,
    .vjp = {[](const Call& c, Var g) {
      Tensor mask = Tensor::zeros(c.shape(0), DType::f64);
      std::uint64_t e = 0;
      for (double& bit : mask.mutable_data<double>()) bit = kept(c[key], kStep - 1, c[p], e++) ? 1 : 0;
      return dropout(g, c[p], c.tape.constant(mask.to(DType::mask)));
    }},
    .jvp = {[](const Call& c, Var t) { return dropout(t, c[p], c[key]); }},
    .body = [](const Call& c) { return dropout(c[0], c[p], c[key]); },
};

constinit const Op wrong_sign = square_with(
    "wrong_sign", {[](const Call& c, Var g) { return scale(times_two_x(c, g), -1); }}, {times_two_x});
constinit const Op factor_missing =
    square_with("factor_missing", {[](const Call& c, Var g) { return mul(g, c[0]); }}, {times_two_x});
constinit const Op off_by_1e4 = square_with(
    "off_by_1e4", {[](const Call& c, Var g) { return scale(times_two_x(c, g), 1.0001); }}, {times_two_x});
constinit const Op zero_gradient = square_with("zero_gradient", {zero}, {times_two_x});
constinit const Op ignores_cotangent =
    square_with("ignores_cotangent", {[](const Call& c, Var) { return scale(c[0], 2); }}, {times_two_x});

Var with_one_off(const Call& c, Var right, std::size_t at) {
  Tensor bump = Tensor::ones(c.shape(0), DType::f64);
  bump.mutable_data<double>()[at] = 1.0001;
  return mul(right, c.tape.constant(bump.to(c.dtype(0))));
}
constinit const Op one_entry = square_with(
    "one_entry", {[](const Call& c, Var g) { return with_one_off(c, times_two_x(c, g), 2); }}, {times_two_x});
constinit const Op one_in_a_million = square_with(
    "one_in_a_million", {[](const Call& c, Var g) { return with_one_off(c, times_two_x(c, g), 271'828); }},
    {times_two_x});
constinit const Op wrong_forward =
    square_with("wrong_forward", {times_two_x}, {[](const Call& c, Var t) { return mul(t, c[0]); }});

// Right for all but one kind of input, where it is a hundredth too large.
template <bool (*kWhere)(const Call&)>
Var sometimes(const Call& c, Var g) {
  const Var right = times_two_x(c, g);
  return kWhere(c) ? scale(right, 1.01) : right;
}
bool has_rank_0(const Call& c) { return c.shape(0).rank() == 0; }
bool is_f32(const Call& c) { return c.dtype(0) == DType::f32; }
constinit const Op rank_0_only = square_with("rank_0_only", {sometimes<has_rank_0>}, {times_two_x});
constinit const Op f32_only = square_with("f32_only", {sometimes<is_f32>}, {times_two_x});

// a * b
Var other(const Call& c, Var g, std::size_t k) { return mul(g, c[1 - k]); }
constinit const Op aliased_only{
    .name = "aliased_only",
    .inputs = {"a", "b"},
    .infer = like_x,
    .vjp = {[](const Call& c, Var g) { return c[0] == c[1] ? Var{} : other(c, g, 0); },
            [](const Call& c, Var g) { return other(c, g, 1); }},
    .jvp = rule::multilinear,
    .body = [](const Call& c) { return mul(c[0], c[1]); },
};
// x, beside a tensor that may be empty
constinit const Op empty_only{
    .name = "empty_only",
    .inputs = {"x", "beside"},
    .infer = like_x,
    .vjp = {[](const Call& c, Var g) { return c.shape(1).numel() == 0 ? scale(g, 1.001) : g; }, zero},
    .jvp = {[](const Call&, Var t) { return t; }, zero},
    .body = [](const Call& c) { return scale(c[0], 1); },
};

// 2x whose own derivative is 3: right in the first order, wrong in the second.
constinit const Op doubled{.name = "doubled",
                           .inputs = {"x"},
                           .infer = like_x,
                           .vjp = {[](const Call&, Var g) { return scale(g, 3); }},
                           .jvp = {[](const Call&, Var t) { return scale(t, 3); }},
                           .body = [](const Call& c) { return scale(c[0], 2); }};
Var wrong_in_second(const Call& c, Var g) {
  return mul(g, c.tape.record(doubled, {c[0]}, {}, Where::here()));
}
constinit const Op second_order_only = square_with("second_order_only", {wrong_in_second}, {wrong_in_second});

constinit const Op transposed{.name = "transposed",
                              .inputs = {"a", "b"},
                              .infer = [](const Call& c) { return c.type(1); },
                              .vjp = {nullptr, [](const Call& c, Var g) { return matmul(c[0], g); }},
                              .jvp = {nullptr, [](const Call& c, Var t) { return matmul(c[0], t); }},
                              .body = [](const Call& c) { return matmul(c[0], c[1]); }};
constinit const Op off_by_one_row{
    .name = "off_by_one_row",
    .inputs = {"a", "b"},
    .infer = [](const Call& c) { return c.type(1); },
    .vjp = {nullptr,
            [](const Call& c, Var g) {
              const Var right = matmul(c[0], g, {.transpose_a = true});
              return concat({slice(right, {1}, {kEnd}), slice(right, {0}, {1})}, 0);
            }},
    .jvp = {nullptr, [](const Call& c, Var t) { return matmul(c[0], t); }},
    .body = [](const Call& c) { return matmul(c[0], c[1]); }};

Type two_rows(const Call& c) { return {c.dtype(0), c.tape.intern(Shape{2, c.shape(0)[0]})}; }
Var rows(const Call& c) { return broadcast_to(c[0], Shape{2, c.shape(0)[0]}); }
constinit const Op mean_for_sum{
    .name = "mean_for_sum",
    .inputs = {"x"},
    .infer = two_rows,
    .vjp = {[](const Call& c, Var g) { return scale(sum_to(g, c.shape(0)), .5); }},
    .jvp = rule::linear,
    .body = rows};
constinit const Op broadcast_not_summed{.name = "broadcast_not_summed",
                                        .inputs = {"x"},
                                        .infer = two_rows,
                                        .vjp = {[](const Call&, Var g) { return select(g, 0, 0); }},
                                        .jvp = rule::linear,
                                        .body = rows};

// ---- around them, something smooth: a square alone would hide what comes through dropped units

using Made = std::unique_ptr<Subject>;

Var leaf(Subject& s, Tensor value) {
  s.xs.push_back(s.tape.variable("x", std::move(value)));
  return s.xs.back();
}
Made finished(Made s, Var h) {
  s->y = square(add(h, 1.));
  return s;
}

Made through_one_input(const HandMade& h, DType dtype) {
  auto s = std::make_unique<Subject>();
  const Var x = square(leaf(*s, Tensor({1.5, -2, .75, 3}, dtype)));
  const Var y = s->tape.record(*h.faulty, {x}, {}, Where::here());
  return finished(std::move(s), y);
}
Made through_a_scalar(const HandMade& h, DType dtype) {
  auto s = std::make_unique<Subject>();
  const Var y =
      s->tape.record(*h.faulty, {square(leaf(*s, Tensor::full({}, 1.5, dtype)))}, {}, Where::here());
  return finished(std::move(s), y);
}
Made through_a_mask(const HandMade& h, DType dtype) {
  auto s = std::make_unique<Subject>();
  const Var x = square(leaf(*s, Tensor({1.5, -2, .75, 3}, dtype)));
  const Var mask = s->tape.constant(Tensor::mask({1, 0, 1, 1}));
  const Var y = s->tape.record(*h.faulty, {x, mask}, {.25}, Where::here());
  return finished(std::move(s), y);
}
Made through_a_drawn_mask(const HandMade& h, DType dtype) {
  auto s = std::make_unique<Subject>();
  s->options.step = kStep;
  const Var x = square(leaf(*s, Tensor({1.5, -2, .75, 3, -1, .5, 2, 1.25}, dtype)));
  const Var y = s->tape.record(*h.faulty, {x}, {.5, Key{7, 1}}, Where::here());
  return finished(std::move(s), y);
}
Made through_a_matrix(const HandMade& h, DType dtype) {
  auto s = std::make_unique<Subject>();
  const Var x = square(leaf(*s, Tensor({1.5, -2, .75, 3}, dtype)));
  const Var a = s->tape.constant(Tensor({{1, 2, 3, 4}, {0, 1, -1, 2}, {5, 0, 1, 1}, {2, 2, -3, 1}}, dtype));
  const Var y = s->tape.record(*h.faulty, {a, reshape(x, {4, 1})}, {}, Where::here());
  return finished(std::move(s), reshape(y, {4}));
}
Made through_one_input_twice(const HandMade& h, DType dtype) {
  auto s = std::make_unique<Subject>();
  const Var x = square(leaf(*s, Tensor({1.5, -2, .75, 3}, dtype)));
  const Var y = s->tape.record(*h.faulty, {x, x}, {}, Where::here());
  return finished(std::move(s), y);
}
Made beside_nothing(const HandMade& h, DType dtype) {
  auto s = std::make_unique<Subject>();
  const Var x = square(leaf(*s, Tensor({1.5, -2, .75, 3}, dtype)));
  const Var nothing = s->tape.constant(Tensor::zeros({0, 4}, dtype));
  const Var y = s->tape.record(*h.faulty, {x, nothing}, {}, Where::here());
  return finished(std::move(s), y);
}
Made through_a_million(const HandMade& h, DType dtype) {
  auto s = std::make_unique<Subject>();
  const Var x = leaf(*s, normal(Shape{1'000'000}, 0, 1, Key{3, 4}, dtype));
  const Var y = s->tape.record(*h.faulty, {x}, {}, Where::here());
  return finished(std::move(s), y);
}

const std::vector<CheckMode> kFirstOrder{CheckMode::full, CheckMode::directional, CheckMode::taylor,
                                         CheckMode::dot_product};

const HandMade kMade[] = {
    {"bare_mask", "dropout backwards by the 0/1 mask", kFirstOrder, through_a_mask, &bare_mask},
    {"scaled_twice", "dropout backwards scaled twice", kFirstOrder, through_a_mask, &scaled_twice},
    {"scaled_by_p", "dropout backwards scaled by 1/p", kFirstOrder, through_a_mask, &scaled_by_p},
    {"no_mask", "dropout backwards without its mask", kFirstOrder, through_a_mask, &no_mask},
    {"new_mask", "mask drawn anew", kFirstOrder, through_a_mask, &new_mask},
    {"mask_of_another_step", "mask of another step", kFirstOrder, through_a_drawn_mask,
     &mask_of_another_step},
    {"wrong_sign", "sign", kFirstOrder, through_one_input, &wrong_sign},
    {"factor_missing", "factor 2 missing", kFirstOrder, through_one_input, &factor_missing},
    {"off_by_1e4", "factor 1.0001", kFirstOrder, through_one_input, &off_by_1e4},
    {"zero_gradient", "gradient 0", kFirstOrder, through_one_input, &zero_gradient},
    {"ignores_cotangent", "cotangent taken for 1", kFirstOrder, through_one_input, &ignores_cotangent},
    {"one_entry", "one entry of four off by 1e-4", kFirstOrder, through_one_input, &one_entry},
    {"one_in_a_million",
     "one entry of 10^6 off by 1e-4",
     {CheckMode::full},
     through_a_million,
     &one_in_a_million,
     false,
     true},
    {"wrong_forward",
     "factor missing in the jvp only",
     {CheckMode::dot_product},
     through_one_input,
     &wrong_forward},
    {"transposed", "matrix not transposed", kFirstOrder, through_a_matrix, &transposed},
    {"off_by_one_row", "rows off by one", kFirstOrder, through_a_matrix, &off_by_one_row},
    {"mean_for_sum", "broadcast: mean for sum", kFirstOrder, through_one_input, &mean_for_sum},
    {"broadcast_not_summed", "broadcast: one row for their sum", kFirstOrder, through_one_input,
     &broadcast_not_summed},
    {"second_order_only",
     "wrong in second order only",
     {CheckMode::second_order, CheckMode::taylor},
     through_one_input,
     &second_order_only},
    {"rank_0_only", "wrong for rank 0 only", kFirstOrder, through_a_scalar, &rank_0_only},
    {"empty_only", "wrong beside an empty input only", kFirstOrder, beside_nothing, &empty_only},
    {"aliased_only", "wrong for one input used twice only", kFirstOrder, through_one_input_twice,
     &aliased_only},
    {"f32_only",
     "wrong in f32 only",
     {CheckMode::full, CheckMode::dot_product},
     through_one_input,
     &f32_only,
     true},
};

}  // namespace

std::span<const HandMade> made_by_hand() { return kMade; }

const HandMade& made_by_hand(std::string_view op) {
  return *std::find_if(std::begin(kMade), std::end(kMade), [&](const HandMade& h) { return h.op == op; });
}

}  // namespace backdrop
