#pragma once

#include <backdrop/graph/check_op.hpp>
#include <vector>

/// What the laws range over. A new op needs rows in the table of its family (samples/*.cpp) and no law of its
/// own: one row for an elementwise op (broadcast, rank 0, empty, large and tied inputs are derived from it);
/// for others also a row with rank 0 and one with an empty size where the op takes them, and two settings of
/// every attribute. A row reads: s.add(mul_op, [](SampleMaker& m) { return mul(m.real({2, 3}), m.mask({3}));
/// });
namespace backdrop {

class Samples {
 public:
  void add(const Op& op, OpSample::Make make, Where where = Where::here()) { add(op, {}, make, where); }
  void add(const Op& op, const SampleTraits& traits, OpSample::Make make, Where where = Where::here()) {
    rows_.push_back({&op, {traits, make, where}});
  }
  /// Those of one op, in the order of the table.
  std::vector<OpSample> of(const Op& op) const;

 private:
  struct Row {
    const Op* op;
    OpSample sample;
  };
  std::vector<Row> rows_;
};

/// The samples of an op of the library, from all tables.
std::vector<OpSample> samples_of(const Op& op);

/// The tables, by family.
void arithmetic_samples(Samples& s);
void elementwise_samples(Samples& s);
void compare_samples(Samples& s);
void create_samples(Samples& s);
void reduce_samples(Samples& s);
void scan_samples(Samples& s);
void layout_samples(Samples& s);
void index_samples(Samples& s);
void matmul_samples(Samples& s);
void convolution_samples(Samples& s);
void dropout_samples(Samples& s);
void random_samples(Samples& s);
void normalize_samples(Samples& s);
void loss_samples(Samples& s);
void attention_samples(Samples& s);
void recurrent_samples(Samples& s);
void checkpoint_samples(Samples& s);

}  // namespace backdrop
