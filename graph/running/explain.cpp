#include <fmt/format.h>

#include <algorithm>
#include <backdrop/graph/program.hpp>
#include <iterator>

#include "running/plan.hpp"

namespace backdrop {

namespace {

using running::Kernel, running::Operand, running::Plan, running::Step;

std::string size_text(std::size_t bytes) {
  if (bytes < 10'000) return fmt::format("{} B", bytes);
  if (bytes < 10'000'000) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
}

// What a step takes from memory and puts there; what passes through a thread's scratch does not count.
struct Traffic {
  std::size_t read = 0, written = 0;
};

class Explanation {
 public:
  explicit Explanation(const Plan& plan) : plan_(plan) {}

  std::string text() {
    const auto in_place = std::ranges::count(plan_.in_place, true);
    fmt::format_to(to(), "{} steps, {} kernels; arena {}, {} of scratch for each thread\n",
                   plan_.steps.size(), plan_.kernels.size(), size_text(plan_.memory.bytes),
                   size_text(plan_.scratch_bytes));
    if (!plan_.ends.updates.empty()) {
      fmt::format_to(to(), "{} updates, {} of them where the Variable lies\n", plan_.ends.updates.size(),
                     in_place);
    }
    for (const Kernel& kernel : plan_.fixed) line("once", describe(kernel), traffic({&kernel, 1}, false));
    for (std::size_t k = 0; k < plan_.steps.size(); ++k) explain(k);
    return std::move(out_);
  }

 private:
  std::back_insert_iterator<std::string> to() { return std::back_inserter(out_); }

  void explain(std::size_t number) {
    const Step& step = plan_.steps[number];
    const auto kernels = std::span(plan_.kernels).subspan(step.begin, step.end - step.begin);
    const std::string label = fmt::format("{}", number + 1);
    if (step.panel == 0) return line(label, describe(kernels[0]), traffic(kernels, false));
    line(label, fmt::format("{} nodes by {} of {} rows", kernels.size(), step.panel, step.positions),
         traffic(kernels, true));
    for (const Kernel& kernel : kernels) {
      const bool stored = plan_.places[kernel.places].place != Operand::Place::panel;
      fmt::format_to(to(), "        {}{}\n", describe(kernel),
                     kernel.repeated ? ", once for all rows"
                     : stored        ? ", stored"
                                     : "");
    }
  }

  void line(std::string_view label, const std::string& what, const Traffic& bytes) {
    fmt::format_to(to(), "{:>4}  {:<56} reads {:>10}, writes {:>10}\n", label, what, size_text(bytes.read),
                   size_text(bytes.written));
  }

  std::string describe(const Kernel& kernel) const {
    const Tape& tape = plan_.tape();
    const std::string_view name = tape.name(kernel.call.y.index());
    return fmt::format("{} {} {}{}{}", kernel.call.name(), to_string(kernel.call.node.dtype),
                       to_string(tape.shape(kernel.call.node.shape)), name.empty() ? "" : " ", name);
  }

  Traffic traffic(std::span<const Kernel> kernels, bool grouped) const {
    Traffic bytes;
    std::vector<std::uint32_t> seen;
    for (const Kernel& kernel : kernels) {
      for (std::size_t k = 0; k <= kernel.call.arity(); ++k) {
        const std::uint32_t home = plan_.home(plan_.operands[kernel.first + k]);
        if (grouped && plan_.places[kernel.places + k].place == Operand::Place::panel) continue;
        if (std::ranges::count(seen, home) > 0) continue;
        seen.push_back(home);
        const Node& node = plan_.tape().node(home);
        (k == 0 ? bytes.written : bytes.read) +=
            byte_size(node.dtype, plan_.tape().shape(node.shape).numel());
      }
    }
    return bytes;
  }

  const Plan& plan_;
  std::string out_;
};

}  // namespace

std::string Program::explain() const { return Explanation(*plan_).text(); }

}  // namespace backdrop
