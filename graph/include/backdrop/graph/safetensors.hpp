#pragma once

#include <backdrop/core/tensor.hpp>
#include <backdrop/core/variable.hpp>
#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

/// Variables apart from graphs, in the .safetensors format (https://github.com/huggingface/safetensors):
/// F32, F64 and I64 are f32, f64 and i64; a mask is written as BOOL, one byte of 0 or 1 per element, and BOOL
/// is read as a mask. Other element types cannot be read.
namespace backdrop {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// Writes tensors under their names, in this order. The file is replaced only once everything is written.
/// Throws ValueError when a name is not UTF-8, stands twice or is "__metadata__", or when the file cannot
/// be written.
void save_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors);
void save_safetensors(const std::filesystem::path& path, std::span<const Variable> variables);
inline void save_safetensors(const std::filesystem::path& path, const std::vector<Variable>& variables) {
  save_safetensors(path, std::span<const Variable>(variables));
}

/// The tensors of a file in the order of their bytes. Throws ValueError when the file cannot be read, is
/// truncated, has bytes that no tensor or two tensors own, or has a header of more than 100 MB.
std::vector<NamedTensor> load_safetensors(const std::filesystem::path& path);

/// Sets each Variable to the tensor of its name; other tensors of the file are passed over. All or none:
/// throws ValueError when one is missing or two Variables have one name, ShapeError or DTypeError when one is
/// of another type, and then has changed nothing.
void load_into(const std::filesystem::path& path, std::span<const Variable> variables);
inline void load_into(const std::filesystem::path& path, std::initializer_list<Variable> variables) {
  load_into(path, std::span<const Variable>(variables.begin(), variables.size()));
}

}  // namespace backdrop
