#pragma once

#include <functional>
#include <string>
#include <vector>

#include "measure.hpp"

namespace backdrop::bench {

/// A row of the table: one piece of work, and who does it. Each contender is made when the row's turn comes
/// and dropped after it, so that the memory of one row is no burden to the next.
struct Row {
  std::string name;
  std::string unit;   ///< of the times: "ns/element" and the like
  double things = 1;  ///< elements, ops, ...: as many as one call deals with
  std::function<Sampler()> backdrop;
  std::function<Sampler()> memcpy{};  ///< a copy of as many bytes as the work's input has
  std::function<Sampler()> hand{};    ///< straightforward code for the same work, in bench/hand
  /// What stays in memory between forwards and backwards.
  std::function<double()> bytes_saved_per_element{};
  int threads = 1;
  bool peak_memory = false;  ///< also measured, in processes of their own
};

/// All rows, in the order of the table. One function per family, in rows/.
std::vector<Row> all_rows();

void add_dropout(std::vector<Row>& rows);
void add_mlp_steps(std::vector<Row>& rows);
void add_tiny_ops(std::vector<Row>& rows);
void add_gradchecks(std::vector<Row>& rows);
void add_mlp_steps_of_two_threads(std::vector<Row>& rows);
void add_chain(std::vector<Row>& rows);
void add_row_wise(std::vector<Row>& rows);
void add_layers(std::vector<Row>& rows);
void add_adbench(std::vector<Row>& rows);
void add_growth_by_nodes(std::vector<Row>& rows);
void add_growth_by_elements(std::vector<Row>& rows);

}  // namespace backdrop::bench
