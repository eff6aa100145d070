#pragma once

#include <backdrop/core/tape.hpp>
#include <vector>

#include "proof/normal_form.hpp"

/// What the rules of the normal form share.
namespace backdrop::proof {

/// A node and the values of its inputs.
struct Application {
  NormalForm& form;
  const Tape& tape;
  std::size_t index;
  std::vector<Id> x;
  Id shape;
  const std::vector<bool>* infinite = nullptr;  // nodes made of a constant that is not finite

  Algebra& algebra() const { return form.algebra_; }
  const Node& node() const { return tape.node(index); }
  const Op& op() const { return *node().op; }
  AttrValue attribute(std::size_t k) const { return tape.attribute(node(), k); }
  const Shape& full() const { return tape.shape(node().shape); }
  const Node& input(std::size_t k) const { return tape.node(node().inputs()[k]); }
  const Shape& full(std::size_t k) const { return tape.shape(input(k).shape); }

  Id number(double value) const { return algebra().constant(shape, Dyadic(value)); }
  Id negative(Id a) const { return algebra().scale(a, Dyadic(-1)); }
  Id difference(Id a, Id b) const { return algebra().add(a, negative(b)); }
  Id complement(Id a) const { return difference(algebra().constant(algebra().shape_of(a), Dyadic(1)), a); }
  bool is_bit(Id a) const { return form.bits_.contains(a); }
  bool is_integer(Id a) const { return form.integers_.contains(a); }
  bool is_infinite(std::size_t k) const { return (*infinite)[node().inputs()[k]]; }
};

/// What stands in the recording beside the inputs. A reduced axis kept with extent 1 makes no difference.
Words attributes(const Application& n);

/// An elementwise op of these values: what they do not vary along, it does not vary along either. `bit`: it
/// is 0 or 1.
Id elementwise(const Application& n, const Op& op, std::vector<Id> args, const Words& key, bool bit);

/// Of comparisons and of what has a kink: products with the bits [u > 0] and [u = 0], where u does not lead
/// with a minus; so [-u > 0] is 1 - [u > 0] - [u = 0], and u [u = 0] is 0.
namespace branches {

Id is_positive(const Application& n, Id x);
Id is_zero(const Application& n, Id x);
Id is_nonzero(const Application& n, Id x);
/// x y, one of which may be such bits.
Id times(const Application& n, Id x, Id y);
/// x where the bits are 1, y where they are 0.
Id choose(const Application& n, Id bits, Id x, Id y);
Id relu(const Application& n);
Id abs(const Application& n);
Id sign(const Application& n);
Id maximum(const Application& n);
Id minimum(const Application& n);

}  // namespace branches

}  // namespace backdrop::proof
