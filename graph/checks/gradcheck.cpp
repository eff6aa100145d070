#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/gradcheck.hpp>
#include <backdrop/graph/gradient.hpp>

#include "block_structure.hpp"
#include "checks/checking.hpp"
#include "checks/difference_jacobian.hpp"

namespace backdrop {

namespace checking {

namespace {

// More are not looked at one by one.
constexpr std::size_t kMostEntries = 1 << 20;

// How many entries a full check looks at.
std::size_t entries(Var y, const std::vector<Var>& xs) {
  const std::vector<std::size_t> blocks = independent_blocks_of_each(y, xs);
  std::size_t count = 0;
  for (std::size_t k = 0; k < xs.size(); ++k) {
    count += y.shape().numel() * xs[k].shape().numel() / blocks[k];
  }
  return count;
}

// The analytic derivatives of y in one input, in blocks.
Dense begin(const Differences& differences, std::size_t input, const Tensor& analytic) {
  const std::size_t m = differences.rows(), n = differences.columns(input);
  Dense out{m,
            n,
            differences.blocks(input),
            std::vector<double>(m * n),
            std::vector<double>(m * n),
            std::vector<Verdict>(m * n)};
  read_elements(analytic, out.analytic);
  return out;
}

// Adds up J d.
void add_along(const Differences& differences, std::size_t input, const Dense& dense,
               std::vector<Differences::Along>& along) {
  const std::vector<double>& direction = differences.direction()[input];
  for (std::size_t i = 0; i < dense.rows; ++i) {
    const double* const row = dense.analytic.data() + i * dense.columns;
    const double* const d = direction.data() + differences.element(input, i, 0);
    for (std::size_t j = 0; j < dense.columns; ++j) {
      const double term = row[j] * d[j];
      along[i].sum += term;
      along[i].size += std::fabs(term);
    }
  }
}

// Most columns agree with a first estimate; the others are looked at one by one. The rows of the entries are
// counted from `first_row`.
Tally compare(const Context& context, Differences& differences, std::size_t input, Dense& dense,
              std::size_t first_row = 0) {
  constexpr double kPlainTolerance = 1e-6;
  const std::size_t m = dense.rows, n = dense.columns;
  const bool extrapolate = context.options.extrapolate;
  const double tolerance = extrapolate ? context.tolerance : std::max(context.tolerance, kPlainTolerance);
  Tally tally;
  const auto enter = [&](std::size_t column, Report::Entry entry) {
    const std::size_t e = entry.row * n + column;
    dense.numeric[e] = entry.numeric;
    dense.verdicts[e] = entry.verdict;
    entry.row += first_row;
    tally.add(entry);
  };
  std::vector<std::size_t> doubtful;
  differences.estimate_all(input, extrapolate, [&](std::size_t j, const std::vector<Estimate>& estimates) {
    for (std::size_t i = 0; i < m; ++i) {
      const double analytic = dense.analytic[i * n + j];
      if (judge(analytic, estimates[i], tolerance) == Verdict::pass &&
          !differences.unsettled(input, i, j, analytic, estimates[i])) {
        continue;
      }
      doubtful.push_back(j);
      return;
    }
    const std::size_t run = m / dense.blocks;
    for (std::size_t i = 0, element = j, left = run; i < m; ++i) {
      enter(j, {input, i, element, dense.analytic[i * n + j], estimates[i].value, estimates[i].error,
                Verdict::pass});
      if (--left > 0) continue;
      left = run;
      element += n;
    }
  });
  std::vector<double> column(m);
  for (std::size_t j : doubtful) {
    for (std::size_t i = 0; i < m; ++i) column[i] = dense.analytic[i * n + j];
    for (const Report::Entry& entry : differences.check(input, j, column, context.tolerance)) enter(j, entry);
  }
  return tally;
}

Tensor derivative(const Context& context, Var y, std::size_t input, std::size_t blocks) {
  const std::span<const Var> x(&context.replay.inputs()[input], 1);
  const JacobianOptions options{.blocks = blocks, .various_seeds = true};
  return context.options.forward ? jacobians_by_columns(context.replay, y, x, options)[0]
                                 : jacobians_by_rows(context.replay, y, x, options)[0];
}

// Of a block diagonal Jacobian only the blocks are looked at, all at once, until something fails: then it is
// looked at whole, if that is possible at all, because where it is wrong is seen between the blocks, too.
void check_full(const Context& context, Var y, std::size_t first_row, std::vector<Dense>& found) {
  Differences differences(context.replay, y, context.options.key, kFiner * context.tolerance);
  const std::size_t count = context.replay.inputs().size(), first = found.size();
  std::vector<Differences::Along> along(differences.rows());
  for (std::size_t k = 0; k < count; ++k) {
    found.push_back(begin(differences, k, derivative(context, y, k, differences.blocks(k))));
    add_along(differences, k, found.back(), along);
  }
  differences.compare_nearby(along);
  for (std::size_t k = 0; k < count; ++k) {
    Dense& dense = found[first + k];
    Tally tally = compare(context, differences, k, dense, first_row);
    const std::size_t whole = y.shape().numel() * context.replay.at()[k].numel();
    if (tally.failed() && differences.blocks(k) > 1 && whole <= kMostEntries) {
      differences.look_whole(k);
      dense = begin(differences, k, derivative(context, y, k, 1));
      tally = compare(context, differences, k, dense, first_row);
    }
    add(context.report, k, tally);
    // Between blocks all is 0: seeds and steps of various sizes would have shown anything else.
    const std::size_t between = whole - y.shape().numel() * differences.columns(k);
    context.report.inputs[k].count[static_cast<std::size_t>(Verdict::pass)] += between;
  }
  context.report.evaluations += differences.evaluations();
}

void check_given(const Context& context, const std::vector<Tensor>& given, std::vector<Dense>& found) {
  Differences differences(context.replay, context.replay.roots()[0], context.options.key,
                          kFiner * context.tolerance);
  std::vector<Differences::Along> along(differences.rows());
  for (std::size_t k = 0; k < given.size(); ++k) {
    differences.look_whole(k);
    found.push_back(begin(differences, k, given[k]));
    add_along(differences, k, found.back(), along);
  }
  differences.compare_nearby(along);
  for (std::size_t k = 0; k < given.size(); ++k) {
    add(context.report, k, compare(context, differences, k, found[k]));
  }
  context.report.evaluations += differences.evaluations();
}

// Derivatives written by hand stand behind y among the roots.
std::vector<Tensor> given_derivatives(const Context& context) {
  const std::vector<Var>& roots = context.replay.roots();
  Compiled program(context.replay, {roots.begin() + 1, roots.end()});
  const Outputs run = program.run();
  std::vector<Tensor> out;
  for (std::size_t k = 0; k < run.size(); ++k) {
    const std::size_t m = roots[0].shape().numel(), n = context.replay.at()[k].numel();
    out.push_back(run[k].reshape({static_cast<std::int64_t>(m), static_cast<std::int64_t>(n)}));
  }
  return out;
}

std::vector<Dense> check_second_order(Context context) {
  const Var y = context.replay.roots()[0];
  Tape& tape = context.replay.tape();
  Draw draw(context.options.key);
  Tensor weights = Tensor::zeros(y.shape(), y.dtype());
  for (std::size_t i = 0; i < weights.numel(); ++i) set_element(weights, i, draw.next());
  std::vector<Dense> found;
  std::size_t first_row = 0;
  for (Var gradient : vjp(y, context.replay.inputs(), tape.constant(weights))) {
    check_full(context, gradient, first_row, found);
    first_row += gradient.shape().numel();
  }
  return found;
}

// The call that makes this check, as a user would write it.
std::string call(const std::string& y, const std::vector<Var>& inputs, const GradcheckOptions& options) {
  std::string xs;
  for (Var x : inputs) (xs += xs.empty() ? "" : ", ") += describe(x);
  std::string out =
      "gradcheck(" + y + ", {" + xs + "}, {.mode = CheckMode::" + std::string(name(options.mode));
  if (!options.feeds.empty()) out += ", .feeds = ...";
  if (options.step) out += ", .step = " + std::to_string(*options.step);
  if (options.forward) out += ", .forward = true";
  if (!options.promote) out += ", .promote = false";
  if (!options.extrapolate) out += ", .extrapolate = false";
  const GradcheckOptions usual;
  if (options.directions != usual.directions) out += ", .directions = " + std::to_string(options.directions);
  if (options.tolerance != usual.tolerance) out += fmt::format(", .tolerance = {}", options.tolerance);
  if (!(options.key == usual.key)) {
    out += ", .key = {" + std::to_string(options.key.seed) + ", " + std::to_string(options.key.stream) + "}";
  }
  if (!options.given.empty()) out += ", .given = ...";
  return out + "})";
}

Report check(const std::string& called, Var y, const std::vector<Var>& inputs,
             const GradcheckOptions& options, bool evaluate_twice);

// What is wrong with a node by itself, in plain words.
std::vector<std::string> hints_of(Var node, const std::vector<Var>& inputs, GradcheckOptions local) {
  constexpr std::size_t kMostLooked = 1 << 16;
  if (entries(node, inputs) > kMostLooked) return {};
  const CheckMode asked = local.mode;
  for (const bool forward : {local.forward, true}) {
    local.forward = forward;
    for (const CheckMode mode : {CheckMode::full, CheckMode::second_order}) {
      if (mode == CheckMode::second_order && (asked == CheckMode::full || asked == CheckMode::directional))
        break;
      local.mode = mode;
      const Report report = check("", node, inputs, local, false);
      if (report.count(Verdict::fail) > 0) return report.hints;
    }
  }
  return {};
}

// The first node that the mode finds wrong by itself, and what is wrong with it.
struct Guilty {
  std::string node;
  std::vector<std::string> hints;
};
Guilty locate(const Replay& replay, const GradcheckOptions& options, CheckMode mode) {
  constexpr std::size_t kMostNodes = 2000;
  Tape& tape = replay.tape();
  const std::size_t count = std::min(tape.size(), kMostNodes);
  GradcheckOptions local = options;
  local.mode = mode;
  local.feeds.clear();
  local.given.clear();
  local.locate = false;
  std::vector<Feed> feeds;
  for (std::size_t k = 0; k < replay.inputs().size(); ++k) {
    feeds.emplace_back(replay.inputs()[k], replay.at()[k]);
  }
  local.feeds = feeds;
  for (std::size_t i = 0; i < count; ++i) {
    const Node& node = tape.node(i);
    if (is_leaf(*node.op) || !is_float(node.dtype)) continue;
    std::vector<Var> inputs;
    for (std::uint32_t input : node.inputs()) {
      const Var x = tape.var(input);
      const bool fresh = std::find(inputs.begin(), inputs.end(), x) == inputs.end();
      if (is_float(x.dtype()) && tape.node(input).op != &constant_op && fresh) inputs.push_back(x);
    }
    if (inputs.empty() || (mode == CheckMode::full && entries(tape.var(i), inputs) > kMostEntries)) continue;
    const Report report = check("", tape.var(i), inputs, local, false);
    if (report.count(Verdict::fail) > 0) return {report.subject, hints_of(tape.var(i), inputs, local)};
  }
  return {};
}

Guilty locate(const Replay& replay, const GradcheckOptions& options) {
  switch (options.mode) {
    case CheckMode::full:
    case CheckMode::taylor: {  // the cheap way first
      Guilty found = locate(replay, options, CheckMode::directional);
      if (!found.node.empty()) return found;
      const bool full = options.mode == CheckMode::full;
      return locate(replay, options, full ? CheckMode::full : CheckMode::second_order);
    }
    default:
      return locate(replay, options, options.mode);
  }
}

// What the Jacobian of the whole shows of a cause, the node's own shows better.
void add_hints(Report& report, const std::vector<std::string>& of_node) {
  const auto counts = [](const std::string& hint) { return hint[0] >= '0' && hint[0] <= '9'; };
  if (!std::all_of(report.hints.begin(), report.hints.end(), counts)) return;
  if (!std::all_of(of_node.begin(), of_node.end(), counts)) report.hints.clear();
  for (const std::string& hint : of_node) {
    if (report.hints.empty() || !counts(hint))
      report.hints.push_back("of " + report.guilty + " by itself: " + hint);
  }
}

// The report before anything is looked at.
Report begin(const std::string& called, Var y, const std::vector<Var>& inputs,
             const GradcheckOptions& options) {
  Report report;
  report.mode = options.mode;
  report.shape = y.shape();
  report.subject = subject(y);
  report.again = call(called, inputs, options);
  for (Var x : inputs) report.inputs.push_back({describe(x), x.shape(), {}});
  return report;
}

// Checks that would pass, or fail, whatever the derivatives are.
void require_sense(std::size_t inputs, const GradcheckOptions& options) {
  if (inputs == 0) throw ValueError("gradcheck: no input is given, so there is nothing to check");
  if (!(options.tolerance >= 0 && options.tolerance < 1)) {
    throw ValueError(
        fmt::format("gradcheck: a tolerance of {}; give a number from 0 on, below 1", options.tolerance));
  }
  if (options.directions < 0) {
    throw ValueError(fmt::format("gradcheck: {} directions; give 0 or more", options.directions));
  }
}

// `called`: how the user calls y.
Report check(const std::string& called, Var y, const std::vector<Var>& inputs,
             const GradcheckOptions& options, bool evaluate_twice) {
  if (!is_float(y.dtype())) {
    throw DTypeError("gradcheck: y is " + to_string(y.dtype()) + "; only f32 and f64 carry derivatives");
  }
  std::vector<Var> roots{y};
  if (!options.given.empty()) {
    if (options.given.size() != inputs.size()) {
      throw ValueError("gradcheck: " + std::to_string(options.given.size()) + " derivatives given for " +
                       std::to_string(inputs.size()) + " inputs");
    }
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (options.given[k].shape().numel() != y.shape().numel() * inputs[k].shape().numel()) {
        throw ShapeError("gradcheck: the derivative given for input '" + describe(inputs[k]) +
                         "' has shape " + to_string(options.given[k].shape()) +
                         "; y.shape + x.shape is needed, or x.shape when y is scalar");
      }
    }
    roots.insert(roots.end(), options.given.begin(), options.given.end());
  }
  const ValueOptions at{options.feeds, options.step, 0};
  const Replay replay(roots, inputs, at,
                      options.promote ? Replay::Precision::f64 : Replay::Precision::recorded);
  Report report = begin(called, y, inputs, options);
  if (evaluate_twice) report.no_function = changed_when_evaluated(roots, at);
  if (!report.no_function.empty()) return report;
  bool rounded = !options.promote && y.dtype() == DType::f32;
  for (Var x : inputs) rounded = rounded || (!options.promote && x.dtype() == DType::f32);
  double tolerance = options.tolerance;
  if (tolerance == 0) tolerance = rounded ? 2e-4 : options.given.empty() ? 1e-8 : 1e-6;
  const Context context{replay, options, report, tolerance};
  std::vector<Dense> found;
  switch (options.mode) {
    case CheckMode::full:
      if (options.given.empty()) {
        check_full(context, replay.roots()[0], 0, found);
      } else {
        check_given(context, given_derivatives(context), found);
      }
      break;
    case CheckMode::second_order:
      found = check_second_order(context);
      break;
    case CheckMode::directional:
      check_directional(context);
      break;
    case CheckMode::taylor:
      check_taylor(context);
      break;
    case CheckMode::dot_product:
      check_dot_product(context);
      break;
  }
  if (report.count(Verdict::fail) > 0) {
    report.hints = explain(found, report, y.tape());
    if (options.locate && options.given.empty()) {
      Guilty guilty = locate(replay, options);
      report.guilty = std::move(guilty.node);
      add_hints(report, guilty.hints);
    }
  }
  return report;
}

}  // namespace

}  // namespace checking

