#pragma once

#include <backdrop/core/dtype.hpp>
#include <backdrop/core/shape.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace backdrop {

/// A nested list of numbers as it is written in source: `{{1, 2}, {3, 4}}`. Numbers are kept as doubles, so
/// integers beyond 2^53 are rounded; Tensor::from takes them as they are.
class NestedList {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> NestedList(T number) : number_(static_cast<double>(number)) {}
  NestedList(std::initializer_list<NestedList> items) : items_(items), is_list_(true) {}

  bool is_list() const { return is_list_; }
  double number() const { return number_; }
  const std::vector<NestedList>& items() const { return items_; }

 private:
  double number_ = 0;
  std::vector<NestedList> items_;
  bool is_list_ = false;
};

/// A dense row-major array. Copies share the elements; they are immutable once shared, so writing through
/// `mutable_data` copies first when somebody else holds them. Storage starts at 64 bytes and is padded to
/// whole 64-byte vectors; padding bits of a mask are zero.
class Tensor {
 public:
  /// Rank 0, f32, zero.
  Tensor();
  /// From a nested list; throws ShapeError when it is ragged.
  Tensor(std::initializer_list<NestedList> items, DType dtype = DType::f32);
  /// Rank 0.
  static Tensor scalar(double number, DType dtype = DType::f32) { return full({}, number, dtype); }
  static Tensor full(const Shape& shape, double number, DType dtype = DType::f32);
  static Tensor zeros(const Shape& shape, DType dtype = DType::f32) { return full(shape, 0, dtype); }
  static Tensor ones(const Shape& shape, DType dtype = DType::f32) { return full(shape, 1, dtype); }
  /// 0, 1, ..., n-1.
  static Tensor arange(std::int64_t n, DType dtype = DType::i64);
  /// One bit per element from a nested list: 0 = dropped, anything else = kept.
  static Tensor mask(std::initializer_list<NestedList> items) { return Tensor(items, DType::mask); }
  /// Elements in row-major order; throws ShapeError when their number is not that of `shape`.
  template <class T>
  requires(std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int64_t>) static Tensor
      from(std::span<const T> elements, const Shape& shape) {
    return copied(elements.data(), elements.size(), shape, dtype_of<T>);
  }
  template <class T>
  static Tensor from(const std::vector<T>& elements, const Shape& shape) {
    return from(std::span<const T>(elements), shape);
  }
  /// Elements left for the caller to write (mask padding is zero).
  static Tensor uninitialized(const Shape& shape, DType dtype);

  DType dtype() const;
  const Shape& shape() const;
  std::size_t numel() const { return shape().numel(); }

  /// The elements; throws DTypeError when T is not the dtype.
  template <class T>
  std::span<const T> data() const {
    require(dtype_of<T>);
    return {static_cast<const T*>(bytes()), numel()};
  }
  /// The elements for writing; copies them first when they are shared.
  template <class T>
  std::span<T> mutable_data() {
    require(dtype_of<T>);
    return {static_cast<T*>(mutable_bytes()), numel()};
  }
  /// The storage as it lies in memory; for masks, bits with the least significant first.
  const void* bytes() const;
  void* mutable_bytes();

  /// Element `flat` (row-major) as a double; masks give 0 or 1.
  double at(std::size_t flat) const;
  /// The one element; throws ShapeError when there are more or none.
  double item() const;
  /// The same elements under another shape; throws ShapeError when the counts differ.
  Tensor reshape(const Shape& shape) const;
  /// Converted elements, as by `converted`; to a mask, nonzero becomes kept.
  Tensor to(DType dtype) const;
  /// Whether no other Tensor shares the elements.
  bool unique() const;

  /// Same dtype, shape and bits; two NaNs are equal whatever their payload.
  bool same_bits(const Tensor& other) const;

 private:
  struct Storage;
  explicit Tensor(std::shared_ptr<Storage> storage) : storage_(std::move(storage)) {}
  static Tensor copied(const void* elements, std::size_t count, const Shape& shape, DType dtype);
  void require(DType dtype) const;

  std::shared_ptr<Storage> storage_;
};

/// "[2, 0, 2, 0]": shortest round-trip numbers; more than 1,000 elements are abridged with "...".
std::string to_string(const Tensor& tensor);

}  // namespace backdrop
