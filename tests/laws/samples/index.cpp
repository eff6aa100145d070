#include "laws/samples.hpp"

namespace backdrop {

void index_samples(Samples&) {}

}  // namespace backdrop
