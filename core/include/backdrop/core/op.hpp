#pragma once

#include <array>
#include <backdrop/core/attribute.hpp>
#include <backdrop/core/tape.hpp>
#include <backdrop/core/workers.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace backdrop {

inline constexpr std::size_t kMaxInputs = 6;
inline constexpr std::size_t kMaxAttrs = 6;

/// What a rule sees: one application of an op. A view of two words; inputs and output are Vars of its tape.
struct Call {
  Tape& tape;
  const Node& node;
  Var y;  ///< the output; not yet valid while the type is inferred

  Var operator[](std::size_t input) const { return tape.var(node.inputs()[input]); }
  std::size_t arity() const { return node.arity; }
  Type type(std::size_t input) const { return tape.node(node.inputs()[input]).type(); }
  DType dtype(std::size_t input) const {
    return input < Node::kInline ? node.in_dtype(input) : type(input).dtype;
  }
  const Shape& shape(std::size_t input) const { return tape.shape(type(input).shape); }
  const char* name() const;

  /// The value of an attribute; the token must be one of the op's own.
  template <class T>
  T operator[](const Attr<T>& token) const;

  /// The same op with input `at` replaced.
  Var with_input(std::size_t at, Var replacement) const;
};

/// How the local Jacobian of an op looks.
enum class Structure : std::uint8_t {
  dense,
  diagonal,
  identity,
  block,
  selection,  ///< 0s and 1s, at most one 1 in a row: every element of y is an element of an input, or
              ///< constant
  partition,  ///< 0s and 1s, at most one 1 in a column: the elements of y are sums of disjoint parts of x
};
constexpr std::string_view name(Structure structure) {
  constexpr std::string_view kNames[] = {"dense", "diagonal", "identity", "block", "selection", "partition"};
  return kNames[static_cast<std::size_t>(structure)];
}

/// An operand of a kernel: elements in row-major order and their type.
struct Array {
  void* data;
  const Shape* shape;
  DType dtype;

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  std::size_t numel() const { return shape->numel(); }
};

/// What the kernel of an elementwise op sees: `count` contiguous elements of every operand, the first of them
/// element `first` of the whole. Masks start at a byte.
struct Block {
  const Call& call;
  void* y;
  const void* const* x;
  std::size_t count;
  std::uint64_t first;
  std::uint32_t step;
  bool streams = false;  ///< y lies in memory and is larger than the caches, so it may be written past them

  DType dtype() const { return call.node.dtype; }
  template <class T>
  T operator[](const Attr<T>& token) const {
    return call[token];
  }
};

/// What the kernel of any other op sees: whole operands, or of kernels that work by panels the same rows of
/// each; and the threads it may use.
struct Eval {
  const Call& call;
  Array y;
  const Array* x;
  const Workers& workers;
  std::uint32_t step;
  std::uint64_t first = 0;  ///< elements of the whole output before y

  /// Elements of the whole operand before what is here of it.
  std::uint64_t before(const Array& operand) const {
    return first == 0 ? 0 : first * operand.numel() / y.numel();
  }

  template <class T>
  T operator[](const Attr<T>& token) const {
    return call[token];
  }
};

using Rule = Var (*)(const Call&, Var);                 ///< cotangent or tangent -> contribution
using RuleAt = Var (*)(const Call&, Var, std::size_t);  ///< the same for any input of a variadic op
using Derivative = Var (*)(const Call&);                ///< dy/dx of an elementwise op
/// The op applied to many inputs at once: x[k] has a leading axis more than input k, along which lie its many
/// values, or is input k itself, which is the same for all; so has the result. A null Var: not in this case.
using BatchRule = Var (*)(const Call&, std::span<const Var> x);

/// The contribution is exactly zero: a null Var.
inline constexpr Rule zero = [](const Call&, Var) { return Var{}; };

/// The derivative rules of an op in one mode: a rule per input, one rule for every input, or a word.
struct Rules {
  enum class Word : std::uint8_t {
    absent,       ///< differentiate the body instead
    per_input,    ///< `each`; nullptr = not differentiable in that input
    for_every,    ///< `every`
    linear,       ///< jvp: the same op on all tangents jointly
    multilinear,  ///< jvp: the sum over inputs of the op with the tangent in that place
  };
  std::array<Rule, kMaxInputs> each{};
  RuleAt every = nullptr;
  Word word = Word::absent;

  constexpr Rules() = default;
  constexpr Rules(Word w) : word(w) {}
  template <class... F>
  requires(sizeof...(F) > 0 && sizeof...(F) <= kMaxInputs &&
           (std::is_convertible_v<F, Rule> && ...)) constexpr Rules(F... rules)
      : each{static_cast<Rule>(rules)...}, word(Word::per_input) {}
  template <class F>
  requires std::is_convertible_v<F, RuleAt>
  constexpr Rules(F rule) : every(static_cast<RuleAt>(rule)), word(Word::for_every) {}
};
namespace rule {
inline constexpr Rules::Word linear = Rules::Word::linear;
inline constexpr Rules::Word multilinear = Rules::Word::multilinear;
}  // namespace rule

/// The op with the tangent in place of input K; other inputs have no rule.
template <std::size_t K>
inline constexpr Rules multilinear_in = [] {
  Rules rules;
  rules.each[K] = [](const Call& c, Var t) { return c.with_input(K, t); };
  rules.word = Rules::Word::per_input;
  return rules;
}();

