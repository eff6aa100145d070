#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

#include "laws/cases.hpp"

using namespace backdrop;

TEST_CASE("a dumped and loaded recording dumps the same and runs to the same bits, derivatives too") {
  for_each_case({Variant::as_written, Variant::scalar, Variant::empty}, [](Case& c) {
    const std::vector<Var> vars = results(c);
    const std::string text = dump_json(c.tape(), {.bodies = true, .values = true});
    const std::unique_ptr<Tape> loaded = load_json(text);
    const std::string again = dump_json(*loaded, {.bodies = true, .values = true});
    CHECK_MESSAGE(again == text, c.name() << ": dumped\n" << text << "\nand after loading\n" << again);
    std::vector<Var> there;
    for (Var v : vars) there.push_back(loaded->var(v.index()));
    const std::vector<Tensor> a = values(c, vars), b = values(c, there);
    for (std::size_t k = 0; k < a.size(); ++k) {
      CHECK_MESSAGE(b[k].same_bits(a[k]), c.name() << ": result " << k << " is " << to_string(a[k])
                                                   << ", after loading " << to_string(b[k]));
    }
  });
}
