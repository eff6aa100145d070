#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

using namespace backdrop;

namespace {

void record(Tape& tape) {
  const Var a = tape.input("a", {4});
  const Var w = tape.variable("w", Tensor{1, 2, 3, 4});
  const Var mask = tape.constant(Tensor::mask({1, 0, 1, 0}));
  Var h;
  {
    const auto encoder = tape.scope("encoder");
    const auto layer = tape.scope("first");
    h = dropout(a * w, 0.5, mask);
  }
  const auto decoder = tape.scope("decoder");
  tape.set_name(square(h), "say \"hi\"\\\n\x01\x80\xE2\x82\xAC");
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("composites are boxes around their body, regions boxes around their nodes, leaves have shapes") {
  Tape tape;
  record(tape);
  CHECK(dot(tape) == R"dot(digraph backdrop {
  node [fontname="sans-serif"];
  edge [fontname="sans-serif"];
  0 [shape=ellipse, label="input a\nf32 [4]"];
  1 [shape=cylinder, label="variable w\nf32 [4]"];
  2 [shape=note, label="constant\nmask [4]"];
  subgraph "cluster scope encoder" {
    label="encoder"; color=gray;
    subgraph "cluster scope encoder/first" {
      label="first"; color=gray;
      3 [shape=box, label="mul\nf32 [4]"];
      subgraph "cluster 4." {
        label="dropout\np = 0.5\nf32 [4]"; style=rounded;
        "4.0" [shape=box, label="mul\nf32 [4]"];
        "4.1" [shape=box, label="scale\nfactor = 2.0\nf32 [4]"];
      }
    }
  }
  subgraph "cluster scope decoder" {
    label="decoder"; color=gray;
    5 [shape=box, label="square say \"hi\"\\\n)dot"
                     "\xEF\xBF\xBD\xEF\xBF\xBD\xE2\x82\xAC"
                     R"dot(\nf32 [4]"];
  }
  0 -> 3;
  1 -> 3;
  3 -> "4.0";
  2 -> "4.0" [style=dashed];
  "4.0" -> "4.1";
  "4.1" -> 5;
}
)dot");
}

TEST_CASE("bodies and regions are drawn only when asked for") {
  Tape tape;
  record(tape);
  const std::string text = dot(tape, {.bodies = false, .scopes = false});
  CHECK_FALSE(contains(text, "subgraph"));
  CHECK(contains(text, "  3 -> 4;\n  2 -> 4 [style=dashed];\n  4 -> 5;\n"));
}

TEST_CASE("Graphviz draws it") {
  if (std::system("dot -V > /dev/null 2>&1") != 0) {
    MESSAGE("skipped: Graphviz is not installed");
    return;
  }
  const auto folder = std::filesystem::temp_directory_path();
  const std::string from = (folder / "backdrop_dot_test.dot").string();
  const std::string to = (folder / "backdrop_dot_test.svg").string();
  Tape tape;
  record(tape);
  save_dot(from, tape);
  CHECK(std::system(("dot -Tsvg '" + from + "' -o '" + to + "' 2> /dev/null").c_str()) == 0);
  std::ostringstream svg;
  svg << std::ifstream(to).rdbuf();
  CHECK(contains(svg.str(), ">factor = 2.0<"));
  CHECK(contains(svg.str(), ">encoder<"));
  std::filesystem::remove(from);
  std::filesystem::remove(to);
}
