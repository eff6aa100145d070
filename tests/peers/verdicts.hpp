#pragma once

#include <map>
#include <string>
#include <vector>

namespace backdrop::peers {

/// What others say of the cases: verdicts.txt, which ./dev peers writes.
struct Verdicts {
  std::vector<std::string> columns;                      ///< who says so
  std::map<std::string, std::vector<std::string>> rows;  ///< by the name of the case
};
Verdicts read_verdicts();

}  // namespace backdrop::peers
