#pragma once

#include <array>
#include <backdrop/core/tape.hpp>
#include <concepts>
#include <span>
#include <vector>

/// Differentiation. All of these append nodes to the tape of y, so that derivatives can be differentiated
/// again; nothing is computed until values are asked for. Each node is visited once, without recursion.
/// Every x must be f32 or f64 (DTypeError otherwise); an x that y does not depend on gets zeros.
/// GraphError names the op where a derivative is missing.
namespace backdrop {

/// Cotangents of several nodes: J' g, by a reverse sweep from y with the cotangent g of y's type.
/// Throws ShapeError or DTypeError when g is of another type.
std::vector<Var> vjp(Var y, std::span<const Var> xs, Var cotangent);
inline std::vector<Var> vjp(Var y, const std::vector<Var>& xs, Var cotangent) {
  return vjp(y, std::span<const Var>(xs), cotangent);
}
inline Var vjp(Var y, Var x, Var cotangent) { return vjp(y, std::span<const Var>(&x, 1), cotangent)[0]; }

/// dy/dx of a scalar y (one element): the cotangent is 1. Throws ShapeError when y has more elements.
std::vector<Var> grad(Var y, std::span<const Var> xs);
inline std::vector<Var> grad(Var y, const std::vector<Var>& xs) { return grad(y, std::span<const Var>(xs)); }
inline Var grad(Var y, Var x) { return grad(y, std::span<const Var>(&x, 1))[0]; }
/// auto [gw, gb] = grad(y, w, b);
template <std::same_as<Var>... More>
requires(sizeof...(More) > 0) std::array<Var, sizeof...(More) + 1> grad(Var y, Var x, More... more) {
  const std::array<Var, sizeof...(More) + 1> xs{x, more...};
  const std::vector<Var> found = grad(y, std::span<const Var>(xs));
  std::array<Var, sizeof...(More) + 1> out;
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = found[k];
  return out;
}

struct ValueAndGrad {
  Var value;
  std::vector<Var> grads;
};
/// y beside its gradients, for one run that computes both.
ValueAndGrad value_and_grad(Var y, std::span<const Var> xs);
inline ValueAndGrad value_and_grad(Var y, const std::vector<Var>& xs) {
  return value_and_grad(y, std::span<const Var>(xs));
}

/// Tangents of y: J t, by a forward sweep from xs with tangents ts of their types. An x has the tangent that
/// is given, whatever it is made of: unlike vjp, where what arrives at one goes on to those that it is made
/// of.
Var jvp(Var y, std::span<const Var> xs, std::span<const Var> tangents);
inline Var jvp(Var y, const std::vector<Var>& xs, const std::vector<Var>& tangents) {
  return jvp(y, std::span<const Var>(xs), std::span<const Var>(tangents));
}
inline Var jvp(Var y, Var x, Var tangent) {
  return jvp(y, std::span<const Var>(&x, 1), std::span<const Var>(&tangent, 1));
}

/// H v for a scalar y: the jvp of its gradient (forward over reverse). Of several xs at once, with a
/// direction for each: one part of H v for each.
std::vector<Var> hvp(Var y, std::span<const Var> xs, std::span<const Var> vs);
inline std::vector<Var> hvp(Var y, const std::vector<Var>& xs, const std::vector<Var>& vs) {
  return hvp(y, std::span<const Var>(xs), std::span<const Var>(vs));
}
inline Var hvp(Var y, Var x, Var v) {
  return hvp(y, std::span<const Var>(&x, 1), std::span<const Var>(&v, 1))[0];
}

}  // namespace backdrop
