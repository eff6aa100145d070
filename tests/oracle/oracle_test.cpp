#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <backdrop/backdrop.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "oracle/step.hpp"

/// Answers that others gave: the cases in data/ (README.md says what is in them), recorded with the public
/// functions that the tables in calls/ name, and compared.
namespace backdrop::oracle {

namespace {

using nlohmann::json;

const Vocabulary& vocabulary() {
  static const Vocabulary table = [] {
    Vocabulary v;
    elementwise_calls(v);
    reduction_calls(v);
    shape_calls(v);
    product_calls(v);
    window_calls(v);
    network_calls(v);
    loss_calls(v);
    dropout_calls(v);
    return v;
  }();
  return table;
}

json read(const std::filesystem::path& file) {
  std::ifstream in(file);
  REQUIRE_MESSAGE(in, "cannot read ", file.string());
  return json::parse(in);
}

std::vector<std::filesystem::path> data_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(BACKDROP_ORACLE_DATA)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// JSON has no word for NaN and the infinities: they are strings.
Tensor tensor(const json& values, const Shape& shape, DType dtype) {
  if (dtype == DType::i64) return Tensor::from(values.get<std::vector<std::int64_t>>(), shape);
  std::vector<double> numbers;
  numbers.reserve(values.size());
  for (const json& v : values)
    numbers.push_back(v.is_string() ? std::stod(v.get<std::string>()) : v.get<double>());
  return Tensor::from(numbers, shape).to(dtype);
}

Tensor tensor(const json& t) {
  return tensor(t.at("values"), Shape(t.at("shape").get<std::vector<std::int64_t>>()),
                parse_dtype(t.at("dtype").get<std::string>()));
}

// How far a result may be off, in every element: `relative` times the largest magnitude that is expected in
// its tensor, and what rounding leaves where that is nearly nothing.
struct Tolerance {
  double relative, absolute;
};
constexpr Tolerance kTorch{1e-10, 1e-14};
constexpr Tolerance kThird{1e-9, 1e-12};  // derivatives of that order
constexpr Tolerance kOnnx{1e-6, 1e-7};

// What is wrong with a result, or "".
std::string difference(const char* what, const Tensor& got, const Tensor& expected, Tolerance tolerance) {
  if (got.dtype() != expected.dtype() || !(got.shape() == expected.shape())) {
    return fmt::format("{} is {} {}, expected {} {}", what, to_string(got.dtype()), to_string(got.shape()),
                       to_string(expected.dtype()), to_string(expected.shape()));
  }
  double largest = 0, worst = 0;
  std::size_t at = 0;
  for (std::size_t k = 0; k < expected.numel(); ++k) {
    const double e = expected.at(k), g = got.at(k);
    if (std::isfinite(e)) largest = std::max(largest, std::abs(e));
    if (g == e || (std::isnan(e) && std::isnan(g))) continue;
    const double off = std::isnan(g - e) ? HUGE_VAL : std::abs(g - e);
    if (off > worst) worst = off, at = k;
  }
  const double allowed =
      is_float(got.dtype()) ? std::max(tolerance.relative * largest, tolerance.absolute) : 0;
  if (worst <= allowed) return "";
  const std::string first = fmt::format("{} {}, element {}: {} is not {}, allowed are {:.3g}", what,
                                        to_string(got.shape()), at, got.at(at), expected.at(at), allowed);
  if (got.numel() > 12) return first;
  return fmt::format("{}\n    got      {}\n    expected {}", first, to_string(got), to_string(expected));
}

// A case as it is recorded: the program on leaves that are fed, and what is compared.
class Recording {
 public:
  explicit Recording(const json& c) : case_(c) {
    for (const json& input : c.at("inputs")) values_.push_back(leaf(tensor(input)));
    static const json none = json::object();
    for (const json& step : c.at("steps")) {
      std::vector<Var> operands;
      for (const json& k : step.at(1)) operands.push_back(values_.at(k.get<std::size_t>()));
      const auto record = vocabulary().find(step.at(0).get<std::string>());
      if (record == vocabulary().end()) {
        throw std::logic_error("no table in calls/ names " + step.at(0).get<std::string>());
      }
      const Step call(tape_, std::move(operands), step.size() > 2 ? step.at(2) : none);
      values_.push_back(record->second(call));
      call.done();
    }
    compare("value", values_.back(), tensor(c.at("y")));
    if (c.contains("of")) derivatives();
  }

  const Tape& tape() const { return tape_; }