/// The local derivatives of an elementwise op, one per input, from which vjp and jvp follow.
struct Derivatives {
  std::array<Derivative, kMaxInputs> each{};

  constexpr Derivatives() = default;
  template <class... F>
  requires(sizeof...(F) > 0 && sizeof...(F) <= kMaxInputs &&
           (std::is_convertible_v<F, Derivative> && ...)) constexpr Derivatives(F... derivatives)
      : each{static_cast<Derivative>(derivatives)...} {}
};

/// How an op that folds leading axes of its one input takes it some positions of these axes at a time, so
/// that the input need never be there as a whole. `eval` gives the same bits.
struct Folding {
  static constexpr std::size_t kTimes = 64;

  /// How many leading axes are folded, all of them; 0: this call must have its input whole.
  std::size_t (*axes)(const Call&);
  /// Positions are taken in multiples of this power of 2, until fewer are left.
  std::size_t (*fewest)(const Call&);
  /// Positions that go through one state: all of them, or a multiple of kTimes times the fewest.
  std::size_t (*piece)(const Call&);
  /// The first state begins at a cache line, the others behind it.
  std::size_t (*state_bytes)(const Call&);
  void (*begin)(const Call&, void* state);
  void (*take)(const Call&, const Array& x, void* state);
  /// y from the states of all pieces, which lie one after another and are not needed any more.
  void (*finish)(const Call&, const Array& y, void* states, std::size_t count);
};

/// A named pure function of tensors, as one literal. *Primitive* without a body, *composite* with one; a
/// composite may still have kernels and rules of its own, which must agree with the body.
struct Op {
  const char* name;
  std::array<const char*, kMaxInputs>
      inputs{};  ///< {"x", "mask"}; a last name ending in "..." takes any number, with `block` or
                 ///< `by_panels` so many that there are at most kMaxInputs in all
  std::array<AttrSpec, kMaxAttrs> attrs{};
  const char* formula = "";
  const char* jacobian = "";
  const char* singular = "";  ///< the rule at points without a derivative
  Structure structure = Structure::dense;
  /// How many leading axes of y are leading axes of this input too, worked on one position at a time.
  std::size_t (*leading)(const Call&, std::size_t input) = nullptr;
  /// Along how many leading axes y says the same again and again, whatever the inputs are. `eval` may be
  /// given any run of the elements of y beside whole inputs: they follow from element `first` on. (A call
  /// with more than one input is given all of y.)
  std::size_t (*repeats)(const Call&) = nullptr;
  /// `eval` may be given a run of the leading positions in place of all of them: it takes extents from its
  /// operands, and every position of y is computed alike, whatever stands beside it.
  bool by_panels = false;
  const Folding* folding = nullptr;  ///< of an op that folds leading axes
  bool random = false;               ///< the value depends on the step of the run
  bool view = false;                 ///< the output is input 0 byte for byte, so a run need not copy it
  bool in_place = false;             ///< `eval` may write y over input 0
  bool checks_values = false;        ///< `eval` throws for some values of the operands
  Type (*infer)(const Call&) = nullptr;
  void (*block)(const Block&) = nullptr;
  void (*eval)(const Eval&) = nullptr;
  Rules vjp{};
  Rules jvp{};
  Derivatives derivative{};
  Var (*body)(const Call&) = nullptr;
  BatchRule batch = nullptr;                ///< elementwise ops need none
  Var (*inference)(const Call&) = nullptr;  ///< what stands in its place once nothing is dropped
  Var (*recompute)(const Call&) = nullptr;  ///< recorded by a reverse sweep, to be swept in its place
  bool exact = false;                       ///< kernel and body agree bit for bit
  double tolerance = 0;                     ///< otherwise: relative, in units of the dtype's epsilon

  constexpr std::size_t arity() const {
    std::size_t n = 0;
    while (n < kMaxInputs && inputs[n] != nullptr) ++n;
    return n;
  }
  constexpr bool variadic() const {
    return arity() > 0 && std::string_view(inputs[arity() - 1]).ends_with("...");
  }
  constexpr std::size_t attr_count() const {
    std::size_t n = 0;
    while (n < kMaxAttrs && attrs[n].name != nullptr) ++n;
    return n;
  }
  bool has_kernel() const { return block != nullptr || eval != nullptr; }
  bool is_composite() const { return body != nullptr; }
};

/// The leaves, the only ops that core itself defines. Their values come from a run's feeds, from a Variable,
/// and from the tape.
extern const Op input_op;
extern const Op variable_op;
extern const Op constant_op;

inline bool is_leaf(const Op& op) { return &op == &input_op || &op == &variable_op || &op == &constant_op; }

[[noreturn]] void throw_foreign_attribute(const Op& op, const char* name);

inline Call Tape::call(std::size_t index) const {
  return {const_cast<Tape&>(*this), nodes_[index], var(index)};
}

inline const char* Call::name() const { return node.op->name; }

template <class T>
T Call::operator[](const Attr<T>& token) const {
  const Op& op = *node.op;
  for (std::size_t k = 0; k < kMaxAttrs && op.attrs[k].name != nullptr; ++k) {
    // Mostly one literal; of a token in a header each source may have a copy.
    const char* const own = op.attrs[k].name;
    if (own == token.spec.name || std::string_view(own) == token.spec.name) {
      return read_slot<T>(node.attrs[k]);
    }
  }
  throw_foreign_attribute(op, token.spec.name);
}

}  // namespace backdrop
