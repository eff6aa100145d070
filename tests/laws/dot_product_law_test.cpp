#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>

#include "laws/cases.hpp"

using namespace backdrop;

namespace {

struct Product {
  double sum = 0, magnitude = 0;  // of all terms
};

void accumulate(Product& product, const Tensor& a, const Tensor& b) {
  for (std::size_t k = 0; k < a.numel(); ++k) {
    product.sum += a.at(k) * b.at(k);
    product.magnitude += std::abs(a.at(k) * b.at(k));
  }
}

// |<g, J t> - <J' g, t>| in units of epsilon times the size of their terms.
double disagreement(Case& c, std::span<const Var> xs) {
  const Var g = c.direction(c.y);
  std::vector<Var> ts;
  for (Var x : xs) ts.push_back(c.direction(x));
  std::vector<Var> wanted = vjp(c.y, xs, g);
  wanted.insert(wanted.end(), ts.begin(), ts.end());
  wanted.push_back(jvp(c.y, xs, ts));
  wanted.push_back(g);
  const std::vector<Tensor> v = values(c, wanted);
  Product reverse, forward;
  for (std::size_t k = 0; k < xs.size(); ++k) accumulate(reverse, v[k], v[xs.size() + k]);
  accumulate(forward, v[v.size() - 2], v[v.size() - 1]);
  const double magnitude = std::max(reverse.magnitude, forward.magnitude);
  const double difference = std::abs(reverse.sum - forward.sum);
  return difference == 0 ? 0 : difference / (magnitude * epsilon_of(c.maker.dtype()));
}

}  // namespace

TEST_CASE("jvp and vjp are transposes: <g, J t> = <J' g, t>") {
  for_each_case({Variant::as_written, Variant::scalar, Variant::empty}, [](Case& c) {
    if (!c.float_result() || !c.sample.traits.smooth) return;
    for (const Case::Subset& subset : c.subsets()) {
      CHECK_MESSAGE(disagreement(c, subset.xs) <= 64, c.name() << subset.name);
    }
  });
}
