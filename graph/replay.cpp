#include "replay.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/gradient.hpp>
#include <backdrop/graph/vmap.hpp>
#include <cmath>
#include <functional>

namespace backdrop {

namespace {

// Which nodes depend on the inputs, and which of the others are used by them.
struct Partition {
  std::vector<bool> moving;           // depends on the inputs, and the roots need it
  std::vector<std::uint32_t> frozen;  // used by moving nodes, or roots themselves
};

Partition partition(const Tape& tape, std::span<const Var> roots, std::span<const Var> inputs) {
  const std::size_t n = tape.size();
  std::vector<bool> cut(n, false), live(n, false), frozen(n, false);
  for (Var x : inputs) cut[x.index()] = true;
  for (Var root : roots) live[root.index()] = true;
  for (std::size_t i = n; i-- > 0;) {
    if (!live[i] || cut[i]) continue;
    for (std::uint32_t input : tape.node(i).inputs()) live[input] = true;
  }
  Partition out{std::vector<bool>(n, false), {}};
  for (std::size_t i = 0; i < n; ++i) {
    if (!live[i]) continue;
    const auto from = tape.node(i).inputs();
    out.moving[i] =
        cut[i] || std::any_of(from.begin(), from.end(), [&](std::uint32_t k) { return out.moving[k]; });
    if (!out.moving[i] || cut[i]) continue;
    for (std::uint32_t k : from) frozen[k] = frozen[k] || !out.moving[k];
  }
  for (Var root : roots) frozen[root.index()] = frozen[root.index()] || !out.moving[root.index()];
  for (std::size_t i = 0; i < n; ++i) {
    if (frozen[i]) out.frozen.push_back(static_cast<std::uint32_t>(i));
  }
  return out;
}

Tensor with(Replay::Precision precision, const Tensor& tensor) {
  const bool promote = precision == Replay::Precision::f64 && tensor.dtype() == DType::f32;
  return promote ? tensor.to(DType::f64) : tensor;
}

Var record_with(Replay::Precision precision, Tape& to, const Tape& from, std::size_t index,
                std::span<const Var> inputs) {
  const Node& node = from.node(index);
  AttrValue attrs[kMaxAttrs];
  const std::size_t count = node.op->attr_count();
  for (std::size_t k = 0; k < count; ++k) {
    attrs[k] = from.attribute(node, k);
    const bool promote = precision == Replay::Precision::f64 && attrs[k].kind == AttrKind::dtype &&
                         attrs[k].dtype() == DType::f32;
    if (promote) attrs[k] = AttrValue(DType::f64);
  }
  const Var v = to.record(*node.op, inputs, {attrs, count}, Where{});
  to.set_place(v, from, node);
  if (const std::string_view name = from.name(index); !name.empty()) to.set_name(v, name);
  return v;
}

}  // namespace

Replay::Replay(std::span<const Var> roots, std::span<const Var> inputs, const ValueOptions& options,
               Precision precision)
    : tape_(std::make_unique<Tape>()), step_(options.step) {
  const Tape& from = roots[0].tape();
  for (Var v : roots) from.check(v);
  for (Var x : inputs) {
    from.check(x);
    if (!is_float(x.dtype())) {
      throw DTypeError("check: input '" + describe(x) + "' is " + to_string(x.dtype()) +
                       "; only f32 and f64 carry derivatives");
    }
  }
  const Partition parts = partition(from, roots, inputs);
  std::vector<Var> wanted(inputs.begin(), inputs.end());
  for (std::uint32_t i : parts.frozen) wanted.push_back(from.var(i));
  const std::vector<Tensor> values = value(wanted, options);

  std::vector<Var> to(from.size());
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (to[inputs[k].index()]) throw ValueError("check: input '" + describe(inputs[k]) + "' is given twice");
    at_.push_back(with(precision, values[k]));
    to[inputs[k].index()] = tape_->input(std::to_string(k), at_[k].shape(), at_[k].dtype());
    inputs_.push_back(to[inputs[k].index()]);
  }
  for (std::size_t k = 0; k < parts.frozen.size(); ++k) {
    to[parts.frozen[k]] = tape_->constant(with(precision, values[inputs.size() + k]));
  }
  std::vector<Var> operands;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!parts.moving[i] || to[i]) continue;
    operands.clear();
    for (std::uint32_t k : from.node(i).inputs()) operands.push_back(to[k]);
    to[i] = record_with(precision, *tape_, from, i, operands);
  }
  for (Var root : roots) roots_.push_back(to[root.index()]);
}

