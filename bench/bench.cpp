// backdrop-bench: what dropout costs beside memcpy of the same array, and what recording and replaying tiny
// ops costs, and checking derivatives. One thread. Samples of the two sides alternate in one process, each
// after an untimed call of the same kind; what is reported is the median of the ratios round by round.

#include <fmt/core.h>

#include <algorithm>
#include <backdrop/backdrop.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bd = backdrop;

namespace {

constexpr int kRounds = 101;

template <class F>
double seconds(F f) {
  f();  // untimed: caches and pages as the timed call finds them
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

class Table {
 public:
  // `run` beside memcpy of n floats
  template <class F>
  void beside_memcpy(const std::string& name, std::size_t n, F run) {
    std::vector<float> from(n, 1), to(n);
    std::vector<double> own, copies, ratios;
    for (int round = 0; round < kRounds; ++round) {
      copies.push_back(seconds([&] { std::memcpy(to.data(), from.data(), n * sizeof(float)); }));
      own.push_back(seconds(run));
      ratios.push_back(own.back() / copies.back());
    }
    const double per_element = 1e9 / static_cast<double>(n);
    add({{"name", name},
         {"threads", 1},
         {"unit", "ns/element"},
         {"backdrop", median(own) * per_element},
         {"memcpy", median(copies) * per_element},
         {"ratio_memcpy", median(ratios)}});
  }

  template <class F>
  void per(const char* unit, const std::string& name, std::size_t count, F run) {
    std::vector<double> own;
    for (int round = 0; round < kRounds; ++round) own.push_back(seconds(run));
    add({{"name", name},
         {"threads", 1},
         {"unit", unit},
         {"backdrop", median(own) * 1e9 / static_cast<double>(count)}});
  }

  void save(const std::filesystem::path& path) const {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << rows_.dump(1) << '\n';
    fmt::print("\n{}\n", path.string());
  }

 private:
  void add(nlohmann::ordered_json row) {
    fmt::print("{:<62} {:9.3f} {}", row["name"].get<std::string>(), row["backdrop"].get<double>(),
               row["unit"].get<std::string>());
    if (row.contains("ratio_memcpy")) fmt::print("  {:6.2f} x memcpy", row["ratio_memcpy"].get<double>());
    fmt::print("\n");
    rows_.push_back(std::move(row));
  }

  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array();
};

void dropout_rows(Table& table, double p, std::int64_t n) {
  bd::Tape tape;
  const bd::Var x = tape.variable("x", bd::Tensor::ones({n}));
  const bd::Var g = tape.variable("g", bd::Tensor::ones({n}));
  const bd::Var drawn = bd::dropout(x, p, bd::Key{42, 0});
  const bd::Var mask = tape.constant(bd::value(bd::dropout_mask(tape, {n}, p, bd::Key{42, 0})));
  const bd::Program forward = bd::compile(tape, {.outputs = {drawn}});
  const bd::Program backward = bd::compile(tape, {.outputs = {bd::vjp(bd::dropout(x, p, mask), x, g)}});
  const std::string size = fmt::format("p={}/n={}", p, n);
  const auto count = static_cast<std::size_t>(n);
  std::uint32_t step = 0;
  table.beside_memcpy("dropout_forward/" + size, count,
                      [&] { forward.run({}, {.step = step++, .threads = 1}); });
  table.beside_memcpy("dropout_backward/" + size, count, [&] { backward.run({}, {.threads = 1}); });
}

void tiny_op_rows(Table& table) {
  constexpr std::size_t kOps = 1000;
  bd::Tape tape;
  const bd::Variable w("w", bd::Tensor({0.5}));
  bd::Var x, y;
  const auto record = [&] {
    tape.clear();
    y = x = tape.variable(w);
    for (std::size_t k = 0; k < kOps; ++k)
      y = k % 3 == 0 ? bd::add(y, x) : k % 3 == 1 ? bd::mul(y, x) : bd::square(y);
  };
  table.per("ns/op", "tiny_op/record", kOps, record);
  record();
  const bd::Program forward = bd::compile(tape, {.outputs = {y}});
  table.per("ns/op", "tiny_op/replay_forward", kOps, [&] { forward.run({}, {.threads = 1}); });
  const bd::Program both = bd::compile(tape, {.outputs = {y, bd::grad(y, x)}});
  table.per("ns/op", "tiny_op/replay_forward_backward", kOps, [&] { both.run({}, {.threads = 1}); });
  table.per("ns/op", "tiny_op/record_compile_run", kOps, [&] {
    record();
    bd::compile(tape, {.outputs = {y, bd::grad(y, x)}}).run({}, {.threads = 1});
  });
}

bd::Tensor numbers(const bd::Shape& shape) {
  std::vector<double> out(shape.numel());
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = static_cast<double>(k * 37 % 101) / 101 - .5;
  return bd::Tensor::from(out, shape);
}

// Per entry of the Jacobian of a small network, in all of its parameters and inputs.
void gradcheck_rows(Table& table) {
  bd::Tape tape;
  const bd::Var x = tape.variable("x", numbers({4, 20}));
  const bd::Var w1 = tape.variable("w1", numbers({20, 50})), b1 = tape.variable("b1", numbers({50}));
  const bd::Var w2 = tape.variable("w2", numbers({50, 10})), b2 = tape.variable("b2", numbers({10}));
  const bd::Var hidden = bd::dropout(bd::relu(bd::matmul(x, w1) + b1), .5, bd::Key{1, 0});
  const bd::Var y = bd::matmul(hidden, w2) + b2;
  const std::vector<bd::Var> inputs{x, w1, b1, w2, b2};
  std::size_t entries = 0;
  for (const bd::Var& v : inputs) entries += y.shape().numel() * v.shape().numel();
  const std::string net = "/mlp 20-50-10, batch 4, f64";
  table.per("ns/entry", "gradcheck/full, extrapolated" + net, entries, [&] { bd::gradcheck(y, inputs); });
  table.per("ns/entry", "gradcheck/full, central" + net, entries,
            [&] { bd::gradcheck(y, inputs, {.extrapolate = false}); });
  table.per("ns/entry", "gradcheck/jacobian" + net, entries, [&] {
    for (const bd::Var& v : inputs) bd::jacobian(y, v);
  });
}

}  // namespace

int main() {
  Table table;
  for (const double p : {0.5, 0.25, 0.1}) dropout_rows(table, p, 1'000'000);
  dropout_rows(table, 0.1, 10'000'000);
  tiny_op_rows(table);
  gradcheck_rows(table);
  table.save("build/bench/results.json");
}
