#pragma once

#include <backdrop/core/attribute.hpp>
#include <backdrop/core/tensor.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "json_tokens.hpp"

/// Tokens as values of backdrop. All throw, with the place, when the token is of another kind or out of
/// range.
namespace backdrop::json {

std::string_view read_string(const Context& context, Value value, std::string_view what);
std::int64_t read_integer(const Context& context, Value value, std::string_view what);
DType read_dtype(const Context& context, Value value);
void read_integers(const Context& context, Value value, std::string_view what,
                   std::vector<std::int64_t>& out);

/// `ints` holds the numbers of a list, which the result views.
AttrValue read_attribute(const Context& context, Value value, const AttrSpec& spec,
                         std::vector<std::int64_t>& ints);

/// A tensor of this type, in any of the forms that json_text writes.
Tensor read_tensor(const Context& context, Value value, DType dtype, const Shape& shape);

}  // namespace backdrop::json
