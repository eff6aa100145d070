#include <doctest/doctest.h>

#include <algorithm>
#include <backdrop/backdrop.hpp>

#include "laws/cases.hpp"

using namespace backdrop;

namespace {

bool same_attribute(const AttrValue& a, const AttrValue& b) {
  return a.bits == b.bits && a.key == b.key &&
         std::equal(a.ints.begin(), a.ints.end(), b.ints.begin(), b.ints.end());
}

// Whether some two samples of the op set attribute k to different values.
bool varies(const std::vector<std::unique_ptr<Case>>& cases, std::size_t k) {
  const auto set = [k](Case& c) { return c.tape().attribute(c.tape().node(c.at), k); };
  return std::any_of(cases.begin(), cases.end(),
                     [&](const auto& c) { return !same_attribute(set(*c), set(*cases[0])); });
}

bool has_empty_input(Case& c) {
  const auto& leaves = c.maker.leaves();
  return std::any_of(leaves.begin(), leaves.end(), [](const auto& l) { return l.value.numel() == 0; });
}

bool has_resized_variants(Case& c) { return make_case(c.sample, c.maker.dtype(), Variant::empty) != nullptr; }

}  // namespace

TEST_CASE("every op has samples, of empty inputs too, and in two settings of every attribute") {
  for (const Op* op : all_ops()) {
    if (is_leaf(*op)) continue;
    const std::string name = op->name;
    std::vector<std::unique_ptr<Case>> cases;
    for (const Sample& sample : all_samples()) {
      if (sample.op != op) continue;
      for (const DType dtype : {DType::f32, DType::f64}) cases.push_back(make_case(sample, dtype));
    }
    CHECK_MESSAGE(!cases.empty(), name << " has no sample; add a row to tests/laws/samples/");
    if (cases.empty()) continue;
    for (std::size_t k = 0; k < op->attr_count(); ++k) {
      if (op->attrs[k].kind == AttrKind::key) continue;
      CHECK_MESSAGE(varies(cases, k),
                    name << ": all samples set '" << std::string(op->attrs[k].name) << "' alike");
    }
    const bool empty = std::any_of(cases.begin(), cases.end(), [](const auto& c) {
      return has_empty_input(*c) || has_resized_variants(*c);
    });
    if (op->arity() > 0) CHECK_MESSAGE(empty, name << " has no sample with an empty input");
  }
}
