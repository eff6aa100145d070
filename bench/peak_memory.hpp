#pragma once

#include <fstream>
#include <string>

namespace backdrop::bench {

/// A line of /proc/self/status in MiB: VmRSS is what the process holds, VmHWM the most it held.
inline double mebibytes(const std::string& what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(what + ":")) return std::stod(line.substr(what.size() + 1)) / 1024;
  }
  return 0;
}

/// How far `work` drives up the memory of this process, which should do nothing else and be warm: code and
/// tables of libraries are no part of it.
template <class Work>
double peak_mebibytes(Work work) {
  const double before = mebibytes("VmRSS");
  std::ofstream("/proc/self/clear_refs") << 5;  // VmHWM = VmRSS
  work();
  return mebibytes("VmHWM") - before;
}

}  // namespace backdrop::bench
