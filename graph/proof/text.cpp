#include <fmt/format.h>

#include <algorithm>
#include <backdrop/core/op.hpp>
#include <cmath>

#include "proof/normal_form.hpp"

namespace backdrop::proof {

namespace {

constexpr std::size_t kTerms = 8, kDepth = 5, kAtoms = 200, kLetters = 600;

std::string letter(std::size_t k) {
  const std::string one(1, static_cast<char>('a' + (k + 8) % 26));  // i, j, k, ...
  return k < 18 ? one : one + std::to_string(k);
}

std::string attribute_text(const AttrValue& value) {
  switch (value.kind) {
    case AttrKind::real:
      return fmt::format("{}", value.real());
    case AttrKind::integer:
      return fmt::format("{}", value.integer());
    case AttrKind::boolean:
      return value.boolean() ? "true" : "false";
    case AttrKind::key:
      return fmt::format("{}/{}", value.key.seed, value.key.stream);
    case AttrKind::dtype:
      return std::string(name(value.dtype()));
    case AttrKind::ints:
      return fmt::format("[{}]", fmt::join(value.ints, ", "));
    case AttrKind::none:
      break;
  }
  return "";
}

// Recurses to kDepth and no deeper, and writes no more than kAtoms atoms.
class Writer {
 public:
  explicit Writer(const Algebra& algebra) : a_(algebra) {}

  std::string whole(Id value) {
    std::vector<std::string> letters(a_.extents(a_.shape_of(value)).size());
    for (std::string& one : letters) one = letter(next_++);
    std::string text = sum(value, letters, 0);
    if (text.size() > kLetters) text.replace(kLetters, std::string::npos, " ...");
    return text;
  }

 private:
  using Letters = std::vector<std::string>;

  std::string sum(Id value, const Letters& letters, std::size_t depth) {
    const std::vector<Term>& terms = a_.value(value).terms;
    if (terms.empty()) return "0";
    std::string out;
    for (std::size_t k = 0; k < terms.size() && k < kTerms; ++k) {
      const double c = terms[k].coefficient.rounded();
      out += k == 0 ? (c < 0 ? "-" : "") : (c < 0 ? " - " : " + ");
      const std::string rest = product(a_.product(terms[k].product), letters, depth);
      const bool one = c == 1 || c == -1;
      out += rest.empty() ? fmt::format("{}", std::abs(c))
             : one        ? rest
                          : fmt::format("{} * {}", std::abs(c), rest);
    }
    if (terms.size() > kTerms) out += fmt::format(" + {} more terms", terms.size() - kTerms);
    return out;
  }

  std::string product(const Product& factors, const Letters& letters, std::size_t depth) {
    std::string out;
    for (const Factor& factor : factors) {
      Letters own;
      for (std::uint8_t axis : factor.axes) own.push_back(letters[axis]);
      // Letters where they say more than the order of the axes does.
      const bool plain = own == letters;
      out += out.empty() ? "" : " * ";
      out += atom(factor.atom, own, plain, depth);
      if (factor.exponent != 1) out += fmt::format("^{}", factor.exponent);
    }
    return out;
  }

  std::string atom(Id id, const Letters& letters, bool plain, std::size_t depth) {
    const Atom& atom = a_.atom(id);
    if (depth >= kDepth || ++atoms_ > kAtoms) return "(...)";
    if (atom.kind == Atom::Kind::sum) return summed(atom, letters, depth);
    if (atom.kind == Atom::Kind::whole) return fmt::format("({})", sum(atom.args[0], letters, depth + 1));
    if (atom.kind == Atom::Kind::sqrt) return fmt::format("sqrt({})", sum(atom.args[0], letters, depth + 1));
    const Tape& tape = atom.source.tape();
    const Node& node = tape.node(atom.source);
    std::string indices;
    if (!plain && !letters.empty()) indices = fmt::format("[{}]", fmt::join(letters, ","));
    if (is_leaf(*atom.op)) return leaf(tape, atom.source, node) + indices;
    std::string inside;
    for (Id arg : atom.args) {
      Letters own = letters;
      own.resize(a_.extents(a_.shape_of(arg)).size());
      for (std::size_t k = 0; k < own.size(); ++k) {
        if (own[k].empty() || a_.shape_of(arg) != atom.shape) own[k] = letter(next_++);
      }
      inside += (inside.empty() ? "" : ", ") + sum(arg, own, depth + 1);
    }
    for (std::size_t k = 0; atom.op == node.op && k < node.op->attr_count(); ++k) {
      const std::string_view name = node.op->attrs[k].name;
      if (name == "shape" || name == "dtype" || name == "keepdims") continue;
      inside +=
          fmt::format("{}{}={}", inside.empty() ? "" : ", ", name, attribute_text(tape.attribute(node, k)));
    }
    return fmt::format("{}({}){}", atom.op->name, inside, indices);
  }

  std::string summed(const Atom& atom, Letters letters, std::size_t depth) {
    Letters over;
    for (std::size_t k = 0; k < atom.summed; ++k) over.push_back(letter(next_++));
    letters.insert(letters.end(), over.begin(), over.end());
    return fmt::format("sum over {} of ({})", fmt::join(over, ", "),
                       product(a_.product(atom.args[0]), letters, depth + 1));
  }

  static std::string leaf(const Tape& tape, Var v, const Node& node) {
    if (node.op == &variable_op) return tape.variable_of(node).name();
    if (!v.name().empty()) return std::string(v.name());
    if (node.op == &constant_op && tape.constant_of(node).numel() <= 8)
      return to_string(tape.constant_of(node));
    return fmt::format("constant:{}", node.line);
  }

  const Algebra& a_;
  std::size_t next_ = 0, atoms_ = 0;
};

}  // namespace

std::string NormalForm::text(Id value) const { return Writer(algebra_).whole(value); }

}  // namespace backdrop::proof
