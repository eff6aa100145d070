#pragma once

#include <backdrop/core/tape.hpp>
#include <backdrop/format.hpp>
#include <iosfwd>
#include <string>

namespace backdrop {

/// What prove_equal found out. Prints as text.
struct Proof {
  /// A node, as the user knows it: of an opened composite, the op of its body and the composite it is in.
  struct Place {
    std::string op;      ///< "scale in dropout"
    std::string name;    ///< "" if it has none
    std::string source;  ///< "train.cpp:12"
    std::string form;    ///< its normal form in words
  };

  bool equal = false;  ///< false: not proven, which is not a proof that they differ
  std::string why;     ///< what differs at the first nodes that do, where not proven
  Place a, b;          ///< the two nodes asked about, and
  Place first_a,
      first_b;  ///< the first that differ: the deepest pair that is computed alike from equal nodes

  explicit operator bool() const { return equal; }
};
std::string to_string(const Proof& proof);
std::ostream& operator<<(std::ostream& out, const Proof& proof);

/// Whether two nodes, of one tape or of two, are the same function of the leaves by structure alone:
/// composites are opened, and both sides written as sums of products with exact coefficients, in which x *
/// mask is a product with a number that is 0 or 1, and transpositions, broadcasts, sums and matrix products
/// are indices, as in einsum; relu, maximum, abs and sign are products with [u > 0], and tanh and rational
/// functions of 1 + e^u are polynomials in sigmoid. Equal means equal as functions over the reals wherever
/// both are defined: rounding (casts between f32 and f64 too), NaN, infinities and the sign of zero aside; a
/// composite is what its body says. A derivative is the function that the rules record, with its value at a
/// kink: those of relu(x) and of where(x > 0, x, 0) are equal, that of maximum(x, 0) is another at 0. What is
/// said to be equal is equal; what is not proven may still be. Of two tapes, inputs are the same by name and
/// type, Variables if they are the same, or by name, type and value where the names are unique. Records
/// nothing.
Proof prove_equal(Var a, Var b);

}  // namespace backdrop

template <>
struct fmt::formatter<backdrop::Proof> : backdrop::AsText<backdrop::Proof> {};
