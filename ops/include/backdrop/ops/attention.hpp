#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/core/random.hpp>
#include <optional>

namespace backdrop {

extern const Op scaled_dot_product_attention_op;

struct AttentionOptions {
  /// Which keys a query may attend to, broadcast to [..., L, S]: a mask, 1 = may; or numbers that are added
  /// to the scores, as PyTorch's attn_mask.
  Var mask{};
  /// Query i attends to keys 0 to i alone, besides what the mask says.
  bool causal = false;
  /// What the dot products are multiplied by; 1/sqrt(E) if not given.
  std::optional<double> scale{};
  /// The probability of *dropping* a weight; it takes one of the next two.
  double p = 0;
  Var dropout_mask{};  ///< 1 = kept, broadcast to [..., L, S]
  std::optional<Key> dropout_key{};
};

/// y = dropout(softmax(scale query key' + bias)) value for query [..., L, E], key [..., S, E] and value
/// [..., S, V], whose leading axes broadcast: [..., L, V]. What the mask or causal excludes has weight 0; a
/// query that they leave no key receives 0 and passes no gradient (PyTorch 1.13 gives NaN), while a bias of
/// -inf in a whole row gives NaN, as in softmax. The dropout is the node dropout(weights, p, mask). f32 or
/// f64. Throws DTypeError, ShapeError, ValueError when p > 0 has neither mask nor key. Vaswani et al.,
/// arXiv:1706.03762.
Var scaled_dot_product_attention(Var query, Var key, Var value, const AttentionOptions& options = {},
                                 Where where = Where::here());

}  // namespace backdrop
