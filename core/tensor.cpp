#include <algorithm>
#include <atomic>
#include <backdrop/core/error.hpp>
#include <backdrop/core/large_vector.hpp>
#include <backdrop/core/tensor.hpp>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "number_text.hpp"

namespace backdrop {

namespace {

constexpr std::size_t kLine = 64;

Shape shape_of(const std::initializer_list<NestedList>& items) {
  std::vector<std::int64_t> extents{static_cast<std::int64_t>(items.size())};
  const NestedList* first = items.size() > 0 ? items.begin() : nullptr;
  while (first != nullptr && first->is_list()) {
    extents.push_back(static_cast<std::int64_t>(first->items().size()));
    first = first->items().empty() ? nullptr : first->items().data();
  }
  return Shape(std::move(extents));
}

// Depth is what the programmer typed in braces, so recursion is bounded by the source text.
void flatten(const NestedList& item, const Shape& shape, std::size_t axis, std::vector<double>& out) {
  const bool leaf = axis == shape.rank();
  if (item.is_list() == leaf || (!leaf && item.items().size() != static_cast<std::size_t>(shape[axis]))) {
    throw ShapeError("tensor: ragged nested list; every row of " + to_string(shape) +
                     " needs the same length");
  }
  if (leaf) out.push_back(item.number());
  for (const NestedList& inner : item.items()) flatten(inner, shape, axis + 1, out);
}

void store(void* bytes, DType dtype, std::size_t k, double number) {
  switch (dtype) {
    case DType::f32:
      static_cast<float*>(bytes)[k] = static_cast<float>(number);
      break;
    case DType::f64:
      static_cast<double*>(bytes)[k] = number;
      break;
    case DType::i64:
      static_cast<std::int64_t*>(bytes)[k] = converted<std::int64_t>(number);
      break;
    case DType::mask: {
      auto& byte = static_cast<std::uint8_t*>(bytes)[k / 8];
      const auto bit = static_cast<std::uint8_t>(1U << (k % 8));
      byte = static_cast<std::uint8_t>(number != 0 ? byte | bit : byte & ~bit);
      break;
    }
  }
}

}  // namespace

struct Tensor::Storage {
  Storage(Shape s, DType d) : shape(std::move(s)), dtype(d) {
    bytes = take_memory(padded());
    if (dtype == DType::mask) std::memset(bytes, 0, padded());
  }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  ~Storage() { give_memory(bytes, padded()); }

  std::size_t size() const { return byte_size(dtype, shape.numel()); }
  std::size_t padded() const { return std::max((size() + kLine - 1) / kLine * kLine, kLine); }

