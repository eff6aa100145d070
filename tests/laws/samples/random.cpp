#include "laws/samples.hpp"

namespace backdrop {

void random_samples(Samples&) {}

}  // namespace backdrop
