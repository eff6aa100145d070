#include "kernels/targets.hpp"

#include <hwy/highway.h>
#include <hwy/targets.h>

#include "kernels/arithmetic.hpp"

namespace backdrop::kernels {
namespace {

/// 0 stands for "whatever the machine has".
void choose(std::int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  chosen_arithmetic<float> = nullptr;
  chosen_arithmetic<double> = nullptr;
}

}  // namespace

std::vector<std::int64_t> vector_targets() { return hwy::SupportedAndGeneratedTargets(); }

const char* target_name(std::int64_t target) { return hwy::TargetName(target); }

ForcedTarget::ForcedTarget(std::int64_t target) { choose(target); }
ForcedTarget::~ForcedTarget() { choose(0); }

}  // namespace backdrop::kernels
