#include "row.hpp"

namespace backdrop::bench {

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  add_dropout(rows);
  add_mlp_steps(rows);
  add_tiny_ops(rows);
  add_mlp_steps_of_two_threads(rows);
  add_chain(rows);
  add_row_wise(rows);
  add_layers(rows);
  add_adbench(rows);
  add_gradchecks(rows);
  add_growth_by_nodes(rows);
  add_growth_by_elements(rows);
  return rows;
}

}  // namespace backdrop::bench
