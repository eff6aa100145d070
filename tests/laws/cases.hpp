#pragma once

#include <functional>
#include <initializer_list>

#include "check_op/cases.hpp"
#include "laws/samples.hpp"

namespace backdrop {

/// Calls `f` with every sample of every op, in f32 and f64 and in these variants. What it throws is a failure
/// of the case.
void for_each_case(std::initializer_list<Variant> variants, const std::function<void(Case&)>& f);

}  // namespace backdrop
