#include <fmt/format.h>

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/registry.hpp>
#include <iterator>
#include <ostream>

#include "laws.hpp"

namespace backdrop {

namespace {

struct Entry {
  std::string_view name;
  void (*hold)(laws::Bench&);
};

// In the order of OpLaw.
constexpr Entry kLaws[] = {
    {"samples", laws::samples},
    {"attributes", laws::attributes},
    {"reverse", laws::reverse},
    {"forward", laws::forward},
    {"second_order", laws::second_order},
    {"transposed", laws::transposed},
    {"tied", laws::tied},
    {"structure", laws::structure},
    {"sparsity", laws::sparsity},
    {"body", laws::body},
    {"precision", laws::precision},
    {"schedule", laws::schedule},
    {"panels", laws::panels},
    {"purity", laws::purity},
    {"reload", laws::reload},
    {"refold", laws::refold},
    {"batch", laws::batch},
    {"refusals", laws::refusals},
};
static_assert(std::size(kLaws) == static_cast<std::size_t>(OpLaw::refusals) + 1);

bool among(const std::vector<OpLaw>& laws, OpLaw law) {
  return std::find(laws.begin(), laws.end(), law) != laws.end();
}

// Every line after the first further to the right.
std::string indented(const std::string& text) {
  std::string out;
  for (char letter : text) {
    out += letter;
    if (letter == '\n') out += "      ";
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '\n')) out.pop_back();
  return out;
}

}  // namespace

namespace laws {

DType Bench::widest() const {
  const auto& dtypes = options_.dtypes;
  return std::find(dtypes.begin(), dtypes.end(), DType::f64) != dtypes.end() ? DType::f64 : DType::f32;
}

std::vector<const Op*> Bench::own_ops() const {
  std::vector<const Op*> out;
  if (find_op(op_.name) != &op_) out.push_back(&op_);
  for (const Op* op : options_.ops) {
    if (op != &op_ && find_op(op->name) != op) out.push_back(op);
  }
  return out;
}

void Bench::for_each(std::initializer_list<Variant> variants, const std::function<bool(Case&)>& law) {
  for (const OpSample& sample : samples_) {
    for (const DType dtype : options_.dtypes) {
      for (const Variant variant : variants) {
        failed_ = false;
        bool looked = true;
        try {
          const std::unique_ptr<Case> c = make_case(op_, sample, dtype, variant);
          looked = c != nullptr && law(*c);
        } catch (const std::exception& e) {
          note(name_of(op_, sample, dtype, variant) + ": throws: " + e.what());
        }
        if (!looked && !failed_) continue;
        ++result_.cases;
        if (failed_) ++result_.failed;
      }
    }
  }
}

void Bench::fail(const std::string& text) {
  ++result_.failed;
  result_.cases = std::max(result_.cases, result_.failed);
  note(text);
}

void Bench::note(std::string text) {
  failed_ = true;
  if (result_.failures.size() < options_.shown) result_.failures.push_back(std::move(text));
}

SampledCall sampled(Case& c) {
  const Call call = c.tape().call(c.at);
  SampledCall out;
  for (std::size_t k = 0; k < call.arity(); ++k) out.inputs.push_back(call[k]);
  for (std::size_t k = 0; k < c.op().attr_count(); ++k) {
    out.attrs.push_back(c.tape().attribute(call.node, k));
  }
  return out;
}

bool has_derivatives(const Case& c) { return c.float_result() && !c.maker.differentiable().empty(); }

bool draws(const Tape& tape, bool numbers_only) {
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    if (node.op->random && (!numbers_only || is_float(node.dtype))) return true;
  }
  return false;
}

}  // namespace laws

std::string_view name(OpLaw law) { return kLaws[static_cast<std::size_t>(law)].name; }

const OpReport::Result& OpReport::operator[](OpLaw law) const {
  for (const Result& result : laws) {
    if (result.law == law) return result;
  }
  throw ValueError("check_op: the law '" + std::string(name(law)) + "' was not run");
}

bool OpReport::passed() const {
  return std::all_of(laws.begin(), laws.end(), [](const Result& result) { return result.passed(); });
}

std::string to_string(const OpReport& report) {
  std::string out = fmt::format("check_op of {}: {}\n", report.op, report.passed() ? "passed" : "FAILED");
  const auto to = std::back_inserter(out);
  for (const OpReport::Result& r : report.laws) {
    if (r.failed > 0) {
      fmt::format_to(to, "  {:<12} FAILED, {} of {} cases\n", name(r.law), r.failed, r.cases);
    } else if (r.cases == 0) {
      fmt::format_to(to, "  {:<12} does not apply\n", name(r.law));
    } else {
      fmt::format_to(to, "  {:<12} passed, {} case{}\n", name(r.law), r.cases, r.cases == 1 ? "" : "s");
    }
    for (const std::string& failure : r.failures) fmt::format_to(to, "    {}\n", indented(failure));
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const OpReport& report) { return out << to_string(report); }

OpReport check_op(const Op& op, const std::vector<OpSample>& samples, const CheckOpOptions& options) {
  if (samples.empty()) throw ValueError("check_op: there is no sample of " + std::string(op.name));
  OpReport report{op.name, {}};
  for (std::size_t k = 0; k < std::size(kLaws); ++k) {
    const auto law = static_cast<OpLaw>(k);
    if ((!options.laws.empty() && !among(options.laws, law)) || among(options.skip, law)) continue;
    OpReport::Result result{law, 0, 0, {}};
    laws::Bench bench(op, samples, options, result);
    try {
      kLaws[k].hold(bench);
    } catch (const std::exception& e) {
      bench.fail(std::string(op.name) + ": throws: " + e.what());
    }
    report.laws.push_back(std::move(result));
  }
  return report;
}

}  // namespace backdrop
