#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <backdrop/core/error.hpp>
#include <map>
#include <string>

#include "integers.hpp"
#include "ops/evaluate.hpp"

namespace bd = backdrop;
using bd::DType;
using bd::Shape;
using bd::Tensor;
using bd::Var;

namespace {

// What an equation of letters means: a loop over all values of all letters.
Tensor by_definition(const std::vector<std::string>& inputs, const std::string& output,
                     const std::vector<Tensor>& operands) {
  std::map<char, std::int64_t> extents, at;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    for (std::size_t axis = 0; axis < inputs[k].size(); ++axis) {
      std::int64_t& extent = extents.try_emplace(inputs[k][axis], 1).first->second;
      extent = operands[k].shape()[axis] == 1 ? extent : operands[k].shape()[axis];
      at[inputs[k][axis]] = 0;
    }
  }
  const auto place = [&](const std::string& labels, const Shape& shape) {
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < labels.size(); ++axis) {
      offset = offset * shape[axis] + (shape[axis] == 1 ? 0 : at[labels[axis]]);
    }
    return static_cast<std::size_t>(offset);
  };
  std::vector<std::int64_t> to;
  for (char label : output) to.push_back(extents[label]);
  const Shape shape(to);
  Tensor y = Tensor::zeros(shape, DType::f64);
  for (const auto& [label, extent] : extents) {
    if (extent == 0) return y;
  }
  for (bool more = true; more;) {
    double product = 1;
    for (std::size_t k = 0; k < inputs.size(); ++k)
      product *= operands[k].at(place(inputs[k], operands[k].shape()));
    y.mutable_data<double>()[place(output, shape)] += product;
    more = false;
    for (auto& [label, value] : at) {
      if (++value < extents[label]) {
        more = true;
        break;
      }
      value = 0;
    }
  }
  return y;
}

struct Case {
  const char* equation;
  std::vector<std::string> inputs;  // spelled out
  std::string output;
  std::vector<Shape> shapes;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases{
      {"ij,jk->ik", {"ij", "jk"}, "ik", {{2, 3}, {3, 4}}},
      {"ij,kj->ki", {"ij", "kj"}, "ki", {{2, 3}, {4, 3}}},
      {"ji,jk->ik", {"ji", "jk"}, "ik", {{3, 2}, {3, 4}}},
      {"bij,bjk->bik", {"bij", "bjk"}, "bik", {{2, 2, 3}, {2, 3, 2}}},
      {"ibj,jkb->kib", {"ibj", "jkb"}, "kib", {{2, 3, 4}, {4, 2, 3}}},
      {" i j , k l -> l j ", {"ij", "kl"}, "lj", {{2, 3}, {4, 2}}},
      {"i,j->ij", {"i", "j"}, "ij", {{3}, {2}}},
      {"i,i->i", {"i", "i"}, "i", {{3}, {3}}},
      {"i,i->", {"i", "i"}, "", {{3}, {3}}},
      {"bi,bi->b", {"bi", "bi"}, "b", {{2, 3}, {2, 3}}},
      {"ij,ji->", {"ij", "ji"}, "", {{2, 3}, {3, 2}}},
      {"ij", {"ij"}, "ij", {{2, 3}}},
      {"ji", {"ji"}, "ij", {{2, 3}}},
      {"ij->", {"ij"}, "", {{2, 3}}},
      {"ii", {"ii"}, "", {{3, 3}}},
      {"ii->i", {"ii"}, "i", {{3, 3}}},
      {"ijiij->ji", {"ijiij"}, "ji", {{2, 3, 2, 2, 3}}},
      {"iji,kjk->j", {"iji", "kjk"}, "j", {{2, 3, 2}, {4, 3, 4}}},
      {"ba,aB", {"ba", "aB"}, "Bb", {{2, 3}, {3, 4}}},
      {"ij,jk,kl->il", {"ij", "jk", "kl"}, "il", {{2, 2}, {2, 3}, {3, 2}}},
      {"a,b,ab,cb->c", {"a", "b", "ab", "cb"}, "c", {{2}, {3}, {2, 3}, {4, 3}}},
      {"i,i,i->i", {"i", "i", "i"}, "i", {{3}, {3}, {3}}},
      {"ij,jk->ik", {"ij", "jk"}, "ik", {{2, 1}, {3, 4}}},
      {"ij,ij->ij", {"ij", "ij"}, "ij", {{1, 3}, {2, 1}}},
      {"i->i", {"i"}, "i", {{1}}},
      {",ij->ji", {"", "ij"}, "ji", {{}, {2, 3}}},
      {"ij,jk->ik", {"ij", "jk"}, "ik", {{2, 0}, {0, 3}}},
      {"...ij,...jk->...ik", {"xaij", "ajk"}, "xaik", {{2, 1, 2, 3}, {3, 3, 2}}},
      {"i...,j...", {"ixy", "jy"}, "xyij", {{2, 3, 4}, {3, 4}}},
      {"...", {"xy"}, "xy", {{2, 3}}},
      {"...i->i...", {"xyi"}, "ixy", {{2, 3, 4}}},
      {"i...->i", {"ixy"}, "i", {{2, 3, 4}}},
      {"...ii->...i", {"xii"}, "xi", {{2, 3, 3}}},
      {"...,i->i...", {"", "i"}, "i", {{}, {3}}},
  };
  return kCases;
}

}  // namespace

