#include "kernels/onednn.hpp"

#include "kernels/product.hpp"

#ifdef BACKDROP_ONEDNN
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>

namespace backdrop::kernels {

namespace {

// The first OpenMP of the process, which is oneDNN's too: linking one here could add a second.
struct OpenMp {
  int (*threads)() = find<int (*)()>("omp_get_max_threads");
  void (*set_threads)(int) = find<void (*)(int)>("omp_set_num_threads");

  static const OpenMp& of_onednn() {
    static const OpenMp runtime;
    return runtime;
  }
  explicit operator bool() const { return threads != nullptr && set_threads != nullptr; }

 private:
  template <class F>
  static F find(const char* name) {
    return reinterpret_cast<F>(dlsym(RTLD_DEFAULT, name));
  }
};

// While it lives, oneDNN computes what this thread asks for on this thread alone: it would take as many as
// OpenMP has for this thread, and cut the work by their number. What the program itself set is set again.
class OneThread {
 public:
  OneThread() : before_(OpenMp::of_onednn().threads()) {
    if (before_ != 1) OpenMp::of_onednn().set_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) OpenMp::of_onednn().set_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace

bool has_onednn() {
  static const bool has =
      DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP && OpenMp::of_onednn() &&
      (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
  return has;
}

bool multiply_by_onednn(const Product<float>& p) {
  if (!has_onednn()) return false;
  const auto size = [](std::size_t n) { return static_cast<dnnl_dim_t>(n); };
  const OneThread here;
  return dnnl_sgemm(p.ta ? 'T' : 'N', p.tb ? 'T' : 'N', size(p.m), size(p.n), size(p.k), p.alpha, p.a,
                    size(p.lda), p.b, size(p.ldb), p.add ? 1 : 0, p.y, size(p.ldy)) == dnnl_success;
}

}  // namespace backdrop::kernels

#else

namespace backdrop::kernels {

bool has_onednn() { return false; }
bool multiply_by_onednn(const Product<float>&) { return false; }

}  // namespace backdrop::kernels

#endif
