#include <dlfcn.h>
#include <doctest/doctest.h>

#include <atomic>
#include <backdrop/backdrop.hpp>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "laws/cases.hpp"

// Every allocation of this program, also those of operator new and of the libraries, goes through these.
namespace {

std::atomic<bool> counting{false};
std::atomic<int> allocations{0};
std::atomic<int> lent{0};  // to a library of products, and not yet given back

// oneDNN packs the operands of a product into memory from malloc, whoever calls it and however, and so does
// OpenBLAS in some kernels for AVX-512: that is lent to them until they return.
bool is_library_of_products(const void* caller) {
  Dl_info found{};
  if (dladdr(caller, &found) == 0) return false;
  const std::string_view file = found.dli_fname;
  return file.find("/libdnnl.") != std::string_view::npos ||
         file.find("/libopenblas") != std::string_view::npos;
}

void count(const void* caller) {
  if (!counting.load(std::memory_order_relaxed)) return;
  (is_library_of_products(caller) ? lent : allocations).fetch_add(1, std::memory_order_relaxed);
}
void count_return(const void* memory, const void* caller) {
  if (memory == nullptr || !counting.load(std::memory_order_relaxed)) return;
  if (is_library_of_products(caller)) lent.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t size) noexcept {
  count(__builtin_return_address(0));
  return __libc_malloc(size);
}
void* calloc(std::size_t items, std::size_t size) noexcept {
  count(__builtin_return_address(0));
  return __libc_calloc(items, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  count(__builtin_return_address(0));
  return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) noexcept {
  count(__builtin_return_address(0));
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}
void free(void* memory) noexcept {
  count_return(memory, __builtin_return_address(0));
  __libc_free(memory);
}
}

using namespace backdrop;

namespace {

// Allocations of the third run: the first makes the workspace, the second may still find its final memory.
int allocations_of_a_run(const Program& program, std::span<const Feed> feeds, int threads,
                         Anomalies anomalies = Anomalies::ignore) {
  const RunOptions options{.step = 3, .threads = threads, .anomalies = anomalies};
  for (int k = 0; k < 2; ++k) program.run(feeds, options);
  allocations = 0;
  lent = 0;
  counting = true;
  program.run(feeds, options);
  counting = false;
  CHECK(lent == 0);
  return allocations;
}

Program compiled(Case& c) {
  const std::vector<Var> vars = results(c);
  return compile(c.tape(), {.outputs = vars, .updates = {}});
}

struct Training {
  Tape tape;
  std::vector<Update> updates;
  Var loss;
};

// Two layers with dropout, and gradient descent with momentum.
void record(Training& t) {
  const Var x = t.tape.input("a batch of examples, under a name of more than fifteen letters", {32, 20});
  const Var target = t.tape.input("the targets, likewise under a long name", {32, 4});
  const Variable w1("w1", Tensor::full({20, 50}, 0.1)), w2("w2", Tensor::full({50, 4}, 0.1));
  const Variable m1("m1", Tensor::zeros({20, 50})), m2("m2", Tensor::zeros({50, 4}));
  Keys keys(7);
  const Var a = t.tape.variable(w1), b = t.tape.variable(w2);
  const Var hidden = dropout(square(matmul(x, a)), 0.5, keys.next());
  t.loss = sum(square(add(matmul(hidden, b), scale(target, -1))));
  const auto [ga, gb] = grad(t.loss, a, b);
  const Var na = add(scale(t.tape.variable(m1), 0.9), ga), nb = add(scale(t.tape.variable(m2), 0.9), gb);
  t.updates = {{m1, na}, {m2, nb}, {w1, add(a, scale(na, -1e-6))}, {w2, add(b, scale(nb, -1e-6))}};
}

int allocations_of_training(int threads, Anomalies anomalies = Anomalies::ignore) {
  Training t;
  record(t);
  const Program program = compile(t.tape, {.outputs = {t.loss}, .updates = t.updates});
  const Feed feeds[] = {
      {"a batch of examples, under a name of more than fifteen letters", Tensor::ones({32, 20})},
      {"the targets, likewise under a long name", Tensor::ones({32, 4})}};
  return allocations_of_a_run(program, feeds, threads, anomalies);
}

}  // namespace

TEST_CASE("allocations are counted") {
  counting = true;
  const std::unique_ptr<int> one = std::make_unique<int>(1);
  const Tensor other = Tensor::zeros({3});
  counting = false;
  CHECK(allocations >= 2);
}

TEST_CASE("from the third run on, a run on one thread allocates nothing") {
  for_each_case({Variant::as_written, Variant::large}, [](Case& c) {
    const Program program = compiled(c);
    const int count = allocations_of_a_run(program, c.maker.feeds(), 1);
    CHECK_MESSAGE(count == 0, c.name() << ": " << count << " allocations");
  });
}

TEST_CASE("from the third run on, a training step on one thread allocates nothing") {
  CHECK(allocations_of_training(1) == 0);
  CHECK(allocations_of_training(1, Anomalies::nan_or_inf) == 0);
}

// The scheduler's tasks come from its own memory; it is asked for more only now and then.
TEST_CASE("on two threads a run allocates at most what the scheduler needs to start its tasks") {
  int most = 0;
  for_each_case({Variant::large}, [&](Case& c) {
    const Program program = compiled(c);
    most = std::max(most, allocations_of_a_run(program, c.maker.feeds(), 2));
  });
  MESSAGE("at most " << most << " allocations in a run on two threads");
  MESSAGE(allocations_of_training(2) << " allocations in a training step on two threads");
  CHECK(most <= 64);
}
