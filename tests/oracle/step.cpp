#include "oracle/step.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace backdrop::oracle {

Step::Step(Tape& tape, std::vector<Var> operands, const nlohmann::json& attributes)
    : tape_(tape), operands_(std::move(operands)), attributes_(attributes), taken_(operands_.size()) {}

Var Step::operator[](std::size_t k) const {
  taken_.at(k) = true;
  return operands_.at(k);
}

const std::vector<Var>& Step::operands() const {
  taken_.assign(count(), true);
  return operands_;
}

const nlohmann::json* Step::find(const char* name) const {
  asked_.insert(name);
  const auto found = attributes_.find(name);
  return found == attributes_.end() ? nullptr : &*found;
}

bool Step::has(const char* name) const { return find(name) != nullptr; }

double Step::real(const char* name) const {
  find(name);
  const nlohmann::json& number = attributes_.at(name);
  return number.is_string() ? std::stod(number.get<std::string>()) : number.get<double>();
}

double Step::real(const char* name, double fallback) const { return has(name) ? real(name) : fallback; }

std::int64_t Step::integer(const char* name) const {
  find(name);
  return attributes_.at(name).get<std::int64_t>();
}

std::int64_t Step::integer(const char* name, std::int64_t fallback) const {
  return has(name) ? integer(name) : fallback;
}

bool Step::flag(const char* name, bool fallback) const {
  const nlohmann::json* found = find(name);
  return found == nullptr ? fallback : found->get<bool>();
}

std::string Step::text(const char* name, const char* fallback) const {
  const nlohmann::json* found = find(name);
  return found == nullptr ? fallback : found->get<std::string>();
}

std::vector<std::int64_t> Step::ints(const char* name) const { return ints(name, 0); }

std::vector<std::int64_t> Step::ints(const char* name, std::int64_t otherwise) const {
  const nlohmann::json* found = find(name);
  if (found == nullptr) return {};
  if (!found->is_array()) return {found->get<std::int64_t>()};
  std::vector<std::int64_t> out;
  out.reserve(found->size());
  for (const nlohmann::json& item : *found)
    out.push_back(item.is_null() ? otherwise : item.get<std::int64_t>());
  return out;
}

void Step::done() const {
  for (std::size_t k = 0; k < count(); ++k) {
    if (!taken_[k]) throw std::logic_error("operand " + std::to_string(k) + " was not looked at");
  }
  for (const auto& [name, value] : attributes_.items()) {
    if (!asked_.contains(name)) throw std::logic_error("the attribute " + name + " was not looked at");
  }
}

}  // namespace backdrop::oracle