Compiled::Compiled(const Replay& replay, const std::vector<Var>& outputs, std::span<const Var> more_inputs,
                   bool optimize)
    : program_(compile(replay.tape(), {.outputs = outputs, .updates = {}, .optimize = optimize})),
      step_(replay.step()) {
  for (Var x : replay.inputs()) names_.emplace_back(x.name());
  for (Var x : more_inputs) names_.emplace_back(x.name());
  for (std::size_t k = 0; k < replay.inputs().size(); ++k) feeds_.emplace_back(names_[k], replay.at()[k]);
  for (Var x : more_inputs) {
    feeds_.emplace_back(names_[feeds_.size()], Tensor::zeros(x.shape(), x.dtype()));
  }
}

void set_element(Tensor& tensor, std::size_t flat, double number) {
  if (tensor.dtype() == DType::f32) {
    tensor.mutable_data<float>()[flat] = static_cast<float>(number);
  } else {
    tensor.mutable_data<double>()[flat] = number;
  }
}

void read_elements(const Tensor& tensor, std::span<double> out) {
  if (tensor.dtype() == DType::f32) {
    std::ranges::copy(tensor.data<float>(), out.begin());
  } else {
    std::ranges::copy(tensor.data<double>(), out.begin());
  }
}

namespace {

double seed_of(std::size_t block, const JacobianOptions& options) {
  if (!options.various_seeds) return 1;
  const std::uint64_t bits = (block + 1) * 0x9E3779B97F4A7C15U;
  const double size = std::exp2(static_cast<double>(bits >> 60 & 7) - 4);  // 1/16 ... 8
  return bits >> 63 != 0 ? -size : size;
}

// Elements from `first` on = numbers * factor.
void write_run(Tensor& tensor, std::size_t first, std::span<const double> numbers, double factor) {
  const auto write = [&]<class T>(std::span<T> out) {
    for (std::size_t j = 0; j < numbers.size(); ++j) out[first + j] = static_cast<T>(numbers[j] * factor);
  };
  if (tensor.dtype() == DType::f32) {
    write(tensor.mutable_data<float>());
  } else {
    write(tensor.mutable_data<double>());
  }
}

Tensor matrix(std::size_t rows, std::size_t columns, DType dtype) {
  return Tensor::zeros({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}, dtype);
}

// Products of a Jacobian with several seeds in one run: a lane for each.
class Products {
 public:
  using Record = std::function<std::vector<Var>(Var seed)>;

  Products(const Replay& replay, Var along, std::size_t lanes, bool optimize, const Record& record)
      : lanes_(lanes), size_(along.shape().numel()), at_(replay.inputs().size()) {
    Tape& tape = replay.tape();
    const Tape::Mark before = tape.mark();
    Var seed = tape.input("seed", along.shape(), along.dtype());
    std::vector<Var> products = record(seed);
    if (lanes > 1) {
      std::vector<std::int64_t> extents{static_cast<std::int64_t>(lanes)};
      extents.insert(extents.end(), along.shape().begin(), along.shape().end());
      const Var seeds = tape.input("seeds", Shape(std::move(extents)), along.dtype());
      products = vmap(products, {&seed, 1}, {&seeds, 1});
      seed = seeds;
    }
    program_ = std::make_unique<Compiled>(replay, products, std::span<const Var>(&seed, 1), optimize);
    tape.rewind(before);
  }

  std::size_t lanes() const { return lanes_; }
  void seed(std::size_t lane, std::size_t element, double number) {
    set_element(program_->input(at_), lane * size_ + element, number);
  }
  Outputs run() const { return program_->run(); }

