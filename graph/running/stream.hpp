#pragma once

#include <cstddef>

namespace backdrop::running {

/// Values of as many bytes do not stay in the caches until somebody reads them.
inline constexpr std::size_t kStreamed = std::size_t{16} << 20;

/// Copies to memory past the caches: what nobody reads soon need not be fetched before it is written, and
/// displaces nothing. No overlap.
void stream(void* to, const void* from, std::size_t bytes);

/// Before another thread may read what was streamed.
void end_streaming();

}  // namespace backdrop::running
