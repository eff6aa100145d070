#pragma once

#include <filesystem>

#include "measure.hpp"
#include "peer.hpp"
#include "result.hpp"
#include "row.hpp"

namespace backdrop::bench {

/// The program that measures libtorch, beside this one; it need not be there.
std::filesystem::path libtorch_program();

/// All contenders of the row in turn, libtorch among them if it is given and knows the row.
Result measure(const Row& row, Peer* libtorch, const Budget& budget);

/// By how many MiB backdrop's part of the row drives up the memory of this process, which has done nothing
/// yet.
double peak_mebibytes_of(const Row& row);

}  // namespace backdrop::bench
