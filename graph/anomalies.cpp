#include "anomalies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "replay.hpp"

namespace backdrop {

namespace {

template <class T>
std::optional<std::size_t> first_where(const Array& y, Anomalies anomalies) {
  const T* data = y.as<T>();
  const T* end = data + y.numel();
  const T* at = anomalies == Anomalies::nan ? std::find_if(data, end, [](T v) { return std::isnan(v); })
                                            : std::find_if(data, end, [](T v) { return !std::isfinite(v); });
  if (at == end) return std::nullopt;
  return static_cast<std::size_t>(at - data);
}

double element_of(const Array& x, std::size_t k) {
  switch (x.dtype) {
    case DType::f32:
      return double{x.as<float>()[k]};
    case DType::f64:
      return x.as<double>()[k];
    case DType::i64:
      return static_cast<double>(x.as<std::int64_t>()[k]);
    default:
      return x.as<std::uint8_t>()[k / 8] >> (k % 8) & 1;
  }
}

// "[1, 2]" for element 6 of shape [3, 4].
std::string position(std::size_t flat, const Shape& shape) {
  std::string out;
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(shape[axis]);
    out = std::to_string(flat % extent) + (out.empty() ? "" : ", ") + out;
    flat /= extent;
  }
  return "[" + out + "]";
}

// Shortest that is read back as the same number; a NaN has no sign here.
std::string number(double v, DType dtype) {
  if (std::isnan(v)) return "nan";
  return dtype == DType::f32 ? fmt::format("{}", static_cast<float>(v)) : fmt::format("{}", v);
}

std::string input_name(const Op& op, std::size_t k) {
  const std::size_t last = op.arity() - 1;
  if (!op.variadic() || k < last) return op.inputs[k];
  const std::string_view stem = op.inputs[last];
  return std::string(stem.substr(0, stem.size() - 3)) + std::to_string(k - last);
}

void append_subject(std::string& out, const Anomaly& a) {
  const auto to = std::back_inserter(out);
  if (a.leaf) {
    const char* what = a.op == "input"      ? "what was fed to input"
                       : a.op == "variable" ? "Variable"
                                            : "constant";
    fmt::format_to(to, "{}{}", what, a.name.empty() ? "" : " '" + a.name + "'");
  } else {
    fmt::format_to(to, "{}{}", a.op, a.name.empty() ? "" : " '" + a.name + "'");
    if (!a.part_of.empty()) fmt::format_to(to, ", part of {}", a.part_of);
    if (a.derivative) out += ", recorded by a derivative";
  }
  if (!a.file.empty()) {
    fmt::format_to(to, "{}{}:{}", a.derivative ? " of " : a.leaf ? ", recorded at " : " at ", a.file, a.line);
  }
  if (!a.scope.empty()) fmt::format_to(to, " in {}", a.scope);
}

}  // namespace

std::optional<std::size_t> first_anomaly(const Array& y, Anomalies anomalies) {
  if (y.dtype == DType::f32) return first_where<float>(y, anomalies);
  if (y.dtype == DType::f64) return first_where<double>(y, anomalies);
  return std::nullopt;
}

Anomaly describe_anomaly(const Call& call, const Array& y, std::size_t element, const RunOptions& options) {
  const Tape& tape = call.tape;
  const Node& node = call.node;
  const Where where = tape.where(node);
  Anomaly out;
  out.op = node.op->name;
  out.name = call.y.name();
  out.scope = tape.scope_of(node);
  if (node.call != 0) out.part_of = tape.opened(node.call).node.op->name;
  out.file = where.file;
  out.line = where.line;
  out.derivative = node.derivative;
  out.leaf = is_leaf(*node.op);
  out.step = options.step;
  out.dtype = y.dtype;
  out.shape = *y.shape;
  out.element = element;
  out.value = element_of(y, element);
  out.first_near = element - std::min<std::size_t>(element, 2);
  for (std::size_t k = out.first_near; k < std::min(element + 3, y.numel()); ++k) {
    out.near.push_back(element_of(y, k));
  }
  for (std::size_t k = 0; k < y.numel(); ++k) out.not_finite += std::isfinite(element_of(y, k)) ? 0 : 1;
  return out;
}

void describe_operands(Anomaly& anomaly, const Call& call, const Array* x) {
  for (std::size_t k = 0; k < call.arity(); ++k) {
    Anomaly::Operand operand{input_name(*call.node.op, k), describe(call[k]), x[k].dtype, *x[k].shape, {}};
    if (call.node.op->block != nullptr) operand.value = element_of(x[k], anomaly.element);
    double least = std::numeric_limits<double>::infinity(), greatest = -least;
    for (std::size_t j = 0; j < x[k].numel(); ++j) {
      const double v = element_of(x[k], j);
      if (std::isfinite(v)) {
        least = std::min(least, v);
        greatest = std::max(greatest, v);
      } else {
        ++operand.not_finite;
      }
    }
    if (least <= greatest) {
      operand.least = least;
      operand.greatest = greatest;
    }
    anomaly.operands.push_back(std::move(operand));
  }
}

std::string to_string(const Anomaly& a) {
  std::string out = "run: the first value that is not finite";
  const auto to = std::back_inserter(out);
  if (a.step) fmt::format_to(to, " at step {}", *a.step);
  out += ": ";
  append_subject(out, a);
  fmt::format_to(to, " {} {} at {}; {} {}: {} of {} not finite", a.leaf ? "is" : "gave",
                 number(a.value, a.dtype), position(a.element, a.shape), to_string(a.dtype),
                 to_string(a.shape), a.not_finite, a.shape.numel());
  out += "\n  there: ";
  for (std::size_t k = 0; k < a.near.size(); ++k) {
    (out += k == 0 ? "" : ", ") += number(a.near[k], a.dtype);
  }
  fmt::format_to(to, ", beginning at {}", position(a.first_near, a.shape));
  for (const Anomaly::Operand& x : a.operands) {
    fmt::format_to(to, "\n  {} = {}, {} {}: ", x.input, x.node, to_string(x.dtype), to_string(x.shape));
    if (x.value) {
      fmt::format_to(to, "{} there", number(*x.value, x.dtype));
    } else if (x.not_finite == x.shape.numel()) {
      out += x.not_finite == 0 ? "empty" : "nothing finite";
    } else {
      fmt::format_to(to, "between {} and {}, {} not finite", number(x.least, x.dtype),
                     number(x.greatest, x.dtype), x.not_finite);
    }
  }
  return out;
}

}  // namespace backdrop
