#pragma once

namespace backdrop::kernels {

/// Whether oneDNN is here and has AVX-512 code for this processor.
bool has_onednn();

}  // namespace backdrop::kernels
