#include "json_values.hpp"

#include <charconv>
#include <limits>
#include <string>
#include <type_traits>

#include "base64.hpp"

namespace backdrop::json {

namespace {

std::string quoted(std::string_view text) { return std::string(1, '\'').append(text).append(1, '\''); }

template <class E = GraphError>
void require(const Context& context, Value value, Kind kind, std::string_view what) {
  if (value.kind() == kind) return;
  context.fail<E>(value, std::string(what) + " is " + std::string(name(value.kind())) + ", not " +
                             std::string(name(kind)));
}

template <class T>
T read_real(const Context& context, Value value, std::string_view what) {
  using Limits = std::numeric_limits<T>;
  T number = 0;
  switch (value.kind()) {
    case Kind::integer:
      return static_cast<T>(value.integer());
    case Kind::real: {
      const std::string_view text = value.text();
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error == std::errc{} && end == text.data() + text.size()) return number;
      context.fail<ValueError>(value, std::string(what) + " " + std::string(text) + " lies outside the " +
                                          "range of " + (sizeof(T) == 4 ? "f32" : "f64"));
    }
    case Kind::string:
      if (value.text() == "NaN") return Limits::quiet_NaN();
      if (value.text() == "Infinity") return Limits::infinity();
      if (value.text() == "-Infinity") return -Limits::infinity();
      context.fail<ValueError>(value, std::string(what) + " " + quoted(value.text()) +
                                          " is no number; words are NaN, Infinity and -Infinity");
    default:
      context.fail<ValueError>(
          value, std::string(what) + " is " + std::string(name(value.kind())) + ", not a number");
  }
}

Key read_key(const Context& context, Value value, std::string_view what) {
  require<ValueError>(context, value, Kind::object, what);
  Value seed, stream;
  for_each_member(value, [&](Value key, Value member) {
    Value& at = key.text() == "seed" ? seed : stream;
    if ((key.text() != "seed" && key.text() != "stream") || at) {
      context.fail(key, std::string(what) + ": member " + quoted(key.text()) + " is unknown or stands twice");
    }
    at = member;
  });
  if (!seed || !stream) context.fail<ValueError>(value, std::string(what) + " needs seed and stream");
  require<ValueError>(context, seed, Kind::string, "seed");
  require<ValueError>(context, stream, Kind::integer, "stream");

  Key out;
  const std::string_view text = seed.text();
  const std::string_view digits = text.substr(text.starts_with("0x") ? 2 : text.size());
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.seed, 16);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) {
    context.fail<ValueError>(seed,
                             "seed " + quoted(text) + " is no hexadecimal number below 2^64, like 0x2a");
  }
  if (stream.integer() < 0 || stream.integer() > std::numeric_limits<std::uint32_t>::max()) {
    context.fail<ValueError>(stream, "stream lies outside [0, 2^32)");
  }
  out.stream = static_cast<std::uint32_t>(stream.integer());
  return out;
}

template <class T>
void read_elements(const Context& context, Value list, Tensor& out) {
  std::span<T> to = out.mutable_data<T>();
  std::size_t k = 0;
  for_each_element(list, [&](Value element) {
    if constexpr (std::is_same_v<T, std::int64_t>) {
      to[k++] = read_integer(context, element, "an element of value");
    } else {
      to[k++] = read_real<T>(context, element, "an element of value");
    }
  });
}

void read_mask_elements(const Context& context, Value list, Tensor& out) {
  auto* bytes = static_cast<std::uint8_t*>(out.mutable_bytes());
  std::size_t k = 0;
  for_each_element(list, [&](Value element) {
    const std::int64_t bit = read_integer(context, element, "an element of value");
    if (bit != 0 && bit != 1) context.fail<ValueError>(element, "an element of a mask is neither 0 nor 1");
    bytes[k / 8] = static_cast<std::uint8_t>(bytes[k / 8] | bit << (k % 8));
    ++k;
  });
}