  std::string differences(Tolerance tolerance) const {
    std::vector<Feed> feeds;
    feeds.reserve(leaves_.size());
    for (const auto& [leaf, fed] : leaves_) feeds.emplace_back(leaf, fed);
    const std::vector<Tensor> got = value(std::span<const Var>(compared_), {.feeds = std::move(feeds)});
    std::string all;
    for (std::size_t k = 0; k < got.size(); ++k) {
      const std::string one =
          difference(names_[k].c_str(), got[k], expected_[k], third_[k] ? kThird : tolerance);
      if (!one.empty()) all += "\n  " + one;
    }
    return all;
  }

 private:
  Var leaf(const Tensor& t) {
    leaves_.emplace_back(tape_.input(fmt::format("x{}", leaves_.size()), t.shape(), t.dtype()), t);
    return leaves_.back().first;
  }

  void compare(std::string name, Var v, Tensor expected, bool third = false) {
    third_.push_back(third);
    names_.push_back(std::move(name));
    compared_.push_back(v);
    expected_.push_back(std::move(expected));
  }

  // In both ways of making a Hessian-vector product of <g, y>: forward over reverse, and reverse over
  // reverse.
  void derivatives() {
    const Var y = values_.back();
    std::vector<Var> xs, ts;
    for (const json& k : case_.at("of")) xs.push_back(values_.at(k.get<std::size_t>()));
    for (std::size_t k = 0; k < xs.size(); ++k) {
      ts.push_back(leaf(tensor(case_.at("directions").at(k), xs[k].shape(), DType::f64)));
    }
    const Var g = leaf(tensor(case_.at("cotangent"), y.shape(), DType::f64));
    const std::vector<Var> gradient = vjp(y, std::span<const Var>(xs), g);
    compare("jvp", jvp(y, std::span<const Var>(xs), std::span<const Var>(ts)),
            tensor(case_.at("jvp"), y.shape(), DType::f64));
    Var along = sum(gradient[0] * ts[0]);
    for (std::size_t k = 1; k < xs.size(); ++k) along = along + sum(gradient[k] * ts[k]);
    const std::vector<Var> second = grad(along, xs);
    for (std::size_t k = 0; k < xs.size(); ++k) {
      const auto expected = [&](const char* what) {
        return tensor(case_.at(what).at(k), xs[k].shape(), DType::f64);
      };
      const auto index = case_.at("of").at(k).get<std::size_t>();
      compare(fmt::format("vjp in input {}", index), gradient[k], expected("vjp"));
      compare(fmt::format("hvp in input {} (reverse over reverse)", index), second[k], expected("hvp"));
      compare(fmt::format("hvp in input {} (forward over reverse)", index),
              jvp(gradient[k], std::span<const Var>(xs), std::span<const Var>(ts)), expected("hvp"));
    }
    if (case_.contains("third")) third_derivatives(xs, ts, gradient);
  }

  // The third derivative of <g, y> along t twice, in two ways: as the gradient of t'H t, and forward along t
  // over forward along t over reverse.
  void third_derivatives(const std::vector<Var>& xs, const std::vector<Var>& ts,
                         const std::vector<Var>& gradient) {
    std::vector<Var> products;
    for (Var v : gradient) products.push_back(jvp(v, std::span<const Var>(xs), std::span<const Var>(ts)));
    Var bend = sum(products[0] * ts[0]);
    for (std::size_t k = 1; k < xs.size(); ++k) bend = bend + sum(products[k] * ts[k]);
    const std::vector<Var> found = grad(bend, xs);
    const json& answer = case_.at("third");
    for (std::size_t k = 0; k < xs.size(); ++k) {
      const Tensor expected = answer.is_array() ? tensor(answer.at(k), xs[k].shape(), DType::f64)
                                                : Tensor::zeros(xs[k].shape(), DType::f64);
      const auto index = case_.at("of").at(k).get<std::size_t>();
      compare(fmt::format("third derivative in input {} (reverse)", index), found[k], expected, true);
      compare(fmt::format("third derivative in input {} (forward)", index),
              jvp(products[k], std::span<const Var>(xs), std::span<const Var>(ts)), expected, true);
    }
  }

