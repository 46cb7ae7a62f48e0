/// @file nearest.hpp
/// What somebody may have meant. Pure; any thread.
#pragma once

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace program {

/// How many letters have to be changed, added, left out, or exchanged with the next, to make one of the other.
inline std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before = std::exchange(row, next);
  }
  return row.back();
}

/// The nearest of these; empty if none is near.
inline std::string nearest(std::string_view to, const std::vector<std::string>& among) {
  std::string best;
  auto least = to.size() / 3 + 1;
  for (const auto& each : among)
    if (const auto d = distance(to, each); d < least || (d == least && best.empty())) {
      best = each;
      least = d;
    }
  return best;
}

}  // namespace program
