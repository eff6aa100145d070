#include "laws/samples.hpp"

#include <algorithm>

namespace backdrop {

namespace {

const Samples& all_samples() {
  static const Samples kAll = [] {
    Samples s;
    for (const auto family : {arithmetic_samples, elementwise_samples, compare_samples, create_samples,
                              reduce_samples, scan_samples, layout_samples, index_samples, matmul_samples,
                              convolution_samples, dropout_samples, random_samples, normalize_samples,
                              loss_samples, attention_samples, recurrent_samples, checkpoint_samples}) {
      family(s);
    }
    return s;
  }();
  return kAll;
}

}  // namespace

std::vector<OpSample> samples_of(const Op& op) { return all_samples().of(op); }

std::vector<OpSample> Samples::of(const Op& op) const {
  std::vector<OpSample> out;
  for (const Row& row : rows_) {
    if (row.op == &op) out.push_back(row.sample);
  }
  return out;
}

}  // namespace backdrop