Tensor read_list(const Context& context, Value list, DType dtype, const Shape& shape) {
  std::size_t count = 0;
  for_each_element(list, [&](Value) { ++count; });
  if (count != shape.numel()) {
    context.fail<ShapeError>(
        list, "value has " + std::to_string(count) + " elements, but the shape is " + to_string(shape));
  }
  Tensor out = Tensor::uninitialized(shape, dtype);
  switch (dtype) {
    case DType::f32:
      read_elements<float>(context, list, out);
      break;
    case DType::f64:
      read_elements<double>(context, list, out);
      break;
    case DType::i64:
      read_elements<std::int64_t>(context, list, out);
      break;
    case DType::mask:
      read_mask_elements(context, list, out);
      break;
  }
  return out;
}

}  // namespace

std::string_view read_string(const Context& context, Value value, std::string_view what) {
  require(context, value, Kind::string, what);
  return value.text();
}

std::int64_t read_integer(const Context& context, Value value, std::string_view what) {
  require(context, value, Kind::integer, what);
  return value.integer();
}

DType read_dtype(const Context& context, Value value) {
  const std::string_view text = read_string(context, value, "dtype");
  for (DType dtype : {DType::f32, DType::f64, DType::i64, DType::mask}) {
    if (text == name(dtype)) return dtype;
  }
  context.fail<DTypeError>(value, "unknown dtype " + quoted(text) + "; use f32, f64, i64 or mask");
}

void read_integers(const Context& context, Value value, std::string_view what,
                   std::vector<std::int64_t>& out) {
  require(context, value, Kind::list, what);
  out.clear();
  for_each_element(value,
                   [&](Value element) { out.push_back(read_integer(context, element, "an element")); });
}

AttrValue read_attribute(const Context& context, Value value, const AttrSpec& spec,
                         std::vector<std::int64_t>& ints) {
  const std::string what = "attribute " + quoted(spec.name);
  switch (spec.kind) {
    case AttrKind::real:
      return read_real<double>(context, value, what);
    case AttrKind::integer:
      require<ValueError>(context, value, Kind::integer, what);
      return value.integer();
    case AttrKind::boolean:
      require<ValueError>(context, value, Kind::boolean, what);
      return value.boolean();
    case AttrKind::key:
      return read_key(context, value, what);
    case AttrKind::dtype:
      require<ValueError>(context, value, Kind::string, what);
      return read_dtype(context, value);
    case AttrKind::ints:
      require<ValueError>(context, value, Kind::list, what);
      for_each_element(value, [&](Value element) {
        require<ValueError>(context, element, Kind::integer, "an element of " + what);
      });
      read_integers(context, value, what, ints);
      return std::span<const std::int64_t>(ints);
    case AttrKind::none:
      break;
  }
  return {};
}

Tensor read_tensor(const Context& context, Value value, DType dtype, const Shape& shape) {
  if (value.kind() == Kind::list) return read_list(context, value, dtype, shape);
  require(context, value, Kind::object, "value");
  const std::string_view form = dtype == DType::mask ? "bits" : "base64";
  Value text;
  for_each_member(value, [&](Value key, Value member) {
    if (key.text() != form || text) {
      context.fail(key, "value: member " + quoted(key.text()) + " is unknown or stands twice; " +
                            to_string(dtype) + " takes " + quoted(form));
    }
    text = member;
  });
  if (!text) context.fail(value, "value is empty; " + to_string(dtype) + " takes " + quoted(form));
  require(context, text, Kind::string, form);

  const std::size_t size = byte_size(dtype, shape.numel());
  if (text.text().size() != (size + 2) / 3 * 4) {
    context.fail<ShapeError>(text, "value has " + std::to_string(text.text().size()) +
                                       " characters of base64, but " + to_string(dtype) + " of shape " +
                                       to_string(shape) + " takes " + std::to_string((size + 2) / 3 * 4));
  }
  Tensor out = Tensor::uninitialized(shape, dtype);
  auto* bytes = static_cast<std::uint8_t*>(out.mutable_bytes());
  if (!decode_base64(text.text(), {bytes, size})) context.fail<ValueError>(text, "value is not base64");
  const std::size_t used = shape.numel() % 8;  // bits of the last byte
  if (dtype == DType::mask && used != 0 && bytes[size - 1] >> used != 0) {
    context.fail<ValueError>(text, "value has bits beyond the last element");
  }
  return out;
}

}  // namespace backdrop::json
