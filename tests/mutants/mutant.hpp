#pragma once

#include <backdrop/core/op.hpp>
#include <memory>
#include <string_view>
#include <vector>

#include "laws/cases.hpp"

/// Wrong derivatives made by machine: every rule of every op, with one thing changed in what it records.
namespace backdrop {

/// What is wrong. The first three change a node inside the rule, the others its result.
enum class Fault : std::uint8_t {
  term_dropped,      ///< one operand of a sum or difference is missing
  factor_dropped,    ///< one factor of a product, a quotient or a scale is missing
  operands_swapped,  ///< of a difference, a quotient, or a choice
  factor_1001,       ///< times 1.001
  wrong_sign,
  transposed,    ///< the last two axes exchanged, or the elements reversed where there is one
  vanished,      ///< 0
  second_order,  ///< right itself, but its own derivatives are times 1.001
};
inline constexpr std::size_t kFaults = 8;
std::string_view name(Fault fault);

/// Which of an op's derivatives is wrong: one mode, or the local derivative that both modes come from.
enum class Place : std::uint8_t { vjp, jvp, both };

/// A copy of an op with one wrong rule; kernel and body are the op's own.
struct Mutant : Op {
  const Op* original = nullptr;
  Place place = Place::vjp;
  std::size_t input = 0;
  Fault fault = Fault::wrong_sign;
  std::size_t site = 0;  ///< which of the nodes that the fault could strike
};

/// One for each rule, fault and site; those that turn out to change nothing are among them.
std::vector<std::unique_ptr<Mutant>> mutants_of(const Op& op);

/// The recording of a case with the sampled op exchanged for a mutant.
struct Mutated {
  Tape tape;
  Var y;
  std::vector<Var> xs;
};
void mutate(const Case& from, const Mutant& mutant, Mutated& out);

/// How far the mutant's derivative is from the right one, relative to its largest element: in its mode, or in
/// second order if the fault is there.
double damage(Case& right, const Mutated& wrong, const Mutant& mutant);

}  // namespace backdrop
