#include <backdrop/ops/ops.hpp>

#include "oracle/step.hpp"

namespace backdrop::oracle {

namespace {

// Operands of arithmetic: numbers come as the attributes a and b.
Operand left(const Step& s) { return s.has("a") ? Operand(s.real("a")) : Operand(s[0]); }
Operand right(const Step& s) { return s.has("b") ? Operand(s.real("b")) : Operand(s[s.count() - 1]); }

void functions(Vocabulary& v) {
  v["neg"] = [](const Step& s) { return neg(s[0]); };
  v["abs"] = [](const Step& s) { return abs(s[0]); };
  v["sign"] = [](const Step& s) { return sign(s[0]); };
  v["exp"] = [](const Step& s) { return exp(s[0]); };
  v["expm1"] = [](const Step& s) { return expm1(s[0]); };
  v["log"] = [](const Step& s) { return log(s[0]); };
  v["log1p"] = [](const Step& s) { return log1p(s[0]); };
  v["sqrt"] = [](const Step& s) { return sqrt(s[0]); };
  v["rsqrt"] = [](const Step& s) { return rsqrt(s[0]); };
  v["square"] = [](const Step& s) { return square(s[0]); };
  v["reciprocal"] = [](const Step& s) { return reciprocal(s[0]); };
  v["sin"] = [](const Step& s) { return sin(s[0]); };
  v["cos"] = [](const Step& s) { return cos(s[0]); };
  v["tanh"] = [](const Step& s) { return tanh(s[0]); };
  v["erf"] = [](const Step& s) { return erf(s[0]); };
  v["erfc"] = [](const Step& s) { return erfc(s[0]); };
  v["log2"] = [](const Step& s) { return log2(s[0]); };
  v["log10"] = [](const Step& s) { return log10(s[0]); };
  v["tan"] = [](const Step& s) { return tan(s[0]); };
  v["asin"] = [](const Step& s) { return asin(s[0]); };
  v["acos"] = [](const Step& s) { return acos(s[0]); };
  v["atan"] = [](const Step& s) { return atan(s[0]); };
  v["sinh"] = [](const Step& s) { return sinh(s[0]); };
  v["cosh"] = [](const Step& s) { return cosh(s[0]); };
  v["asinh"] = [](const Step& s) { return asinh(s[0]); };
  v["acosh"] = [](const Step& s) { return acosh(s[0]); };
  v["atanh"] = [](const Step& s) { return atanh(s[0]); };
  v["lgamma"] = [](const Step& s) { return lgamma(s[0]); };
  v["digamma"] = [](const Step& s) { return digamma(s[0]); };
  v["floor"] = [](const Step& s) { return floor(s[0]); };
  v["ceil"] = [](const Step& s) { return ceil(s[0]); };
  v["round"] = [](const Step& s) { return round(s[0]); };
  v["polygamma"] = [](const Step& s) { return polygamma(s.integer("n"), s[0]); };
  v["stop_gradient"] = [](const Step& s) { return stop_gradient(s[0]); };
  v["scale"] = [](const Step& s) { return scale(s[0], s.real("factor")); };
  v["clip"] = [](const Step& s) { return clip(s[0], s.real("low"), s.real("high")); };
}

void activations(Vocabulary& v) {
  v["sigmoid"] = [](const Step& s) { return sigmoid(s[0]); };
  v["log_sigmoid"] = [](const Step& s) { return log_sigmoid(s[0]); };
  v["softplus"] = [](const Step& s) { return softplus(s[0]); };
  v["relu"] = [](const Step& s) { return relu(s[0]); };
  v["selu"] = [](const Step& s) { return selu(s[0]); };
  v["mish"] = [](const Step& s) { return mish(s[0]); };
  v["softsign"] = [](const Step& s) { return softsign(s[0]); };
  v["tanhshrink"] = [](const Step& s) { return tanhshrink(s[0]); };
  v["relu6"] = [](const Step& s) { return relu6(s[0]); };
  v["hardsigmoid"] = [](const Step& s) { return hardsigmoid(s[0]); };
  v["hardswish"] = [](const Step& s) { return hardswish(s[0]); };
  v["hardtanh"] = [](const Step& s) { return hardtanh(s[0], s.real("low"), s.real("high")); };
  v["softshrink"] = [](const Step& s) { return softshrink(s[0], s.real("bound")); };
  v["hardshrink"] = [](const Step& s) { return hardshrink(s[0], s.real("bound")); };
  v["celu"] = [](const Step& s) { return celu(s[0], s.real("alpha")); };
  v["leaky_relu"] = [](const Step& s) { return leaky_relu(s[0], s.real("slope")); };
  v["elu"] = [](const Step& s) { return elu(s[0], s.real("alpha")); };
  v["silu"] = [](const Step& s) { return silu(s[0]); };
  v["gelu"] = [](const Step& s) { return gelu(s[0]); };
  v["gelu_tanh"] = [](const Step& s) { return gelu_tanh(s[0]); };
}

void arithmetic(Vocabulary& v) {
  v["add"] = [](const Step& s) { return add(left(s), right(s)); };
  v["sub"] = [](const Step& s) { return sub(left(s), right(s)); };
  v["mul"] = [](const Step& s) { return mul(left(s), right(s)); };
  v["div"] = [](const Step& s) { return div(left(s), right(s)); };
  v["maximum"] = [](const Step& s) { return maximum(left(s), right(s)); };
  v["minimum"] = [](const Step& s) { return minimum(left(s), right(s)); };
  v["atan2"] = [](const Step& s) { return atan2(left(s), right(s)); };
  v["hypot"] = [](const Step& s) { return hypot(left(s), right(s)); };
  v["logaddexp"] = [](const Step& s) { return logaddexp(left(s), right(s)); };
  v["rsub"] = [](const Step& s) { return rsub(left(s), right(s)); };
  v["rdiv"] = [](const Step& s) { return rdiv(left(s), right(s)); };
  v["multiply_add"] = [](const Step& s) { return multiply_add(s[0], s[1], s[2]); };
  v["pow_tensor"] = [](const Step& s) { return pow(Operand(s[0]), Operand(s[1])); };
  v["pow_of_number"] = [](const Step& s) { return pow(Operand(s.real("base")), Operand(s[0])); };
  v["pow"] = [](const Step& s) { return pow(s[0], s.real("exponent")); };
}

void masks(Vocabulary& v) {
  v["greater"] = [](const Step& s) { return greater(left(s), right(s)); };
  v["greater_equal"] = [](const Step& s) { return greater_equal(left(s), right(s)); };
  v["less"] = [](const Step& s) { return less(left(s), right(s)); };
  v["less_equal"] = [](const Step& s) { return less_equal(left(s), right(s)); };
  v["equal"] = [](const Step& s) { return equal(left(s), right(s)); };
  v["not_equal"] = [](const Step& s) { return not_equal(left(s), right(s)); };
  v["logical_and"] = [](const Step& s) { return logical_and(s[0], s[1]); };
  v["logical_or"] = [](const Step& s) { return logical_or(s[0], s[1]); };
  v["logical_not"] = [](const Step& s) { return logical_not(s[0]); };
  v["logical_xor"] = [](const Step& s) { return logical_xor(s[0], s[1]); };
  v["cast"] = [](const Step& s) { return cast(s[0], parse_dtype(s.text("dtype", ""))); };
  v["masked_fill"] = [](const Step& s) { return masked_fill(s[0], s[1], s.real("value")); };
  v["where"] = [](const Step& s) {
    const Operand a = s.has("a") ? Operand(s.real("a")) : Operand(s[1]);
    return where(s[0], a, right(s));
  };
}

}  // namespace

void elementwise_calls(Vocabulary& v) {
  functions(v);
  activations(v);
  arithmetic(v);
  masks(v);
}

}  // namespace backdrop::oracle
