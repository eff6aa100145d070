#pragma once

#include <backdrop/core/dtype.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/core/shape.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace backdrop {

/// The first node of a run whose value is NaN or infinite, and what stood around it.
struct Anomaly {
  struct Operand {
    std::string input;  ///< its name in the op: "x"
    std::string node;   ///< what it is: "w1", or "tanh at train.cpp:41"
    DType dtype = DType::f32;
    Shape shape;
    std::optional<double> value;     ///< of an elementwise op: the element that the result's was made of
    double least = 0, greatest = 0;  ///< of its finite elements
    std::size_t not_finite = 0;      ///< how many are NaN or infinite
  };

  std::string op, name, scope;
  std::string part_of;  ///< the composite that was opened to run it, if any: "gelu"
  std::string file;     ///< the user's line
  unsigned line = 0;
  bool derivative = false;  ///< recorded by a derivative of what stands on that line
  bool leaf = false;        ///< fed, a Variable or a constant
  std::optional<std::uint32_t> step{};
  DType dtype = DType::f32;
  Shape shape;
  std::size_t element = 0;     ///< the first that is not finite, in row-major order
  double value = 0;            ///< what it is
  std::size_t not_finite = 0;  ///< how many elements are NaN or infinite
  std::size_t first_near = 0;  ///< the element that `near` begins with
  std::vector<double> near;    ///< the elements around it, at most two on either side
  std::vector<Operand> operands;
};
std::string to_string(const Anomaly& anomaly);

/// What a run throws that was told to look for anomalies. No Variable has changed.
class NonFiniteError : public Error {
 public:
  explicit NonFiniteError(Anomaly found)
      : Error(to_string(found)), anomaly_(std::make_shared<const Anomaly>(std::move(found))) {}
  const Anomaly& anomaly() const { return *anomaly_; }

 private:
  std::shared_ptr<const Anomaly> anomaly_;  // so that copying the exception does not throw
};

}  // namespace backdrop
