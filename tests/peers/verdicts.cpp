#include "peers/verdicts.hpp"

#include <fstream>
#include <stdexcept>

namespace backdrop::peers {

namespace {

// "a; b; c"
std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = line.find("; ", begin);
    out.push_back(line.substr(begin, end - begin));
    if (end == std::string::npos) return out;
    begin = end + 2;
  }
}

}  // namespace

Verdicts read_verdicts() {
  std::ifstream file(BACKDROP_PEERS "/verdicts.txt");
  if (!file) throw std::runtime_error("tests/peers/verdicts.txt is missing; ./dev peers writes it");
  Verdicts out;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> row = fields(line);
    const std::string name = row.front();
    row.erase(row.begin());
    if (out.columns.empty()) {
      out.columns = std::move(row);
    } else {
      out.rows.emplace(name, std::move(row));
    }
  }
  return out;
}

}  // namespace backdrop::peers
