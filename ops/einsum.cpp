#include <algorithm>
#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/matmul.hpp>
#include <backdrop/ops/reduce.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace backdrop {

namespace {

// A label for each axis: a letter, or for the axes of an ellipsis their distance from its end. Those are
// below every letter.
using Labels = std::string;

constexpr std::string_view kEllipsis = "...";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool has(const Labels& labels, char label) { return labels.find(label) != Labels::npos; }

// The axes of an ellipsis, from the left.
Labels ellipsis_labels(std::size_t axes) {
  Labels out;
  for (std::size_t k = axes; k-- > 0;) out += static_cast<char>(k);
  return out;
}

std::string text(char label) {
  if (is_letter(label)) return "'" + std::string(1, label) + "'";
  return "axis -" + std::to_string(int{label} + 1) + " of '...'";
}

struct Term {
  Var v;
  Labels labels;
};

class Einsum {
 public:
  Einsum(std::string_view equation, const std::vector<Var>& operands, Where where)
      : equation_(equation), where_(where) {
    std::string plain(equation);
    plain.erase(std::remove(plain.begin(), plain.end(), ' '), plain.end());
    const std::size_t arrow = plain.find("->");
    const std::vector<std::string> inputs = split_at_commas(plain.substr(0, arrow));
    if (operands.empty() || inputs.size() != operands.size()) {
      throw ValueError(begin() + " names " + std::to_string(inputs.size()) + " operands, and " +
                       std::to_string(operands.size()) + " are given");
    }
    terms_.reserve(inputs.size());
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      terms_.push_back({operands[k], labels_of(inputs[k], k, operands[k].shape().rank())});
      measure(k);
    }
    output_ = arrow == std::string::npos ? implicit_output() : explicit_output(plain.substr(arrow + 2));
  }

  Var record() {
    for (Term& term : terms_) term = simplified(term);
    Term all = terms_[0];
    for (std::size_t k = 1; k < terms_.size(); ++k) {
      Labels wanted = output_;
      for (std::size_t later = k + 1; later < terms_.size(); ++later) wanted += terms_[later].labels;
      all = contracted(all, terms_[k], wanted);
    }
    return aligned(summed(all, output_), output_);
  }

 private:
  std::string begin() const { return "einsum: \"" + equation_ + "\""; }

  static std::vector<std::string> split_at_commas(const std::string& list) {
    std::vector<std::string> out(1);
    for (char c : list) {
      if (c == ',') {
        out.emplace_back();
      } else {
        out.back() += c;
      }
    }
    return out;
  }

  // One side of the equation with `axes` axes for its ellipsis.
  Labels parsed(const std::string& side, std::size_t axes) const {
    Labels out;
    bool seen = false;
    for (std::size_t k = 0; k < side.size(); ++k) {
      if (is_letter(side[k])) {
        out += side[k];
      } else if (!seen && side.compare(k, kEllipsis.size(), kEllipsis) == 0) {
        out += ellipsis_labels(axes);
        k += kEllipsis.size() - 1;
        seen = true;
      } else {
        throw ValueError(begin() + " does not parse at \"" + side.substr(k) +
                         "\"; use letters and one '...'");
      }
    }
    return out;
  }

  Labels labels_of(const std::string& side, std::size_t k, std::size_t rank) {
    const std::size_t letters = parsed(side, 0).size();
    const bool open = side.find(kEllipsis) != std::string::npos;
    if (letters > rank || (!open && letters < rank)) {
      throw ValueError(begin() + " names " + std::to_string(letters) + " axes of operand " +
                       std::to_string(k) + ", which has " + std::to_string(rank));
    }
    if (open) ellipsis_ = std::max(ellipsis_, rank - letters);
    return parsed(side, rank - letters);
  }