TEST_CASE("einsum gives the sums that its equation means, and derivatives that are transposes") {
  for (const Case& c : cases()) {
    CAPTURE(std::string(c.equation));
    bd::Tape tape;
    std::vector<Tensor> operands;
    std::vector<Var> vars;
    for (const Shape& shape : c.shapes) {
      operands.push_back(integers::tensor(shape, static_cast<unsigned>(operands.size() + 1)));
      vars.push_back(tape.variable("x", operands.back()));
    }
    const Var y = bd::einsum(c.equation, vars);
    const Tensor expected = by_definition(c.inputs, c.output, operands);
    REQUIRE(y.shape() == expected.shape());
    CHECK(bd::numbers(value(y)) == bd::numbers(expected));  // -0 is 0
    integers::check_transposes(y, vars);
    for (const Var gradient : bd::grad(bd::sum(bd::square(y)), vars)) {
      integers::check_transposes(gradient, vars);
    }
  }
}

TEST_CASE("a matrix product by einsum is one node, whichever side is transposed") {
  for (const char* equation : {"ij,jk->ik", "ji,jk->ik", "ij,kj->ik", "ji,kj->ik"}) {
    bd::Tape tape;
    const Var a = tape.constant(Tensor::zeros({2, 2})), b = tape.constant(Tensor::zeros({2, 2}));
    static_cast<void>(bd::einsum(equation, {a, b}));
    CHECK(tape.size() == 3);
  }
}

TEST_CASE("einsum names the letter and the extents of what does not fit") {
  bd::Tape tape;
  const Var a = tape.constant(Tensor::zeros({2, 3})), b = tape.constant(Tensor::zeros({4, 5}));
  const auto refuse = [&]<class E>(const char* text, const char* equation, const std::vector<Var>& operands) {
    integers::check_refused<E>(tape, text, [&] { static_cast<void>(bd::einsum(equation, operands)); });
  };
  refuse.operator()<bd::ShapeError>("einsum: \"ij,jk->ik\": 'j' is 3 and, in operand 1, 4", "ij,jk->ik",
                                    {a, b});
  refuse.operator()<bd::ShapeError>("einsum: \"ii->i\": 'i' is 2 and, in operand 0, 3", "ii->i", {a});
  refuse.operator()<bd::ShapeError>("einsum: \"...,...\": axis -2 of '...' is 2 and, in operand 1, 4",
                                    "...,...", {bd::slice(a, {0, 0}, {2, 1}), b});
  refuse.operator()<bd::ValueError>("einsum: \"ij\" names 1 operands, and 2 are given", "ij", {a, b});
  refuse.operator()<bd::ValueError>("einsum: \"ijk->i\" names 3 axes of operand 0, which has 2", "ijk->i",
                                    {a});
  refuse.operator()<bd::ValueError>("einsum: \"i->i\" names 1 axes of operand 0, which has 2", "i->i", {a});
  refuse.operator()<bd::ValueError>("einsum: \"ij->iz\": 'z' is in no operand", "ij->iz", {a});
  refuse.operator()<bd::ValueError>("einsum: \"ij->ii\": 'i' is twice in the output", "ij->ii", {a});
  refuse.operator()<bd::ValueError>("einsum: \"i1->i\" does not parse at \"1\"; use letters and one '...'",
                                    "i1->i", {a});
  refuse.operator()<bd::ValueError>("einsum: no operands", "ij", {});
}

TEST_CASE("dot and outer take vectors") {
  bd::Tape tape;
  const Var a = tape.constant({1, 2, 3}), b = tape.constant({4, 5, 6}), m = tape.constant({{1, 2}});
  CHECK(value(bd::dot(a, b)).same_bits(Tensor::scalar(32)));
  CHECK(value(bd::outer(a, tape.constant({1, 10}))).same_bits({{1, 10}, {2, 20}, {3, 30}}));
  CHECK_THROWS_WITH_AS(bd::dot(a, m), "dot: [1, 2] is no vector; use matmul()", bd::ShapeError);
  CHECK_THROWS_WITH_AS(bd::outer(m, a), "outer: [1, 2] is no vector; flatten() it", bd::ShapeError);
}

TEST_CASE("linear is x weight' + bias on the last axis") {
  bd::Tape tape;
  const Var weight = tape.constant({{1, 2}, {0, 1}, {-1, 1}}), bias = tape.constant({10, 20, 30});
  CHECK(value(bd::linear(tape.constant({3, 4}), weight)).same_bits({11, 4, 1}));
  CHECK(value(bd::linear(tape.constant({{{3, 4}}, {{1, 0}}}), weight, bias))
            .same_bits({{{21, 24, 31}}, {{11, 20, 29}}}));
  CHECK_THROWS_WITH_AS(bd::linear(weight, bd::neg(weight), tape.constant({1, 2})),
                       "linear: a bias [2] for a result [3, 3]", bd::ShapeError);
}

TEST_CASE("addmm is beta c + alpha a b, without c where beta is 0") {
  bd::Tape tape;
  const Var a = tape.constant({{1, 2}, {3, 4}}), c = tape.constant({10, 20});
  CHECK(value(bd::addmm(c, a, a)).same_bits({{17, 30}, {25, 42}}));
  CHECK(value(bd::addmm(c, a, a, 0.5, -2)).same_bits({{-9, -10}, {-25, -34}}));
  CHECK(value(bd::addmm(tape.constant({bd::kNaN}), a, a, 0)).same_bits({{7, 10}, {15, 22}}));
  CHECK_THROWS_AS(bd::addmm(tape.constant({1, 2, 3}), a, a), bd::ShapeError);
}

TEST_CASE("bilinear by PyTorch") {
  bd::Tape tape;
  const Var x1 = tape.constant({{1, 2}, {3, 4}}), x2 = tape.constant({{1, 0, 2}, {2, 1, 1}});
  const Var weight = tape.constant({{{0, 1, 2}, {3, 4, 5}}, {{6, 7, 8}, {9, 10, 11}}});
  CHECK(value(bd::bilinear(x1, x2, weight, tape.constant({1, -1}))).same_bits({{31, 83}, {70, 236}}));
}