Report gradcheck(Var y, const std::vector<Var>& inputs, const GradcheckOptions& options) {
  checking::require_sense(inputs.size(), options);
  return checking::check(describe(y), y, inputs, options, true);
}

Report gradcheck(const std::function<Var(Tape&, std::span<const Var>)>& f,
                 const std::vector<NamedTensor>& inputs, const GradcheckOptions& options) {
  if (!options.given.empty()) throw ValueError("gradcheck: derivatives cannot be given for a function");
  checking::require_sense(inputs.size(), options);
  const auto record = [&](Tape& tape, std::vector<Var>& xs) {
    for (const NamedTensor& x : inputs) {
      xs.push_back(tape.input(x.name, x.tensor.shape(), x.tensor.dtype()));
    }
    return f(tape, xs);
  };
  Tape tape, tape_again;
  std::vector<Var> xs, xs_again;
  const Var y = record(tape, xs), y_again = record(tape_again, xs_again);
  GradcheckOptions fed = options;
  for (const NamedTensor& x : inputs) fed.feeds.emplace_back(x.name, x.tensor);
  std::string difference = checking::changed_when_recorded(y, y_again);
  if (difference.empty()) return checking::check("f", y, xs, fed, true);
  Report report = checking::begin("f", y, xs, fed);
  report.no_function = std::move(difference);
  return report;
}

}  // namespace backdrop
