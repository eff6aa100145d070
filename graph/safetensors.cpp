#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/graph/safetensors.hpp>
#include <bit>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "json/json_text.hpp"
#include "replace_file.hpp"

namespace backdrop {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // as in the format's own reader
constexpr std::size_t kMaxDepth = 4;
constexpr std::string_view kMetadata = "__metadata__";

constexpr std::pair<DType, std::string_view> kTypes[] = {
    {DType::f32, "F32"}, {DType::f64, "F64"}, {DType::i64, "I64"}, {DType::mask, "BOOL"}};

std::string_view type_name(DType dtype) {
  return std::ranges::find(kTypes, dtype, &std::pair<DType, std::string_view>::first)->second;
}

// A mask takes a byte for each element here.
std::uint64_t stored_size(DType dtype, std::size_t count) {
  return dtype == DType::mask ? count : byte_size(dtype, count);
}

// ---- writing

std::string header_of(std::span<const NamedTensor> tensors) {
  std::string header = "{";
  std::set<std::string_view> names;
  std::uint64_t at = 0;
  for (const NamedTensor& t : tensors) {
    if (t.name == kMetadata || !names.insert(t.name).second) {
      throw ValueError("save_safetensors: the name '" + t.name + "' stands twice or is reserved; rename it");
    }
    if (header.size() > 1) header += ',';
    if (!json::append_string(header, t.name)) {
      throw ValueError("save_safetensors: a name is not UTF-8; rename it");
    }
    header += ":{\"dtype\":\"" + std::string(type_name(t.tensor.dtype())) + "\",\"shape\":[";
    for (std::size_t k = 0; k < t.tensor.shape().rank(); ++k) {
      if (k > 0) header += ',';
      json::append_integer(header, t.tensor.shape()[k]);
    }
    const std::uint64_t end = at + stored_size(t.tensor.dtype(), t.tensor.numel());
    header += "],\"data_offsets\":[" + std::to_string(at) + ',' + std::to_string(end) + "]}";
    at = end;
  }
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');  // so that the data is aligned
  return header;
}

void write_elements(ReplacedFile& file, const Tensor& tensor) {
  const std::size_t count = tensor.numel();
  const auto* bytes = static_cast<const char*>(tensor.bytes());
  if (tensor.dtype() != DType::mask) {
    file.write({bytes, byte_size(tensor.dtype(), count)});
    return;
  }
  std::string spread(count, '\0');
  for (std::size_t k = 0; k < count; ++k) spread[k] = static_cast<char>(bytes[k / 8] >> (k % 8) & 1);
  file.write(spread);
}

// ---- reading

struct Entry {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;
};

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path.string()), file_(path, std::ios::binary) {
    if (!file_) fail("cannot be opened");
  }

  std::vector<NamedTensor> read();

 private:
  nlohmann::json read_header();
  Entry entry_of(const std::string& name, const nlohmann::json& description) const;
  void check_offsets(std::span<const Entry> entries) const;
  Tensor read_elements(const Entry& entry);
  void read_bytes(void* to, std::uint64_t count) {
    file_.read(static_cast<char*>(to), static_cast<std::streamsize>(count));
    if (static_cast<std::uint64_t>(file_.gcount()) != count) fail("is truncated");
  }
  [[noreturn]] void fail(const std::string& message) const {
    throw ValueError("load_safetensors: '" + path_ + "' " + message);
  }

  std::string path_;
  std::ifstream file_;
  std::uint64_t data_ = 0;  // bytes after the header
  std::streamoff data_begin_ = 0;
};

std::vector<NamedTensor> Reader::read() {
  const nlohmann::json header = read_header();
  std::vector<Entry> entries;
  for (const auto& [name, description] : header.items()) {
    if (name != kMetadata) entries.push_back(entry_of(name, description));
  }
  std::ranges::sort(entries, {}, [](const Entry& e) { return std::tie(e.begin, e.end, e.name); });
  check_offsets(entries);
  std::vector<NamedTensor> out;
  out.reserve(entries.size());
  for (const Entry& entry : entries) out.push_back({entry.name, read_elements(entry)});
  return out;
}

nlohmann::json Reader::read_header() {
  file_.seekg(0, std::ios::end);
  const auto size = static_cast<std::uint64_t>(std::max<std::streamoff>(file_.tellg(), 0));
  file_.seekg(0);
  std::uint64_t length = 0;
  if (size < sizeof length) fail("is truncated");
  read_bytes(&length, sizeof length);
  if (length > kMaxHeader) fail("has a header of " + std::to_string(length) + " bytes; too many");
  if (length > size - sizeof length) fail("is truncated");
  data_ = size - sizeof length - length;
  data_begin_ = static_cast<std::streamoff>(sizeof length + length);
  std::string text(length, '\0');
  read_bytes(text.data(), length);

  // The callback sees keys and depth before anything is built from them.
  std::set<std::string> names;
  const auto check = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (depth > static_cast<int>(kMaxDepth)) fail("has a header that is nested too deeply");
    if (event == nlohmann::json::parse_event_t::key && depth == 1 &&
        !names.insert(parsed.get_ref<const std::string&>()).second) {
      fail("names '" + parsed.get_ref<const std::string&>() + "' twice");
    }
    return true;
  };
  try {
    nlohmann::json header = nlohmann::json::parse(text, check);
    if (!header.is_object()) fail("has a header that is no object");
    return header;
  } catch (const nlohmann::json::exception& e) {
    fail(std::string("has a header that is no JSON: ") + e.what());
  }
}

