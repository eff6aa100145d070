#include <fmt/format.h>

#include <algorithm>
#include <backdrop/graph/program.hpp>
#include <iterator>

#include "running/plan.hpp"

namespace backdrop {

namespace {

using running::Layout, running::Operand, running::Plan;

std::string size_text(std::size_t bytes) {
  if (bytes < 10'000) return fmt::format("{} B", bytes);
  if (bytes < 10'000'000) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
}

// What a step takes from memory and puts there; what passes through a thread's scratch does not count.
struct Traffic {
  std::size_t read = 0, written = 0;
  std::vector<std::uint32_t> seen{};  // each value counts once
};

class Explanation {
 public:
  explicit Explanation(const Plan& plan) : plan_(plan) {}

  std::string text() {
    const auto in_place = std::ranges::count(plan_.in_place, true);
    fmt::format_to(to(), "{} steps, {} kernels; arena {}, {} of scratch for each thread\n", plan_.steps(),
                   plan_.schedule.parts.size(), size_text(plan_.memory.bytes),
                   size_text(plan_.scratch_bytes));
    if (!plan_.ends.updates.empty()) {
      fmt::format_to(to(), "{} updates, {} of them where the Variable lies\n", plan_.ends.updates.size(),
                     in_place);
    }
    for (std::uint32_t node : plan_.memory.fixed) explain("once", node);
    std::size_t number = 0, group = 0;
    plan_.schedule.for_each_step([&](const passes::Schedule::Step& step) {
      const std::string label = fmt::format("{}", ++number);
      if (step.axes == 0) {
        explain(label, plan_.schedule.parts[step.begin].node);
      } else {
        explain(label, plan_.groups[group++]);
      }
    });
    return std::move(out_);
  }

 private:
  std::back_insert_iterator<std::string> to() { return std::back_inserter(out_); }

  void explain(std::string_view label, std::uint32_t node) {
    Traffic bytes;
    count(node, bytes, &Traffic::written);
    for (std::uint32_t input : plan_.tape().node(node).inputs()) count(input, bytes, &Traffic::read);
    line(label, describe(node), bytes);
  }

  void explain(std::string_view label, const Layout& group) {
    Traffic bytes;
    for (const Layout::Part& part : group.parts) {
      const auto operands = group.operands_of(part);
      for (std::size_t k = 0; k < operands.size(); ++k) {
        const bool is_output = k == 0 || k > part.call.arity();
        if (is_in_memory(operands[k])) {
          count(operands[k].node, bytes, is_output ? &Traffic::written : &Traffic::read);
        }
      }
    }
    line(label, fmt::format("{} nodes by {} of {} rows", group.parts.size(), group.panel, group.positions),
         bytes);
    for (const Layout::Part& part : group.parts) {
      fmt::format_to(to(), "        {}{}\n", describe(group.operands[part.first].node), what_of(part, group));
    }
  }

  static std::string what_of(const Layout::Part& part, const Layout& group) {
    if (part.repeated) return fmt::format(", once for {} rows", std::min(group.grain, group.positions));
    if (part.state_bytes > 0) return ", from all rows";
    if (is_in_memory(group.operands[part.first])) return ", stored";
    return part.streams ? ", stored past the caches" : "";
  }

  void count(std::uint32_t node, Traffic& bytes, std::size_t Traffic::*way) const {
    const std::uint32_t home = plan_.home(node);
    if (std::ranges::count(bytes.seen, home) > 0) return;
    bytes.seen.push_back(home);
    const Node& n = plan_.tape().node(home);
    bytes.*way += byte_size(n.dtype, plan_.tape().shape(n.shape).numel());
  }

  static bool is_in_memory(const Operand& operand) { return operand.place != Operand::Place::panel; }

  void line(std::string_view label, const std::string& what, const Traffic& bytes) {
    fmt::format_to(to(), "{:>4}  {:<56} reads {:>10}, writes {:>10}\n", label, what, size_text(bytes.read),
                   size_text(bytes.written));
  }

  std::string describe(std::uint32_t index) const {
    const Tape& tape = plan_.tape();
    const Node& node = tape.node(index);
    const std::string_view name = tape.name(index);
    return fmt::format("{} {} {}{}{}", node.op->name, to_string(node.dtype),
                       to_string(tape.shape(node.shape)), name.empty() ? "" : " ", name);
  }

  const Plan& plan_;
  std::string out_;
};

}  // namespace

std::string Program::explain() const { return Explanation(*plan_).text(); }

}  // namespace backdrop
