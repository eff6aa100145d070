#pragma once

namespace backdrop::kernels {

/// Whether oneDNN is here and has code for this processor that OpenBLAS lacks: AVX-512.
bool has_onednn();

/// While it lives, oneDNN computes what this thread asks for on this thread alone: it would take as many as
/// OpenMP has for this thread, and cut the work by their number. What the program itself set is set again.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace backdrop::kernels