Entry Reader::entry_of(const std::string& name, const nlohmann::json& description) const {
  const auto bad = [&](const std::string& what) { fail("describes tensor '" + name + "' wrongly: " + what); };
  const auto numbers = [&](const char* member) {
    const auto at = description.find(member);
    if (at == description.end() || !at->is_array()) bad(std::string(member) + " is no list");
    std::vector<std::int64_t> out;
    for (const nlohmann::json& number : *at) {
      const bool fits = number.is_number_unsigned() && number.get<std::uint64_t>() <= INT64_MAX;
      if (!fits) bad(std::string(member) + " has an element that is no size");
      out.push_back(number.get<std::int64_t>());
    }
    return out;
  };
  if (!description.is_object() || description.size() != 3) bad("it takes dtype, shape and data_offsets");
  const auto dtype = description.find("dtype");
  if (dtype == description.end() || !dtype->is_string()) bad("dtype is no string");
  const auto type = std::ranges::find(kTypes, std::string_view(dtype->get_ref<const std::string&>()),
                                      &std::pair<DType, std::string_view>::second);
  if (type == std::end(kTypes)) bad("dtype is " + dtype->dump() + "; F32, F64, I64 and BOOL can be read");

  Entry entry{.name = name, .dtype = type->first, .shape = {}};
  const std::vector<std::int64_t> offsets = numbers("data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1]) bad("data_offsets is no [begin, end]");
  entry.begin = static_cast<std::uint64_t>(offsets[0]);
  entry.end = static_cast<std::uint64_t>(offsets[1]);
  try {
    entry.shape = Shape(numbers("shape"));
  } catch (const ShapeError& e) {
    bad(e.what());
  }
  if (entry.end - entry.begin != stored_size(entry.dtype, entry.shape.numel())) {
    bad("its data_offsets span " + std::to_string(entry.end - entry.begin) + " bytes, but " +
        std::string(type->second) + " of shape " + to_string(entry.shape) + " takes " +
        std::to_string(stored_size(entry.dtype, entry.shape.numel())));
  }
  return entry;
}

// Every byte belongs to exactly one tensor.
void Reader::check_offsets(std::span<const Entry> entries) const {
  std::uint64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at) {
      fail(entry.begin < at ? "has tensors that overlap: '" + entry.name + "' begins inside another one"
                            : "has bytes before tensor '" + entry.name + "' that no tensor owns");
    }
    at = entry.end;
  }
  if (at > data_) fail("is truncated: " + std::to_string(at - data_) + " bytes are missing");
  if (at < data_) fail("has " + std::to_string(data_ - at) + " bytes that no tensor owns at its end");
}

Tensor Reader::read_elements(const Entry& entry) {
  file_.seekg(data_begin_ + static_cast<std::streamoff>(entry.begin));
  Tensor out = Tensor::uninitialized(entry.shape, entry.dtype);
  if (entry.dtype != DType::mask) {
    read_bytes(out.mutable_bytes(), entry.end - entry.begin);
    return out;
  }
  std::string spread(out.numel(), '\0');
  read_bytes(spread.data(), spread.size());
  auto* bytes = static_cast<std::uint8_t*>(out.mutable_bytes());
  for (std::size_t k = 0; k < spread.size(); ++k) {
    if (spread[k] != 0 && spread[k] != 1) {
      fail("has an element of BOOL tensor '" + entry.name + "' that is neither 0 nor 1");
    }
    bytes[k / 8] = static_cast<std::uint8_t>(bytes[k / 8] | spread[k] << (k % 8));
  }
  return out;
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors) {
  const std::string header = header_of(tensors);
  ReplacedFile file("save_safetensors", path);
  const std::uint64_t length = header.size();
  file.write({reinterpret_cast<const char*>(&length), sizeof length});
  file.write(header);
  for (const NamedTensor& t : tensors) write_elements(file, t.tensor);
  file.commit();
}

void save_safetensors(const std::filesystem::path& path, std::span<const Variable> variables) {
  std::vector<NamedTensor> tensors;
  for (const Variable& v : variables) tensors.push_back({v.name(), v.value()});
  save_safetensors(path, tensors);
}

std::vector<NamedTensor> load_safetensors(const std::filesystem::path& path) { return Reader(path).read(); }

void load_into(const std::filesystem::path& path, std::span<const Variable> variables) {
  std::map<std::string, Tensor, std::less<>> found;
  for (NamedTensor& t : load_safetensors(path)) found.emplace(t.name, std::move(t.tensor));
  std::vector<Tensor> values;
  std::set<std::string_view> names;
  for (const Variable& v : variables) {
    const auto at = found.find(v.name());
    if (at == found.end()) {
      throw ValueError("load_into: '" + path.string() + "' has no tensor '" + v.name() + "'");
    }
    if (!names.insert(v.name()).second) {
      throw ValueError("load_into: two Variables are called '" + v.name() + "'; rename one");
    }
    if (at->second.dtype() != v.dtype()) {
      throw DTypeError("load_into: '" + v.name() + "' is " + to_string(at->second.dtype()) + " in '" +
                       path.string() + "', but " + to_string(v.dtype()) + " here");
    }
    if (at->second.shape() != v.shape()) {
      throw ShapeError("load_into: '" + v.name() + "' has shape " + to_string(at->second.shape()) + " in '" +
                       path.string() + "', but " + to_string(v.shape()) + " here");
    }
    values.push_back(at->second);
  }
  for (std::size_t k = 0; k < values.size(); ++k) Variable(variables[k]).swap(values[k]);
}

}  // namespace backdrop
