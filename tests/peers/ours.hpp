#pragma once

#include <backdrop/graph/gradcheck.hpp>

#include "peers/cases.hpp"

namespace backdrop::peers {

/// gradcheck, as it comes, of an op whose kernel and rules are the case's: full, or second_order where the
/// case is about that.
Report ours(const Case& c);

}  // namespace backdrop::peers
