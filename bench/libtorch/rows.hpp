#pragma once

#include <functional>
#include <map>
#include <string>

namespace backdrop::bench {

/// What libtorch does for the rows of the table, by their names. Each function sets things up and returns the
/// work to measure.
using TorchRows = std::map<std::string, std::function<std::function<void()>()>>;

TorchRows torch_rows();

}  // namespace backdrop::bench