  // Notes the extents of operand k. Of two extents of a label one may be 1, but not within an operand.
  void measure(std::size_t k) {
    const Term& term = terms_[k];
    const Shape& shape = term.v.shape();
    for (std::size_t axis = 0; axis < term.labels.size(); ++axis) {
      const char label = term.labels[axis];
      const std::size_t first = term.labels.find(label);
      if (shape[first] != shape[axis]) throw_extents(label, shape[first], shape[axis], k);
      const auto [known, is_new] = extents_.try_emplace(label, shape[axis]);
      if (is_new || known->second == shape[axis] || shape[axis] == 1) continue;
      if (known->second != 1) throw_extents(label, known->second, shape[axis], k);
      known->second = shape[axis];
    }
  }

  [[noreturn]] void throw_extents(char label, std::int64_t a, std::int64_t b, std::size_t k) const {
    throw ShapeError(begin() + ": " + text(label) + " is " + std::to_string(a) + " and, in operand " +
                     std::to_string(k) + ", " + std::to_string(b));
  }

  Labels implicit_output() const {
    Labels out = ellipsis_labels(ellipsis_);
    for (const auto& [label, extent] : extents_) {  // in the order of letters
      std::ptrdiff_t count = 0;
      for (const Term& term : terms_) count += std::count(term.labels.begin(), term.labels.end(), label);
      if (is_letter(label) && count == 1) out += label;
    }
    return out;
  }

  Labels explicit_output(const std::string& side) const {
    Labels out = parsed(side, ellipsis_);
    for (std::size_t k = 0; k < out.size(); ++k) {
      if (extents_.count(out[k]) == 0) throw ValueError(begin() + ": " + text(out[k]) + " is in no operand");
      if (out.find(out[k]) != k) throw ValueError(begin() + ": " + text(out[k]) + " is twice in the output");
    }
    return out;
  }

  std::int64_t extent(char label) const { return extents_.at(label); }
  std::vector<std::int64_t> extents(const Labels& labels) const {
    std::vector<std::int64_t> out;
    out.reserve(labels.size());
    for (char label : labels) out.push_back(extent(label));
    return out;
  }
  std::int64_t size(const Labels& labels) const {
    std::int64_t n = 1;
    for (char label : labels) n *= extent(label);
    return n;
  }

  // Each label once, and none that broadcasts from 1.
  Term simplified(Term term) const {
    for (std::size_t k = 0; k < term.labels.size();) {
      const std::size_t other = term.labels.find(term.labels[k], k + 1);
      if (other == Labels::npos) {
        ++k;
      } else {
        term = diagonal(term, k, other);
      }
    }
    std::vector<std::int64_t> dropped;
    Labels left;
    for (std::size_t k = 0; k < term.labels.size(); ++k) {
      if (term.v.shape()[k] == extent(term.labels[k])) {
        left += term.labels[k];
      } else {
        dropped.push_back(static_cast<std::int64_t>(k));
      }
    }
    if (dropped.empty()) return term;
    return {squeeze(term.v, dropped, where_), left};
  }

  // Axes a and b, which have one label, become one, the last: every (n+1)-th element of n^2.
  Term diagonal(const Term& term, std::size_t a, std::size_t b) const {
    const Shape from = term.v.shape();
    const std::int64_t n = from[a];
    std::vector<std::int64_t> order, flat;
    Labels labels;
    for (std::size_t k = 0; k < from.rank(); ++k) {
      if (k == a || k == b) continue;
      order.push_back(static_cast<std::int64_t>(k));
      flat.push_back(from[k]);
      labels += term.labels[k];
    }
    order.push_back(static_cast<std::int64_t>(a));
    order.push_back(static_cast<std::int64_t>(b));
    flat.push_back(n * n);
    labels += term.labels[a];
    std::vector<std::int64_t> starts(flat.size(), 0), stops(flat.size(), kEnd), steps(flat.size(), 1);
    steps.back() = n + 1;
    const Var pairs = reshape(transpose(term.v, order, where_), flat, where_);
    return {slice(pairs, starts, stops, steps, where_), labels};
  }

