#pragma once

#include <backdrop/core/tape.hpp>
#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>

/// Recordings as JSON: docs/json.md describes the format, docs/graph.schema.json defines it. The same tape
/// gives the same bytes, and dump, load, dump gives them again.
namespace backdrop {

struct DumpOptions {
  bool bodies = true;   ///< show what composites are made of
  bool values = false;  ///< with the values of Variables; constants always carry theirs
};

/// The recording as JSON text. Throws GraphError when a name is not UTF-8.
std::string dump_json(const Tape& tape, const DumpOptions& options = {});

/// Writes dump_json to a file, which is replaced only once everything is written: when this throws, an
/// older file is as it was. Throws ValueError when the file cannot be written.
void save_json(const std::filesystem::path& path, const Tape& tape, const DumpOptions& options = {});

/// What loading accepts, so that no file can take more memory than is meant for it.
struct LoadOptions {
  std::size_t bytes = std::size_t{4} << 30;         ///< of text
  std::size_t nodes = std::size_t{1} << 24;         ///< bodies not counted
  std::size_t items = std::size_t{1} << 22;         ///< numbers, strings and so on within one node
  std::size_t depth = 64;                           ///< of nested lists and objects
  std::size_t tensor_bytes = std::size_t{1} << 30;  ///< of all constants and Variables together
  std::span<const Op* const> ops = {};              ///< further ops, beside those of the library
};

/// Records the graph again, node by node through Tape::record: every type is inferred and every attribute
/// checked as if a program had recorded it, and must be what the text states; bodies are opened again and
/// compared. A Variable that carries no value becomes zeros. Throws GraphError, or what recording throws
/// (ShapeError, DTypeError, ValueError, TapeError), naming the node and the byte.
std::unique_ptr<Tape> load_json(std::string_view text, const LoadOptions& options = {});
std::unique_ptr<Tape> load_json(std::istream& stream, const LoadOptions& options = {});
/// Throws ValueError when the file cannot be read.
std::unique_ptr<Tape> load_json_file(const std::filesystem::path& path, const LoadOptions& options = {});

}  // namespace backdrop