  Shape shape;
  DType dtype;
  void* bytes;
};

Tensor::Tensor() : Tensor(full({}, 0)) {}

Tensor::Tensor(std::initializer_list<NestedList> items, DType dtype)
    : Tensor(uninitialized(shape_of(items), dtype)) {
  std::vector<double> flat;
  flat.reserve(numel());
  for (const NestedList& item : items) flatten(item, shape(), 1, flat);
  for (std::size_t k = 0; k < flat.size(); ++k) store(storage_->bytes, dtype, k, flat[k]);
}

Tensor Tensor::uninitialized(const Shape& shape, DType dtype) {
  return Tensor(std::make_shared<Storage>(shape, dtype));
}

Tensor Tensor::full(const Shape& shape, double number, DType dtype) {
  Tensor out = uninitialized(shape, dtype);
  if (number == 0 && !std::signbit(number)) {  // of any dtype
    std::memset(out.storage_->bytes, 0, out.storage_->size());
    return out;
  }
  for (std::size_t k = 0; k < out.numel(); ++k) store(out.storage_->bytes, dtype, k, number);
  return out;
}

Tensor Tensor::arange(std::int64_t n, DType dtype) {
  Tensor out = uninitialized({n}, dtype);
  for (std::size_t k = 0; k < out.numel(); ++k) store(out.storage_->bytes, dtype, k, static_cast<double>(k));
  return out;
}

Tensor Tensor::copied(const void* elements, std::size_t count, const Shape& shape, DType dtype) {
  if (count != shape.numel()) {
    throw ShapeError("tensor: " + std::to_string(count) + " elements do not fill shape " + to_string(shape));
  }
  Tensor out = uninitialized(shape, dtype);
  if (count > 0) std::memcpy(out.storage_->bytes, elements, out.storage_->size());
  return out;
}

DType Tensor::dtype() const { return storage_->dtype; }
const Shape& Tensor::shape() const { return storage_->shape; }
const void* Tensor::bytes() const { return storage_->bytes; }

bool Tensor::unique() const {
  const bool alone = storage_.use_count() == 1;
  std::atomic_thread_fence(std::memory_order_acquire);  // what the last other holder did has happened
  return alone;
}

void* Tensor::mutable_bytes() {
  if (!unique()) {
    auto own = std::make_shared<Storage>(storage_->shape, storage_->dtype);
    std::memcpy(own->bytes, storage_->bytes, own->size());
    storage_ = std::move(own);
  }
  return storage_->bytes;
}

double Tensor::at(std::size_t flat) const {
  if (flat >= numel()) {
    throw ShapeError("tensor: element " + std::to_string(flat) + " of shape " + to_string(shape()));
  }
  switch (dtype()) {
    case DType::f32:
      return static_cast<const float*>(bytes())[flat];
    case DType::f64:
      return static_cast<const double*>(bytes())[flat];
    case DType::i64:
      return static_cast<double>(static_cast<const std::int64_t*>(bytes())[flat]);
    case DType::mask:
      return static_cast<const std::uint8_t*>(bytes())[flat / 8] >> (flat % 8) & 1;
  }
  return 0;
}

double Tensor::item() const {
  if (numel() != 1) throw ShapeError("item: shape " + to_string(shape()) + " does not hold one element");
  return at(0);
}

Tensor Tensor::reshape(const Shape& shape) const {
  if (shape.numel() != numel()) {
    throw ShapeError("reshape: " + to_string(this->shape()) + " does not fill " + to_string(shape));
  }
  return copied(bytes(), numel(), shape, dtype());
}

Tensor Tensor::to(DType dtype) const {
  if (dtype == this->dtype()) return *this;
  Tensor out = uninitialized(shape(), dtype);
  if (this->dtype() == DType::i64 && dtype == DType::f32) {  // by way of f64 they would be rounded twice
    std::ranges::transform(data<std::int64_t>(), out.mutable_data<float>().begin(),
                           [](std::int64_t number) { return static_cast<float>(number); });
    return out;
  }
  for (std::size_t k = 0; k < numel(); ++k) store(out.storage_->bytes, dtype, k, at(k));
  return out;
}

bool Tensor::same_bits(const Tensor& other) const {
  if (dtype() != other.dtype() || shape() != other.shape()) return false;
  if (std::memcmp(bytes(), other.bytes(), storage_->size()) == 0) return true;
  if (!is_float(dtype())) return false;
  for (std::size_t k = 0; k < numel(); ++k) {
    const double a = at(k);
    const double b = other.at(k);
    const bool equal = std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
    if (!equal && !(std::isnan(a) && std::isnan(b))) return false;
  }
  return true;
}

void Tensor::require(DType dtype) const {
  if (dtype != this->dtype()) {
    throw DTypeError("tensor: data asked as " + to_string(dtype) + ", but the elements are " +
                     to_string(this->dtype()) + "; convert with to()");
  }
}

namespace {

std::string element_text(const Tensor& tensor, std::size_t k) {
  if (tensor.dtype() == DType::i64) return std::to_string(tensor.data<std::int64_t>()[k]);
  const double number = tensor.at(k);
  return tensor.dtype() == DType::f32 ? number_text(static_cast<float>(number)) : number_text(number);
}

constexpr std::size_t kPrintedWhole = 1000;  // more elements are abridged to
constexpr std::int64_t kEdge = 3;            // this many at either end of an axis

}  // namespace

std::string to_string(const Tensor& tensor) {
  const Shape& shape = tensor.shape();
  if (shape.rank() == 0) return element_text(tensor, 0);
  const bool abridged = tensor.numel() > kPrintedWhole || tensor.numel() == 0;  // which may have many rows
  const std::vector<std::int64_t> strides = row_major_strides(shape);
  std::string text;
  std::vector<std::int64_t> at(shape.rank(), 0);  // odometer; its length is the depth we stand at
  std::size_t axis = 0;
  text += '[';
  while (true) {
    if (at[axis] == shape[axis]) {
      text += ']';
      if (axis == 0) return text;
      at[axis--] = 0;
      ++at[axis];
      continue;
    }
    if (at[axis] > 0) text += ", ";
    if (abridged && shape[axis] > 2 * kEdge && at[axis] == kEdge) {
      text += "..., ";
      at[axis] = shape[axis] - kEdge;
    }
    if (axis + 1 < shape.rank()) {
      text += '[';
      ++axis;
      continue;
    }
    std::int64_t flat = 0;
    for (std::size_t k = 0; k < shape.rank(); ++k) flat += at[k] * strides[k];
    text += element_text(tensor, static_cast<std::size_t>(flat));
    ++at[axis];
  }
}

}  // namespace backdrop
