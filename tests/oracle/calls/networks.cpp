#include <backdrop/ops/ops.hpp>

#include "oracle/step.hpp"

namespace backdrop::oracle {

namespace {

Var optional(const Step& s, std::size_t k) { return k < s.count() ? s[k] : Var{}; }

// Weight and bias are the operands from `first` on.
NormOptions affine(const Step& s, std::size_t first) {
  return {.weight = optional(s, first), .bias = optional(s, first + 1), .eps = s.real("eps", 1e-5)};
}

// Masks come after query, key and value: of the scores if "masked", of the weights if there is a p.
AttentionOptions attention(const Step& s) {
  AttentionOptions options;
  std::size_t next = 3;
  if (s.flag("masked")) options.mask = s[next++];
  options.causal = s.flag("causal");
  if (s.has("scale")) options.scale = s.real("scale");
  if (s.has("p")) {
    options.p = s.real("p");
    options.dropout_mask = s[next];
  }
  return options;
}

CellWeights weights(const Step& s, std::size_t first) {
  return {
      .w_ih = s[first], .w_hh = s[first + 1], .b_ih = optional(s, first + 2), .b_hh = optional(s, first + 3)};
}

void normalization(Vocabulary& v) {
  v["softmax"] = [](const Step& s) { return softmax(s[0], s.integer("axis")); };
  v["log_softmax"] = [](const Step& s) { return log_softmax(s[0], s.integer("axis")); };
  v["standardize"] = [](const Step& s) { return standardize(s[0], s.ints("axes"), s.real("eps", 1e-5)); };
  v["layer_norm"] = [](const Step& s) { return layer_norm(s[0], Shape(s.ints("normalized")), affine(s, 1)); };
  v["rms_norm"] = [](const Step& s) { return rms_norm(s[0], Shape(s.ints("normalized")), affine(s, 1)); };
  v["batch_norm"] = [](const Step& s) { return batch_norm(s[0], affine(s, 1)); };
  v["batch_norm_given"] = [](const Step& s) { return batch_norm(s[0], s[1], s[2], affine(s, 3)); };
  v["group_norm"] = [](const Step& s) { return group_norm(s[0], s.integer("groups"), affine(s, 1)); };
  v["instance_norm"] = [](const Step& s) { return instance_norm(s[0], affine(s, 1)); };
  v["normalize"] = [](const Step& s) { return normalize(s[0], s.integer("axis", 1)); };
  v["cosine_similarity"] = [](const Step& s) { return cosine_similarity(s[0], s[1], s.integer("axis", 1)); };
  v["pairwise_distance"] = [](const Step& s) { return pairwise_distance(s[0], s[1]); };
}

void recurrent(Vocabulary& v) {
  v["scaled_dot_product_attention"] = [](const Step& s) {
    return scaled_dot_product_attention(s[0], s[1], s[2], attention(s));
  };
  v["lstm_cell"] = [](const Step& s) {
    const LstmState next = lstm_cell(s[0], {.h = s[1], .c = s[2]}, weights(s, 3));
    return s.integer("output") == 0 ? next.h : next.c;
  };
  v["gru_cell"] = [](const Step& s) { return gru_cell(s[0], s[1], weights(s, 2)); };
  v["rnn_cell"] = [](const Step& s) {
    return rnn_cell(s[0], s[1], weights(s, 2), s.text("nonlinearity", "tanh") == "relu");
  };
}

}  // namespace

void network_calls(Vocabulary& v) {
  normalization(v);
  recurrent(v);
}

}  // namespace backdrop::oracle
