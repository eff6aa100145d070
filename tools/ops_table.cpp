// Prints docs/ops.md: every op of the library, from the table that the library itself works by.
#include <backdrop/backdrop.hpp>
#include <bit>
#include <string>

using namespace backdrop;

namespace {

constexpr const char* kHead =
    "# The ops\n"
    "\n"
    "Generated from the op table by `./dev docs`; a test holds it current. Inputs are f32 or f64 unless "
    "their\n"
    "name says otherwise; what only moves numbers or chooses among them takes i64, too, which has no\n"
    "derivative. `p` is the probability of *dropping*. The Jacobian is that of y in each differentiable\n"
    "input. A composite is made of other ops; the last column says how its own kernel and rules agree with\n"
    "those: to the bit, or within so many epsilon of the largest magnitude.\n"
    "\n"
    "| op | inputs | attributes | value | Jacobian | where it has no derivative | composite |\n"
    "| --- | --- | --- | --- | --- | --- | --- |\n";

// In a table, a bar would end the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string_view kind_name(AttrKind kind) {
  constexpr std::string_view kNames[] = {"", "real", "integer", "boolean", "integers", "key", "dtype"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string fallback(const AttrSpec& spec) {
  switch (spec.kind) {
    case AttrKind::real:
      return fmt::format("{}", std::bit_cast<double>(spec.fallback));
    case AttrKind::boolean:
      return spec.fallback != 0 ? "true" : "false";
    case AttrKind::dtype:
      return to_string(static_cast<DType>(spec.fallback));
    default:
      return fmt::format("{}", static_cast<std::int64_t>(spec.fallback));
  }
}

std::string attribute(const AttrSpec& spec) {
  std::string text = fmt::format("{}: {}", spec.name, kind_name(spec.kind));
  if (spec.bounded) text += fmt::format(" in [{}, {}]", spec.low, spec.high);
  if (spec.optional) text += " = " + fallback(spec);
  return text;
}

std::string attributes(const Op& op) {
  std::string text;
  for (std::size_t k = 0; k < op.attr_count(); ++k) {
    if (k > 0) text += ", ";
    text += attribute(op.attrs[k]);
  }
  return text;
}

std::string inputs(const Op& op) {
  std::string text;
  for (std::size_t k = 0; k < op.arity(); ++k) {
    if (k > 0) text += ", ";
    text += op.inputs[k];
  }
  return text;
}

std::string composition(const Op& op) {
  if (!op.is_composite()) return "";
  if (op.exact) return "to the bit";
  if (op.tolerance > 0) return fmt::format("within {} epsilon", op.tolerance);
  return "runs as its body";
}

}  // namespace

int main() {
  fmt::print("{}", kHead);
  for (const Op* op : all_ops()) {
    if (is_leaf(*op)) continue;
    fmt::print("| `{}` | {} | {} | {} | {} | {} | {} |\n", op->name, cell(inputs(*op)), cell(attributes(*op)),
               cell(op->formula), cell(op->jacobian), cell(op->singular), composition(*op));
  }
}
