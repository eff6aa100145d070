#pragma once

#include <backdrop/core/tape.hpp>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace backdrop::oracle {

/// One application of a named op in a case: its operands in order, and its attributes by name. Without a
/// fallback an attribute must be there.
class Step {
 public:
  Step(Tape& tape, std::vector<Var> operands, const nlohmann::json& attributes);

  Var operator[](std::size_t k) const;
  std::size_t count() const { return operands_.size(); }
  const std::vector<Var>& operands() const;
  Tape& tape() const { return tape_; }

  bool has(const char* name) const;
  /// A number, or "inf", for which JSON has no word.
  double real(const char* name) const;
  double real(const char* name, double fallback) const;
  std::int64_t integer(const char* name) const;
  std::int64_t integer(const char* name, std::int64_t fallback) const;
  bool flag(const char* name, bool fallback = false) const;
  std::string text(const char* name, const char* fallback) const;
  /// A list, empty when it is not given; a number where a list could stand is a list of it alone.
  std::vector<std::int64_t> ints(const char* name) const;
  /// The same, `otherwise` in place of null.
  std::vector<std::int64_t> ints(const char* name, std::int64_t otherwise) const;

  /// Throws unless every operand and attribute of the case was asked for: none is passed over in silence.
  void done() const;

 private:
  const nlohmann::json* find(const char* name) const;
  Tape& tape_;
  std::vector<Var> operands_;
  const nlohmann::json& attributes_;
  mutable std::vector<bool> taken_;
  mutable std::set<std::string> asked_;
};

/// Records the call of a public function that a step names.
using Record = Var (*)(const Step&);
using Vocabulary = std::map<std::string, Record, std::less<>>;

/// The table, by family.
void elementwise_calls(Vocabulary& v);
void reduction_calls(Vocabulary& v);
void shape_calls(Vocabulary& v);
void product_calls(Vocabulary& v);
void window_calls(Vocabulary& v);
void network_calls(Vocabulary& v);
void loss_calls(Vocabulary& v);
void dropout_calls(Vocabulary& v);

}  // namespace backdrop::oracle