  // Without the labels that are not wanted.
  Term summed(const Term& term, const Labels& wanted) const {
    std::vector<std::int64_t> axes;
    Labels left;
    for (std::size_t k = 0; k < term.labels.size(); ++k) {
      if (has(wanted, term.labels[k])) {
        left += term.labels[k];
      } else {
        axes.push_back(static_cast<std::int64_t>(k));
      }
    }
    if (axes.empty()) return term;
    return {sum(term.v, axes, false, where_), left};
  }

  Var aligned(const Term& term, const Labels& order) const {
    if (term.labels == order) return term.v;
    std::vector<std::int64_t> axes;
    axes.reserve(order.size());
    for (char label : order) axes.push_back(static_cast<std::int64_t>(term.labels.find(label)));
    return transpose(term.v, axes, where_);
  }

  Var shaped(Var v, const std::vector<std::int64_t>& to) const {
    return std::ranges::equal(v.shape().extents(), to) ? v : reshape(v, to, where_);
  }

  // The product of two terms, summed over the labels of both that are not wanted any more.
  Term contracted(Term a, Term b, const Labels& wanted) const {
    a = summed(a, wanted + b.labels);
    b = summed(b, wanted + a.labels);
    Labels batch, inner, left, right;
    for (char label : a.labels) (!has(b.labels, label) ? left : has(wanted, label) ? batch : inner) += label;
    for (char label : b.labels) {
      if (!has(a.labels, label)) right += label;
    }
    const Labels result = batch + left + right;
    if (inner.empty()) return {multiplied(a, b, batch, left, right), result};
    if (left.empty() && right.empty()) {
      std::vector<std::int64_t> axes;
      for (std::size_t k = 0; k < inner.size(); ++k)
        axes.push_back(static_cast<std::int64_t>(batch.size() + k));
      const Var terms = mul(aligned(a, batch + inner), aligned(b, batch + inner), where_);
      return {sum(terms, axes, false, where_), result};
    }
    const bool ta = a.labels == batch + inner + left, tb = b.labels == batch + right + inner;
    const Var x = ta ? a.v : aligned(a, batch + left + inner),
              y = tb ? b.v : aligned(b, batch + inner + right);
    const auto matrices = [&](Var v, const Labels& rows, const Labels& columns) {
      std::vector<std::int64_t> to{size(batch), size(rows), size(columns)};
      if (batch.empty()) to.erase(to.begin());
      return shaped(v, to);
    };
    const Var product = matmul(ta ? matrices(x, inner, left) : matrices(x, left, inner),
                               tb ? matrices(y, right, inner) : matrices(y, inner, right), {ta, tb}, where_);
    return {shaped(product, extents(result)), result};
  }

  // Elementwise over `batch`, every combination over the others.
  Var multiplied(const Term& a, const Term& b, const Labels& batch, const Labels& left,
                 const Labels& right) const {
    std::vector<std::int64_t> of_a = extents(batch + left), of_b = extents(batch);
    of_a.insert(of_a.end(), right.size(), 1);
    of_b.insert(of_b.end(), left.size(), 1);
    for (char label : right) of_b.push_back(extent(label));
    return mul(shaped(aligned(a, batch + left), of_a), shaped(aligned(b, batch + right), of_b), where_);
  }

  std::string equation_;
  Where where_;
  std::vector<Term> terms_;
  std::map<char, std::int64_t> extents_;
  std::size_t ellipsis_ = 0;  // axes of the longest one
  Labels output_;
};

}  // namespace

Var einsum(std::string_view equation, const std::vector<Var>& operands, Where where) {
  if (operands.empty()) throw ValueError("einsum: no operands");
  return all_or_nothing(operands[0].tape(), [&] { return Einsum(equation, operands, where).record(); });
}

}  // namespace backdrop
