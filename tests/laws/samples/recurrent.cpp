#include <backdrop/ops/recurrent.hpp>

#include "laws/samples.hpp"

namespace backdrop {

namespace {

CellWeights weights(SampleMaker& m, std::int64_t gates, std::int64_t from, std::int64_t to) {
  return {m.real({gates * to, from}), m.real({gates * to, to}), m.real({gates * to}), m.real({gates * to})};
}

}  // namespace

void recurrent_samples(Samples& s) {
  s.add(rnn_cell_op, [](SampleMaker& m) {
    return rnn_cell(m.real({2, 3}), m.real({2, 2}), weights(m, 1, 3, 2));
  });
  s.add(rnn_cell_op, [](SampleMaker& m) {
    return rnn_cell(m.positive({2, 3}), m.positive({2, 2}), {m.positive({2, 3}), m.positive({2, 2})}, true);
  });
  s.add(rnn_cell_op, [](SampleMaker& m) {
    return rnn_cell(m.real({0, 3}), m.real({0, 2}), weights(m, 1, 3, 2));
  });
  s.add(gru_cell_op, [](SampleMaker& m) {
    return gru_cell(m.real({2, 3}), m.real({2, 2}), weights(m, 3, 3, 2));
  });
  s.add(gru_cell_op, [](SampleMaker& m) {
    return gru_cell(m.real({1}), m.real({2}), {m.real({6, 1}), m.real({6, 2})});
  });
  s.add(gru_cell_op, [](SampleMaker& m) {
    return gru_cell(m.real({0, 3}), m.real({0, 2}), weights(m, 3, 3, 2));
  });
  s.add(lstm_cell_op, [](SampleMaker& m) {
    return lstm_cell(m.real({2, 3}), {m.real({2, 2}), m.real({2, 2})}, weights(m, 4, 3, 2)).h;
  });
  s.add(lstm_cell_op, [](SampleMaker& m) {
    return lstm_cell(m.real({1}), {m.real({2}), m.real({2})}, {m.real({8, 1}), m.real({8, 2})}).c;
  });
  s.add(lstm_cell_op, [](SampleMaker& m) {
    return lstm_cell(m.real({0, 3}), {m.real({0, 2}), m.real({0, 2})}, weights(m, 4, 3, 2)).h;
  });
}

}  // namespace backdrop
