// Asks Ceres' GradientChecker about the cases, and prints them with its verdicts as JSON for others to be
// asked.
#include <ceres/ceres.h>
#include <ceres/gradient_checker.h>

#include <cstdio>

#include "peers/cases.hpp"

namespace {

using backdrop::peers::Case;

// What ceres::Solver takes when it is told to check gradients.
const double kRelativePrecision = ceres::Solver::Options().gradient_check_relative_precision;

class Cost : public ceres::CostFunction {
 public:
  explicit Cost(const Case& c) : case_(c) {
    set_num_residuals(static_cast<int>(c.rows));
    mutable_parameter_block_sizes()->push_back(static_cast<int>(c.x.size()));
  }
  bool Evaluate(double const* const* x, double* y, double** jacobians) const override {
    case_.value(x[0], y);
    if (jacobians != nullptr && jacobians[0] != nullptr) case_.jacobian(x[0], jacobians[0]);
    return true;
  }

 private:
  const Case& case_;
};

bool flagged(const Case& c) {
  const Cost cost(c);
  const std::vector<const ceres::Manifold*>* const no_manifolds = nullptr;
  const ceres::GradientChecker checker(&cost, no_manifolds, ceres::NumericDiffOptions());
  const double* const x = c.x.data();
  ceres::GradientChecker::ProbeResults results;
  return !checker.Probe(&x, kRelativePrecision, &results);
}

void print_list(const char* name, const std::vector<double>& list) {
  std::printf(", \"%s\": [", name);
  for (std::size_t k = 0; k < list.size(); ++k) std::printf("%s%.17g", k == 0 ? "" : ", ", list[k]);
  std::printf("]");
}

}  // namespace

int main(int, char** argv) {
  google::InitGoogleLogging(argv[0]);
  std::printf("{\"version\": \"%s\", \"relative_precision\": %g, \"cases\": [", CERES_VERSION_STRING,
              kRelativePrecision);
  const char* separator = "\n";
  for (const Case& c : backdrop::peers::cases()) {
    std::vector<double> y(c.rows), jacobian(c.rows * c.x.size());
    c.value(c.x.data(), y.data());
    c.jacobian(c.x.data(), jacobian.data());
    std::printf("%s{\"function\": \"%s\", \"second_order\": %s, \"flagged\": %s, \"name\": \"", separator,
                c.function, c.second_order ? "true" : "false", flagged(c) ? "true" : "false");
    for (const char* letter = c.name; *letter != 0; ++letter) {
      std::printf(*letter == '\\' ? "\\\\" : "%c", *letter);
    }
    std::printf("\"");
    print_list("x", c.x);
    print_list("y", y);
    print_list("jacobian", jacobian);
    std::printf("}");
    separator = ",\n";
  }
  std::printf("\n]}\n");
  return 0;
}
