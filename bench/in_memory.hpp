/// @file in_memory.hpp
/// The runtime alone: no broker, no socket, no other thread.
#pragma once

#include "bench/measures.hpp"

namespace bench {

/// Measure 14.
result in_memory(const scale& s);

}  // namespace bench