  // As many as fit into the nearer caches, and are wanted.
  static std::size_t lanes_for(std::size_t numbers, std::size_t wanted) {
    constexpr std::size_t kNumbers = 1 << 15, kMost = 32;
    const std::size_t fit = std::clamp<std::size_t>(kNumbers / std::max<std::size_t>(numbers, 1), 1, kMost);
    return std::clamp<std::size_t>(wanted, 1, fit);
  }

 private:
  std::size_t lanes_, size_, at_;
  std::unique_ptr<Compiled> program_;
};

std::size_t numel(std::span<const Var> xs) {
  std::size_t sum = 0;
  for (Var x : xs) sum += x.shape().numel();
  return sum;
}

}  // namespace

std::vector<Tensor> jacobians_by_rows(const Replay& replay, Var y, std::span<const Var> xs,
                                      const JacobianOptions& options) {
  const std::size_t m = y.shape().numel(), rows = m / options.blocks;
  std::vector<Tensor> out;
  for (Var x : xs) out.push_back(matrix(m, x.shape().numel() / options.blocks, x.dtype()));
  Products products(replay, y, Products::lanes_for(m + numel(xs), rows), options.optimize,
                    [&](Var seed) { return vjp(y, xs, seed); });
  std::vector<double> found;
  for (std::size_t first = 0; first < rows; first += products.lanes()) {
    const std::size_t count = std::min(products.lanes(), rows - first);
    const auto seed_all = [&](bool on) {
      for (std::size_t lane = 0; lane < count; ++lane) {
        for (std::size_t b = 0; b < options.blocks; ++b) {
          products.seed(lane, b * rows + first + lane, on ? seed_of(b, options) : 0);
        }
      }
    };
    seed_all(true);
    const Outputs run = products.run();
    for (std::size_t k = 0; k < xs.size(); ++k) {
      const std::size_t columns = xs[k].shape().numel() / options.blocks;
      found.resize(run[k].numel());
      read_elements(run[k], found);
      for (std::size_t lane = 0; lane < count; ++lane) {
        for (std::size_t b = 0; b < options.blocks; ++b) {
          write_run(out[k], (b * rows + first + lane) * columns,
                    std::span(found).subspan((lane * options.blocks + b) * columns, columns),
                    1 / seed_of(b, options));
        }
      }
    }
    seed_all(false);
  }
  return out;
}

std::vector<Tensor> jacobians_by_columns(const Replay& replay, Var y, std::span<const Var> xs,
                                         const JacobianOptions& options) {
  const std::size_t m = y.shape().numel(), rows = m / options.blocks;
  std::vector<Tensor> out;
  std::vector<double> found;
  for (Var x : xs) {
    const std::size_t columns = x.shape().numel() / options.blocks;
    Products products(replay, x, Products::lanes_for(m + x.shape().numel(), columns), options.optimize,
                      [&](Var seed) { return std::vector<Var>{jvp(y, x, seed)}; });
    Tensor dense = matrix(m, columns, y.dtype());
    for (std::size_t first = 0; first < columns; first += products.lanes()) {
      const std::size_t count = std::min(products.lanes(), columns - first);
      const auto seed_all = [&](bool on) {
        for (std::size_t lane = 0; lane < count; ++lane) {
          for (std::size_t b = 0; b < options.blocks; ++b) {
            products.seed(lane, b * columns + first + lane, on ? seed_of(b, options) : 0);
          }
        }
      };
      seed_all(true);
      const Outputs run = products.run();
      found.resize(run[0].numel());
      read_elements(run[0], found);
      for (std::size_t lane = 0; lane < count; ++lane) {
        for (std::size_t i = 0; i < m; ++i) {
          set_element(dense, i * columns + first + lane, found[lane * m + i] / seed_of(i / rows, options));
        }
      }
      seed_all(false);
    }
    out.push_back(std::move(dense));
  }
  return out;
}

std::string describe(Var v) {
  if (!v.name().empty()) return std::string(v.name());
  const Node& node = v.tape().node(v);
  const Where where = v.tape().where(node);
  return std::string(node.op->name) + " at " + where.file + ":" + std::to_string(where.line);
}

}  // namespace backdrop
