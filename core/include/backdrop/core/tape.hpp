#pragma once

#include <algorithm>
#include <array>
#include <backdrop/core/attribute.hpp>
#include <backdrop/core/chunked_array.hpp>
#include <backdrop/core/dtype.hpp>
#include <backdrop/core/shape.hpp>
#include <backdrop/core/tensor.hpp>
#include <backdrop/core/variable.hpp>
#include <backdrop/core/where.hpp>
#include <bit>
#include <cstdint>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace backdrop {

class Tape;
struct Op;
struct Call;

/// The type of a node: dtype, and a shape interned by its tape, so that types compare as two integers.
struct Type {
  DType dtype = DType::f32;
  std::uint32_t shape = 0;
  bool operator==(const Type&) const = default;
};

/// A handle to a node: 16 bytes, cheap to copy, good until its tape is cleared or rewound past it.
class Var {
 public:
  Var() = default;
  Var(Tape* tape, std::uint32_t index, std::uint32_t generation)
      : tape_(tape), index_(index), generation_(generation) {}

  /// False for a default-made Var, which belongs to no tape.
  explicit operator bool() const { return tape_ != nullptr; }
  std::uint32_t index() const { return index_; }
  std::uint32_t generation() const { return generation_; }

  /// Its tape; throws TapeError when the handle is null, or older than a clear or a rewind.
  Tape& tape() const;
  DType dtype() const;
  const Shape& shape() const;
  /// The name given to it, or ""; a view until it gets another or the node is dropped.
  std::string_view name() const;

  bool operator==(const Var&) const = default;

 private:
  friend class Tape;
  [[noreturn]] static void throw_null();

  Tape* tape_ = nullptr;
  std::uint32_t index_ = 0;
  std::uint32_t generation_ = 0;
};
static_assert(sizeof(Var) == 16);

/// One application of an op to earlier nodes.
struct Node {
  static constexpr std::size_t kInline = 3, kMost = 0xFFFF;  // inputs

  const Op* op;
  const std::uint64_t* attrs;             // a slot for each attribute of the op
  std::array<std::uint32_t, kInline> in;  // leaves: in[0] is the number of the leaf; arity > 3: a pointer
  std::uint32_t shape;
  DType dtype;
  bool derivative : 1;                   // recorded by a derivative of what stands on its line
  bool named : 1;                        // its tape has a name for it
  std::uint8_t in_dtypes : 2 * kInline;  // of `in`, so that kernels need not look at far nodes
  std::uint16_t arity;
  std::uint16_t file;
  std::uint16_t scope;
  std::uint32_t line;
  std::uint32_t call;  // the opened composite it is part of, or 0

  std::span<const std::uint32_t> inputs() const {
    if (arity <= kInline) return {in.data(), arity};
    const std::uint32_t* many = nullptr;
    std::memcpy(&many, in.data(), sizeof many);
    return {many, arity};
  }
  Type type() const { return {dtype, shape}; }
  /// Of one of the first kInline inputs.
  DType in_dtype(std::size_t k) const { return static_cast<DType>((in_dtypes >> (2 * k)) & 3U); }
};
static_assert(sizeof(Node) == 48);
static_assert(static_cast<unsigned>(DType::mask) < 4, "in_dtypes has two bits for each input");

/// Reads a typed attribute from its slot.
template <class T>
T read_slot(std::uint64_t slot) {
  if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<double>(slot);
  } else if constexpr (std::is_same_v<T, std::span<const std::int64_t>>) {
    const auto* words = std::bit_cast<const std::int64_t*>(slot);
    return {words + 1, static_cast<std::size_t>(words[0])};
  } else if constexpr (std::is_same_v<T, Key>) {
    const auto* words = std::bit_cast<const std::uint64_t*>(slot);
    return Key{words[0], static_cast<std::uint32_t>(words[1])};
  } else {
    return static_cast<T>(slot);
  }
}

