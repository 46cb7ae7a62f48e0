// One target of fuzzing: what it does with one input. libFuzzer makes the inputs (tests/fuzz/run), or replay.cpp does,
// in ./check.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace fuzz {

/// Anything may come.
void one(std::string_view bytes);

inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "it does not hold that %s\n", what);
  std::abort();
}

}  // namespace fuzz
