#pragma once

namespace backdrop::bench {

/// From here on, aligned memory of 2 MiB and more begins at a multiple of 2 MiB and asks for pages of that
/// size. Every contender in this process gets its memory so, hence where it lies makes no difference between
/// them. Not for measurements of memory: it rounds up.
void use_large_pages();

}  // namespace backdrop::bench
