#pragma once

#include <backdrop/core/tape.hpp>
#include <filesystem>
#include <string>

namespace backdrop {

struct DotOptions {
  bool bodies = true;  ///< composites as boxes that show what they are made of
  bool scopes = true;  ///< regions as boxes around their nodes
};

/// The recording as a Graphviz drawing: `dot -Tsvg graph.dot`. Ops are labelled with name, attributes and
/// type; inputs are ellipses, Variables cylinders, constants notes. Bytes of a name that are not UTF-8 are
/// drawn as U+FFFD.
std::string dot(const Tape& tape, const DotOptions& options = {});

/// Writes dot() to a file, which is replaced only once everything is written. Throws ValueError when the file
/// cannot be written.
void save_dot(const std::filesystem::path& path, const Tape& tape, const DotOptions& options = {});

}  // namespace backdrop
