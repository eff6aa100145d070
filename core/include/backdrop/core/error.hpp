#pragma once

#include <stdexcept>
#include <string>

namespace backdrop {

/// Base of everything backdrop throws. The message names the op, the offending values and the remedy;
/// whatever was being changed (a tape, a file, a Variable) is as it was before the call.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Shapes that do not fit each other or the op.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// An element type the op does not accept.
class DTypeError : public Error {
 public:
  using Error::Error;
};

/// A number outside its range, or data that cannot be read.
class ValueError : public Error {
 public:
  using Error::Error;
};

/// A Var of another tape, of a cleared tape, or of a part that was rewound.
class TapeError : public Error {
 public:
  using Error::Error;
};

/// A recording that cannot be differentiated, compiled, run, dumped or loaded as asked.
class GraphError : public Error {
 public:
  using Error::Error;
};

}  // namespace backdrop
