#include "laws/samples.hpp"

namespace backdrop {

void elementwise_samples(Samples&) {}

}  // namespace backdrop
