#pragma once

#include <backdrop/core/tape.hpp>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backdrop {

namespace running {
struct Plan;
class Workspace;
}  // namespace running

/// A value for an input of the tape, by the input's Var or name. The name must outlive the run.
struct Feed {
  Feed(std::string_view input, Tensor tensor) : name(input), value(std::move(tensor)) {}
  Feed(Var input, Tensor tensor) : name(input.name()), value(std::move(tensor)) {}

  std::string_view name;
  Tensor value;
};

/// After a run, `variable` holds the value that `next` had in it.
struct Update {
  Variable variable;
  Var next;
};

struct Targets {
  std::vector<Var> outputs{};
  std::vector<Update> updates{};
  bool optimize = true;  ///< false: every recorded node runs as it stands
};

/// What a run does about f32 and f64 values that are not finite.
enum class Anomalies : std::uint8_t {
  ignore,
  nan,        ///< the first NaN throws NonFiniteError
  nan_or_inf  ///< so does the first infinity
};

struct RunOptions {
  std::optional<std::uint32_t> step{};  ///< counts runs for random nodes; needed once there are updates
  int threads = 0;                      ///< 0 = one per processor; results do not depend on it
  /// Looks at the value of every node in the order of the recording, and names the first that is not finite.
  Anomalies anomalies = Anomalies::ignore;
};

class Program;

/// Throws TapeError for a Var of another tape, GraphError when a Variable is updated twice, ShapeError or
/// DTypeError when an update is of another type than its Variable.
Program compile(const Tape& tape, const Targets& targets);

/// The results of a run, in the order asked for. Keeping a Tensor beyond this object is fine: the Program
/// then uses fresh memory for it; otherwise the memory serves the next run.
class Outputs {
 public:
  Outputs(Outputs&&) noexcept;
  Outputs& operator=(Outputs&&) noexcept;
  ~Outputs();

  std::size_t size() const;
  /// Throws ValueError when there are not so many.
  const Tensor& operator[](std::size_t k) const;

 private:
  friend class Program;
  explicit Outputs(std::shared_ptr<const running::Plan> plan);
  std::shared_ptr<const running::Plan> plan_;
  running::Workspace* workspace_ = nullptr;  // lent by the plan
};

/// Inputs and Variables -> outputs and updates, compiled from a tape that may change or die afterwards.
/// Immutable: copies share one plan, and any number of threads may run it at once (runs that write a Variable
/// another run uses are the caller's race). From the third run on, a run allocates nothing, unless the
/// caller kept an earlier output.
class Program {
 public:
  /// Reads Variables at the start and publishes all updates together at the end, after which nothing can
  /// throw. Throws GraphError for a missing or unknown feed, or when random nodes meet updates without a
  /// step; ShapeError or DTypeError for a feed of another type; NonFiniteError where .anomalies asks for it.
  Outputs run(std::span<const Feed> feeds = {}, const RunOptions& options = {}) const;
  Outputs run(std::initializer_list<Feed> feeds, const RunOptions& options = {}) const {
    return run(std::span<const Feed>(feeds.begin(), feeds.size()), options);
  }

  /// Parts that a run works on one after the other: a kernel each, or a group of them.
  std::size_t steps() const;
  /// The schedule as text: each step, or group with its nodes, with the bytes it reads from memory and writes
  /// there, and the sizes of the arena and of a thread's scratch.
  std::string explain() const;
  /// Bytes of the one arena that holds all intermediate values.
  std::size_t arena_bytes() const;

 private:
  friend Program compile(const Tape& tape, const Targets& targets);
  explicit Program(std::shared_ptr<const running::Plan> plan) : plan_(std::move(plan)) {}
  std::shared_ptr<const running::Plan> plan_;
};

/// What `value` needs beyond the Vars.
struct ValueOptions {
  std::vector<Feed> feeds{};
  std::optional<std::uint32_t> step{};
  int threads = 0;
  Anomalies anomalies = Anomalies::ignore;
};

/// Compiles what is needed, runs it once, and remembers nothing.
Tensor value(Var v, const ValueOptions& options = {});
std::vector<Tensor> value(std::span<const Var> vars, const ValueOptions& options = {});
inline std::vector<Tensor> value(std::initializer_list<Var> vars, const ValueOptions& options = {}) {
  return value(std::span<const Var>(vars.begin(), vars.size()), options);
}

}  // namespace backdrop