/// The Wengert list: append-only, so node order is topological order. Recording infers types and computes
/// nothing. A tape is neither copied nor moved and belongs to one thread at a time. Every member that throws
/// leaves the recording as it was.
class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// A leaf that each run feeds. Throws TapeError when the name is taken by another input.
  Var input(std::string_view name, const Shape& shape, DType dtype = DType::f32, Where where = Where::here());
  /// A leaf that reads a Variable at the start of each run; the same Variable gives the same node.
  Var variable(const Variable& variable, Where where = Where::here());
  /// Makes a Variable and refers to it.
  Var variable(std::string_view name, Tensor value, Where where = Where::here());
  /// A leaf that is always `value`.
  Var constant(Tensor value, Where where = Where::here());

  /// Appends a node. `attrs` stand in the order of the op's list; trailing optional ones may be left out.
  /// Throws TapeError, ShapeError, DTypeError or ValueError, naming the op.
  Var record(const Op& op, std::span<const Var> inputs, std::span<const AttrValue> attrs, Where where);
  Var record(const Op& op, std::initializer_list<Var> inputs, std::initializer_list<AttrValue> attrs,
             Where where) {
    return record(op, std::span<const Var>(inputs.begin(), inputs.size()),
                  std::span<const AttrValue>(attrs.begin(), attrs.size()), where);
  }
  /// Appends node `index` of this or another tape again, with other inputs; line and scope come with it.
  /// For leaves, `inputs` is empty, the name comes too and the payload is shared.
  Var record_again(const Tape& from, std::size_t index, std::span<const Var> inputs);

  /// A composite that was replaced by its body: what it was, and where the nodes of the body stand.
  struct OpenedCall {
    Node node;  ///< on inputs of this tape; `call` is the opened composite that it was itself part of
    std::string name;
    std::uint32_t begin = 0, end = 0;
  };
  /// Notes that composite node `index` of this or another tape is replaced here by its body on `inputs`, as a
  /// part of `outer` (0 = none). Nodes stamped with the number returned are that body.
  std::uint32_t declare_opened(const Tape& from, const Node& composite, std::string_view name,
                               std::span<const Var> inputs, std::uint32_t outer);
  void stamp(Var v, std::uint32_t call);
  std::size_t opened_count() const { return opened_.size(); }
  const OpenedCall& opened(std::uint32_t call) const { return opened_[call - 1]; }

  std::size_t size() const { return nodes_.size(); }
  const Node& node(std::size_t index) const { return nodes_[index]; }
  const Node& node(Var v) const {
    check(v);
    return nodes_[v.index()];
  }
  Var var(std::size_t index) const {
    return {const_cast<Tape*>(this), static_cast<std::uint32_t>(index), generation_of(index)};
  }
  /// The node as rules see it.
  Call call(std::size_t index) const;
  /// The inputs and variables, in order.
  std::vector<std::uint32_t> leaves() const;
  /// The op of the first node for which which(op), or null: nodes are looked at only where there is one.
  template <class F>
  const Op* first_op(F&& which) const {
    if (std::ranges::none_of(ops_, [&](const Op* op) { return which(*op); })) return nullptr;
    for (std::size_t k = 0; k < size(); ++k) {
      if (which(*nodes_[k].op)) return nodes_[k].op;
    }
    return nullptr;
  }
  /// Throws TapeError when `v` is null, of another tape, or older than a clear or a rewind.
  void check(Var v) const {
    if (!is_current(v)) [[unlikely]]
      check_slowly(v);
  }

  /// Types and payloads.
  std::uint32_t intern(const Shape& shape);
  const Shape& shape(std::uint32_t id) const { return shapes_[id]; }
  std::size_t shape_count() const { return shapes_.size(); }
  const Tensor& constant_of(const Node& node) const { return constants_[node.in[0]]; }
  const Variable& variable_of(const Node& node) const { return variables_[node.in[0]]; }
  /// The value of attribute `k` of a node, as `record` takes it.
  AttrValue attribute(const Node& node, std::size_t k) const;

  /// Names and places. Throws TapeError when an input is given no name, or that of another input.
  std::string_view name(std::size_t index) const;
  void set_name(Var v, std::string_view name);
  void set_place(Var v, std::string_view file, unsigned line, std::string_view scope);
  /// The place of a node of this or another tape.
  void set_place(Var v, const Tape& from, const Node& node);
  Where where(const Node& node) const { return {files_[node.file].c_str(), node.line}; }
  std::string_view scope_of(const Node& node) const { return scopes_[node.scope]; }

  /// Names a region: nodes recorded while the returned object lives carry "outer/inner".
  class Scope {
   public:
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { tape_.scope_ = outer_; }

   private:
    friend class Tape;
    Scope(Tape& tape, std::uint16_t outer) : tape_(tape), outer_(outer) {}
    Tape& tape_;
    std::uint16_t outer_;
  };
  [[nodiscard]] Scope scope(std::string_view name);

  /// Nodes recorded while such an object lives carry the line and scope of `node`: derivatives and bodies
  /// point at the line of the user that caused them.
  class Attribution {
   public:
    enum class By : std::uint8_t { body, derivative };
    Attribution(Tape& tape, const Node& node, By by = By::body)
        : tape_(tape), outer_(tape.credit_), outer_derivative_(tape.derivative_) {
      tape.credit_ = &node;
      if (by == By::derivative) tape.derivative_ = true;
    }
    Attribution(const Attribution&) = delete;
    Attribution& operator=(const Attribution&) = delete;
    ~Attribution() {
      tape_.credit_ = outer_;
      tape_.derivative_ = outer_derivative_;
    }

   private:
    Tape& tape_;
    const Node* outer_;
    bool outer_derivative_;
  };

  /// Drops all nodes; memory is kept, handles become invalid.
  void clear() { rewind(Mark{}); }
  struct Mark {
    std::size_t nodes = 0, ops = 0, constants = 0, variables = 0, opened = 0;
    std::uint32_t generation = 0;  // of the last node
    WordPool::Mark words;
  };
  Mark mark() const;
  /// Drops what was recorded after `mark`; handles to it become invalid. Throws TapeError when what was
  /// recorded before it is not there any more.
  void rewind(const Mark& mark);

 private:
  friend class Var;
  friend class NodeCopier;

  static constexpr std::size_t kMaxNodes = 0xFFFFFFFE, kMet = 64;

  // Recorded since the last rewind, as nearly all are.
  bool is_current(Var v) const {
    return v.tape_ == this && v.generation_ == generation_ && v.index_ >= epoch_ && v.index_ < size();
  }
  std::uint32_t generation_of(std::size_t index) const {
    return index >= epoch_ ? generation_ : older_generation_of(index);
  }
  std::uint32_t older_generation_of(std::size_t index) const;
  void check_slowly(Var v) const;
  void check_input(const Op& op, Var v) const;
  Var append_leaf(const Op& op, std::size_t payload, DType dtype, const Shape& shape, Where where);
  Var commit(const Op& op) {
    meet(op);
    nodes_.commit();
    return {this, static_cast<std::uint32_t>(size() - 1), generation_};
  }
  void meet(const Op& op) {
    if (met_[std::bit_cast<std::uintptr_t>(&op) / 64 % kMet] != &op) [[unlikely]]
      meet_slowly(op);
  }
  void meet_slowly(const Op& op);
  void write_inputs(Node& node, std::span<const Var> inputs) {
    node.arity = static_cast<std::uint16_t>(inputs.size());
    unsigned dtypes = 0;
    for (std::size_t k = 0; k < std::min(inputs.size(), Node::kInline); ++k) {
      node.in[k] = inputs[k].index();
      dtypes |= static_cast<unsigned>(nodes_[node.in[k]].dtype) << (2 * k);
    }
    node.in_dtypes = dtypes & 0x3FU;
    if (inputs.size() > Node::kInline) [[unlikely]]
      write_many_inputs(node, inputs);
  }
  void write_many_inputs(Node& node, std::span<const Var> inputs);
  void write_attrs(Node& node, const Op& op, std::span<const AttrValue> attrs);
  void write_place(Node& node, Where where);
  void require_input_name(std::string_view name) const;
  std::uint16_t intern_file(std::string_view path);
  std::uint16_t intern_scope(std::string_view path);

  struct ShapeHash {
    std::size_t operator()(const Shape& shape) const;
  };

  ChunkedArray<Node, 1024> nodes_;
  std::vector<const Op*> ops_;         // of all nodes, in the order they came
  std::array<const Op*, kMet> met_{};  // some of ops_, each where its address says
  WordPool words_;
  ChunkedArray<Shape, 64> shapes_;
  std::unordered_map<Shape, std::uint32_t, ShapeHash> shape_ids_;
  std::vector<Tensor> constants_;
  std::vector<Variable> variables_;
  std::unordered_map<const void*, std::uint32_t> variable_nodes_;
  std::unordered_map<std::string, std::uint32_t> input_nodes_;
  std::map<std::uint32_t, std::string> names_;  // by node; a name stays where it is while others come
  std::deque<OpenedCall> opened_;
  // The empty text is number 0 of either.
  std::deque<std::string> files_, scopes_;
  std::unordered_map<std::string_view, std::uint16_t> file_ids_, scope_ids_;
  const char* last_file_ = nullptr;
  std::uint16_t last_file_id_ = 0;
  std::uint16_t scope_ = 0;
  const Node* credit_ = nullptr;
  bool derivative_ = false;
  // Handles made since the last rewind have generation_ and an index from epoch_; older ones that survived
  // it are found in epochs_ (first index, generation), which a rewind prunes and extends.
  std::uint32_t generation_ = 1;
  std::size_t epoch_ = 0;
  std::vector<std::pair<std::size_t, std::uint32_t>> epochs_{{0, 1}};
};

inline Tape& Var::tape() const {
  if (tape_ == nullptr) [[unlikely]]
    throw_null();
  tape_->check(*this);
  return *tape_;
}
inline DType Var::dtype() const { return tape().node(index_).dtype; }
inline const Shape& Var::shape() const { return tape().shape(tape().node(index_).shape); }
inline std::string_view Var::name() const { return tape().name(index_); }

}  // namespace backdrop