  const json& case_;
  Tape tape_;
  std::vector<Var> values_;
  std::vector<std::pair<Var, Tensor>> leaves_;
  std::vector<Var> compared_;
  std::vector<std::string> names_;
  std::vector<Tensor> expected_;
  std::vector<bool> third_;
};

// What is wrong with a case, or "".
std::string judge(const json& c, Tolerance tolerance) {
  try {
    return Recording(c).differences(tolerance);
  } catch (const std::exception& e) {
    return fmt::format("\n  throws: {}", e.what());
  }
}

}  // namespace

TEST_CASE("value, vjp, jvp, Hessian-vector product and third derivative are what PyTorch says") {
  for (const std::filesystem::path& file : data_files()) {
    std::size_t passed = 0, derived = 0, third = 0;
    const json cases = read(file);
    for (const json& c : cases) {
      const std::string wrong = judge(c, kTorch);
      CHECK_MESSAGE(wrong.empty(), file.stem().string(), ": ", c.at("case").get<std::string>(), wrong);
      if (!wrong.empty()) continue;
      ++passed;
      if (c.contains("of")) ++derived;
      if (c.contains("third") && c.at("third").is_array()) ++third;
    }
    fmt::print("{}: {} of {} cases pass, {} of them with derivatives, {} with a third one that is not 0\n",
               file.stem().string(), passed, cases.size(), derived, third);
  }
}

TEST_CASE("the nodes of ONNX have the values that they should") {
  const char* const path = std::getenv("BACKDROP_ONNX_CASES");
  if (path == nullptr) {
    MESSAGE("passed by: the test onnx_nodes converts them and says where they are");
    return;
  }
  std::size_t passed = 0;
  const json cases = read(path);
  for (const json& c : cases) {
    const std::string wrong = judge(c, kOnnx);
    CHECK_MESSAGE(wrong.empty(), c.at("case").get<std::string>(), wrong);
    if (wrong.empty()) ++passed;
  }
  fmt::print("{} of {} results of nodes are right\n", passed, cases.size());
}

TEST_CASE("every function in the tables has a case") {
  std::set<std::string> used;
  for (const std::filesystem::path& file : data_files()) {
    for (const json& c : read(file)) {
      for (const json& step : c.at("steps")) used.insert(step.at(0).get<std::string>());
    }
  }
  for (const auto& entry : vocabulary()) CHECK_MESSAGE(used.contains(entry.first), entry.first, " has none");
}

TEST_CASE("every op of the library is in a case, or listed as one that PyTorch cannot answer for") {
  std::set<std::string> met;
  for (const std::filesystem::path& file : data_files()) {
    for (const json& c : read(file)) {
      const Recording recording(c);
      const Rewrite opened = expand(recording.tape());
      for (const Tape* tape : {&recording.tape(), &opened.tape()}) {
        for (std::size_t k = 0; k < tape->size(); ++k) met.insert(tape->node(k).op->name);
      }
    }
  }
  std::set<std::string> listed;
  std::ifstream list(BACKDROP_ORACLE_DATA "/../no_answer.txt");
  for (std::string line; std::getline(list, line);) listed.insert(line.substr(0, line.find(':')));
  for (const Op* op : all_ops()) {
    const bool both = met.contains(op->name) && listed.contains(op->name);
    CHECK_MESSAGE(!both, std::string(op->name), " is listed in no_answer.txt, but a case has it");
    const bool either = met.contains(op->name) || listed.contains(op->name);
    CHECK_MESSAGE(either, std::string(op->name),
                  " is in no case; add one in families/, or say why there is none in no_answer.txt");
  }
}

TEST_CASE("a wrong answer is told from a right one") {
  json c = json::parse(R"({"case": "square", "inputs": [{"dtype": "f64", "shape": [2], "values": [1, 3]}],
    "steps": [["square", [0]]], "y": {"dtype": "f64", "shape": [2], "values": [1, 9]}, "of": [0],
    "cotangent": [1, 2], "directions": [[1, -1]], "vjp": [[2, 12]], "jvp": [2, -6], "hvp": [[2, -4]],
    "third": [[0, 0]]})");
  CHECK(judge(c, kTorch) == "");
  for (const char* what : {"/y/values/1", "/vjp/0/1", "/jvp/1", "/hvp/0/1", "/third/0/1"}) {
    json wrong = c;
    const json::json_pointer at(what);
    wrong[at] = wrong[at].get<double>() + 1e-8;
    CHECK_MESSAGE(judge(wrong, kTorch) != "", what);
  }
  c["steps"] = json::parse(R"([["square", [0], {"axis": 1}]])");
  CHECK(judge(c, kTorch).find("the attribute axis was not looked at") != std::string::npos);
  c["steps"] = json::parse(R"([["square", [0, 0]]])");
  CHECK(judge(c, kTorch).find("operand 1 was not looked at") != std::string::npos);
  c["steps"] = json::parse(R"([["cube", [0]]])");
  CHECK(judge(c, kTorch).find("no table in calls/ names cube") != std::string::npos);
}

}  // namespace backdrop::oracle
