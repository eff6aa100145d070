#include "replay.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/gradient.hpp>
#include <cmath>

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

}  // namespace

std::vector<Tensor> jacobians_by_rows(const Replay& replay, Var y, std::span<const Var> xs,
                                      const JacobianOptions& options) {
  Tape& tape = replay.tape();
  const Tape::Mark before = tape.mark();
  const Var seed = tape.input("cotangent", y.shape(), y.dtype());
  Compiled program(replay, vjp(y, xs, seed), {&seed, 1}, options.optimize);
  const std::size_t rows = y.shape().numel() / options.blocks;
  std::vector<Tensor> out;
  for (Var x : xs) out.push_back(matrix(y.shape().numel(), x.shape().numel() / options.blocks, x.dtype()));
  Tensor& cotangent = program.input(replay.inputs().size());
  const auto seed_all = [&](std::size_t row, bool on) {
    for (std::size_t b = 0; b < options.blocks; ++b) {
      set_element(cotangent, b * rows + row, on ? seed_of(b, options) : 0);
    }
  };
  std::vector<double> row;
  for (std::size_t i = 0; i < rows; ++i) {
    seed_all(i, true);
    const Outputs run = program.run();
    for (std::size_t k = 0; k < xs.size(); ++k) {
      const std::size_t columns = xs[k].shape().numel() / options.blocks;
      row.resize(columns * options.blocks);
      read_elements(run[k], row);
      for (std::size_t b = 0; b < options.blocks; ++b) {
        write_run(out[k], (b * rows + i) * columns, std::span(row).subspan(b * columns, columns),
                  1 / seed_of(b, options));
      }
    }
    seed_all(i, false);
  }
  tape.rewind(before);
  return out;
}

std::vector<Tensor> jacobians_by_columns(const Replay& replay, Var y, std::span<const Var> xs,
                                         const JacobianOptions& options) {
  Tape& tape = replay.tape();
  std::vector<Tensor> out;
  const std::size_t m = y.shape().numel(), rows = m / options.blocks;
  for (Var x : xs) {
    const Tape::Mark before = tape.mark();
    const Var seed = tape.input("tangent", x.shape(), x.dtype());
    Compiled program(replay, {jvp(y, x, seed)}, {&seed, 1}, options.optimize);
    const std::size_t columns = x.shape().numel() / options.blocks;
    Tensor dense = matrix(m, columns, y.dtype());
    Tensor& tangent = program.input(replay.inputs().size());
    const auto seed_all = [&](std::size_t column, bool on) {
      for (std::size_t b = 0; b < options.blocks; ++b) {
        set_element(tangent, b * columns + column, on ? seed_of(b, options) : 0);
      }
    };
    for (std::size_t j = 0; j < columns; ++j) {
      seed_all(j, true);
      const Outputs run = program.run();
      for (std::size_t i = 0; i < m; ++i) {
        set_element(dense, i * columns + j, run[0].at(i) / seed_of(i / rows, options));
      }
      seed_all(j, false);
    }
    out.push_back(std::move(dense));
    tape.rewind(before);
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
