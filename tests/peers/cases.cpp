#include "peers/cases.hpp"

#include <algorithm>
#include <cmath>

namespace backdrop::peers {

namespace {

constexpr std::size_t kFour = 4, kHundred = 100, kIn = 3, kHidden = 5, kOut = 2;
constexpr double kKeep = 0.75;
constexpr double kMask[kFour] = {1, 0, 1, 1}, kOtherMask[kFour] = {1, 1, 0, 1};
constexpr double kMatrix[kFour][kFour] = {{1, 2, 3, 4}, {0, 1, -1, 2}, {5, 0, 1, 1}, {2, 2, -3, 1}};

// ---- the functions

// Volatile: or a compiler with more bits than the dtype would hide the rounding that this is about.
double rounded_to_1e8(double x) {
  volatile double sum = 1e8 + x;
  return sum - 1e8;
}
template <std::size_t kN>
void square(const double* x, double* y) {
  for (std::size_t k = 0; k < kN; ++k) y[k] = x[k] * x[k];
}
void noisy_square(const double* x, double* y) {
  for (std::size_t k = 0; k < kFour; ++k) y[k] = rounded_to_1e8(x[k] * x[k]);
}
void dropout(const double* x, double* y) {
  for (std::size_t k = 0; k < kFour; ++k) y[k] = kMask[k] * x[k] * x[k] / kKeep;
}
void redrawn_dropout(const double* x, double* y) {
  static unsigned calls = 0;
  ++calls;
  for (std::size_t k = 0; k < kFour; ++k) {
    y[k] = (calls * 2654435761U >> (8 + k) & 3U) != 0 ? x[k] * x[k] / kKeep : 0;
  }
}
void matrix(const double* x, double* y) {
  for (std::size_t i = 0; i < kFour; ++i) {
    y[i] = 0;
    for (std::size_t j = 0; j < kFour; ++j) y[i] += kMatrix[i][j] * x[j] * x[j];
  }
}
void two_rows(const double* x, double* y) {
  square<kFour>(x, y);
  square<kFour>(x, y + kFour);
}
void tiny(const double* x, double* y) {
  y[0] = 0;
  for (std::size_t k = 0; k < kFour; ++k) y[0] += 1e-6 * x[k] * x[k];
}
void ripples(const double* x, double* y) {
  for (std::size_t k = 0; k < 2; ++k) y[k] = std::sin(1e8 * x[k]);
}
void root(const double* x, double* y) {
  for (std::size_t k = 0; k < 2; ++k) y[k] = std::sqrt(x[k]);
}
void relu(const double* x, double* y) {
  for (std::size_t k = 0; k < 3; ++k) y[k] = x[k] > 0 ? x[k] : 0;
}
double weight(std::size_t i, std::size_t j) { return (static_cast<double>((i * 7 + j * 3) % 11) - 5) / 8; }
void hidden(const double* x, double* h) {
  for (std::size_t i = 0; i < kHidden; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < kIn; ++j) sum += weight(i, j) * x[j];
    h[i] = std::tanh(sum);
  }
}
void mlp(const double* x, double* y) {
  double h[kHidden];
  hidden(x, h);
  for (std::size_t i = 0; i < kOut; ++i) {
    y[i] = 0;
    for (std::size_t k = 0; k < kHidden; ++k) y[i] += weight(k, i + 4) * h[k];
  }
}

// ---- and derivatives of them

// diag(f(k, x[k]))
template <std::size_t kN, class F>
void diagonal(const double* x, double* j, F f) {
  std::fill_n(j, kN * kN, 0.);
  for (std::size_t k = 0; k < kN; ++k) j[k * kN + k] = f(k, x[k]);
}
template <std::size_t kN>
void right_square(const double* x, double* j) {
  diagonal<kN>(x, j, [](std::size_t, double v) { return 2 * v; });
}
// 2 x c / 1000000: a number is no template argument.
template <int kMillionths>
void square_times(const double* x, double* j) {
  diagonal<kFour>(x, j, [](std::size_t, double v) { return 2 * v * kMillionths / 1e6; });
}
template <std::size_t kN, std::size_t kAt, int kMillionths>
void square_with_one_off(const double* x, double* j) {
  diagonal<kN>(x, j, [](std::size_t k, double v) { return 2 * v * (k == kAt ? kMillionths / 1e6 : 1.); });
}
void right_dropout(const double* x, double* j) {
  diagonal<kFour>(x, j, [](std::size_t k, double v) { return kMask[k] * 2 * v / kKeep; });
}
void matrix_by(const double* x, double* j, std::size_t (*row)(std::size_t i, std::size_t k),
               std::size_t (*column)(std::size_t i, std::size_t k)) {
  for (std::size_t i = 0; i < kFour; ++i) {
    for (std::size_t k = 0; k < kFour; ++k) j[i * kFour + k] = kMatrix[row(i, k)][column(i, k)] * 2 * x[k];
  }
}
void mlp_jacobian(const double* x, double* j, bool with_tanh) {
  double h[kHidden];
  hidden(x, h);
  for (std::size_t i = 0; i < kOut; ++i) {
    for (std::size_t n = 0; n < kIn; ++n) {
      double sum = 0;
      for (std::size_t k = 0; k < kHidden; ++k) {
        sum += weight(k, i + 4) * (with_tanh ? 1 - h[k] * h[k] : 1) * weight(k, n);
      }
      j[i * kIn + n] = sum;
    }
  }
}
void two_rows_by(const double* x, double* j, double second) {
  right_square<kFour>(x, j);
  for (std::size_t k = 0; k < kFour * kFour; ++k) j[kFour * kFour + k] = second * j[k];
}

std::vector<Case> wrong_ones() {
  const std::vector<double> x{1.5, -2, 0.75, 3};
  std::vector<double> many;
  many.reserve(kHundred);
  for (std::size_t k = 0; k < kHundred; ++k) many.push_back(0.5 + static_cast<double>(k) / 64);
  return {
      {"dropout backwards by the 0/1 mask", "dropout", true, x, kFour, dropout,
       [](const double* at, double* j) {
         diagonal<kFour>(at, j, [](std::size_t k, double v) { return kMask[k] * 2 * v; });
       }},
      {"dropout backwards scaled twice", "dropout", true, x, kFour, dropout,
       [](const double* at, double* j) {
         diagonal<kFour>(at, j, [](std::size_t k, double v) { return kMask[k] * 2 * v / kKeep / kKeep; });
       }},
      {"mask of another step", "dropout", true, x, kFour, dropout,
       [](const double* at, double* j) {
         diagonal<kFour>(at, j, [](std::size_t k, double v) { return kOtherMask[k] * 2 * v / kKeep; });
       }},
      {"mask drawn anew at each call of the function", "redrawn_dropout", true, x, kFour, redrawn_dropout,
       right_dropout},
      {"factor 2 missing", "square", true, x, kFour, square<kFour>, square_times<500'000>},
      {"factor 1.001", "square", true, x, kFour, square<kFour>, square_times<1'001'000>},
      {"factor 1.0001", "square", true, x, kFour, square<kFour>, square_times<1'000'100>},
      {"sign", "square", true, x, kFour, square<kFour>, square_times<-1'000'000>},
      {"gradient 0", "square", true, x, kFour, square<kFour>, square_times<0>},
      {"gradient 0 of 10^-6 \\|x\\|^2", "tiny", true, x, 1, tiny,
       [](const double*, double* j) { std::fill_n(j, kFour, 0.); }},
      {"matrix transposed", "matrix", true, x, kFour, matrix,
       [](const double* at, double* j) {
         matrix_by(
             at, j, [](std::size_t, std::size_t k) { return k; },
             [](std::size_t i, std::size_t) { return i; });
       }},
      {"rows off by one", "matrix", true, x, kFour, matrix,
       [](const double* at, double* j) {
         matrix_by(
             at, j, [](std::size_t i, std::size_t) { return (i + 1) % kFour; },
             [](std::size_t, std::size_t k) { return k; });
       }},
      {"one entry of 10^4 off by 10^-4", "square", true, many, kHundred, square<kHundred>,
       square_with_one_off<kHundred, 41, 1'000'100>},
      {"broadcast: one row for their sum", "two_rows", true, x, 2 * kFour, two_rows,
       [](const double* at, double* j) { two_rows_by(at, j, 0); }},
      {"tanh forgotten in an MLP 3-5-2",
       "mlp",
       true,
       {0.5, -1, 0.25},
       kOut,
       mlp,
       [](const double* at, double* j) { mlp_jacobian(at, j, false); }},
      {"wrong by 10^-3 where x is 10^8",
       "square",
       true,
       {1e8, 1.5, -2, 3},
       kFour,
       square<kFour>,
       square_with_one_off<kFour, 0, 1'001'000>},
      {"twice as large where x is 10^-8",
       "square",
       true,
       {1e-8, 1.5, -2, 3},
       kFour,
       square<kFour>,
       square_with_one_off<kFour, 0, 2'000'000>},
      {"slope 2 at the kink of relu",
       "relu",
       true,
       {0, 1.5, -2},
       3,
       relu,
       [](const double* at, double* j) {
         diagonal<3>(at, j, [](std::size_t k, double v) { return k == 0 ? 2. : v > 0 ? 1. : 0.; });
       }},
      {"wrong in second order only", "square", true, x, kFour, square<kFour>, right_square<kFour>, true},
  };
}

std::vector<Case> right_ones() {
  const std::vector<double> x{1.5, -2, 0.75, 3};
  return {
      {"dropout with a fixed mask", "dropout", false, x, kFour, dropout, right_dropout},
      {"MLP 3-5-2",
       "mlp",
       false,
       {0.5, -1, 0.25},
       kOut,
       mlp,
       [](const double* at, double* j) { mlp_jacobian(at, j, true); }},
      {"10^-6 \\|x\\|^2", "tiny", false, x, 1, tiny,
       [](const double* at, double* j) {
         for (std::size_t k = 0; k < kFour; ++k) j[k] = 2e-6 * at[k];
       }},
      {"x of 10^8", "square", false, {1e8, 1.5, -2, 3}, kFour, square<kFour>, right_square<kFour>},
      {"x of 10^-8", "square", false, {1e-8, 1.5, -2, 3}, kFour, square<kFour>, right_square<kFour>},
      {"sin(10^8 x) at 10^-8",
       "ripples",
       false,
       {1e-8, 2e-8},
       2,
       ripples,
       [](const double* at, double* j) {
         diagonal<2>(at, j, [](std::size_t, double v) { return 1e8 * std::cos(1e8 * v); });
       }},
      {"sqrt at 10^-7, near the end of its domain",
       "root",
       false,
       {1e-7, 2},
       2,
       root,
       [](const double* at, double* j) {
         diagonal<2>(at, j, [](std::size_t, double v) { return 0.5 / std::sqrt(v); });
       }},
      {"slope 0 at the kink of relu",
       "relu",
       false,
       {0, 1.5, -2},
       3,
       relu,
       [](const double* at, double* j) {
         diagonal<3>(at, j, [](std::size_t, double v) { return v > 0 ? 1. : 0.; });
       }},
      {"rounding noise: (10^8 + x^2) - 10^8", "noisy_square", false, x, kFour, noisy_square,
       right_square<kFour>},
  };
}

}  // namespace

const std::vector<Case>& cases() {
  static const std::vector<Case> kAll = [] {
    std::vector<Case> all = wrong_ones();
    for (Case& c : right_ones()) all.push_back(std::move(c));
    return all;
  }();
  return kAll;
}

}  // namespace backdrop::peers
