#pragma once

#include <string>
#include <utility>
#include <vector>

namespace backdrop::bench {

/// Where and with what the figures were taken, as pairs of a word and what it is here.
std::vector<std::pair<std::string, std::string>> environment();

/// Processes that want to run: more than a fraction of one disturbs what is measured.
double load();

}  // namespace backdrop::bench
