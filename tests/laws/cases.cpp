#include "laws/cases.hpp"

#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

namespace backdrop {

void for_each_case(std::initializer_list<Variant> variants, const std::function<void(Case&)>& f) {
  for (const Op* op : all_ops()) {
    for (const OpSample& sample : samples_of(*op)) {
      for (const DType dtype : {DType::f32, DType::f64}) {
        for (const Variant variant : variants) {
          try {
            const std::unique_ptr<Case> c = make_case(*op, sample, dtype, variant);
            if (c != nullptr) f(*c);
          } catch (const std::exception& e) {
            FAIL_CHECK(name_of(*op, sample, dtype, variant) << " throws: " << std::string(e.what()));
          }
        }
      }
    }
  }
}

}  // namespace backdrop
