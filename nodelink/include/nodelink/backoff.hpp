/// @file backoff.hpp
/// How long to wait before the next try. Pure; any thread.
#pragma once

#include <algorithm>

#include <nodelink/transport.hpp>

namespace [[gnu::visibility("default")]] nodelink {

/// Exponential backoff with jitter: the n-th wait is drawn from the upper half of
/// `first * 2^n`, at most `longest`, so that a thousand nodes that lost one broker come back spread.
class backoff {
 public:
  /// @param first longer than nothing @param longest not shorter than `first`
  backoff(duration first, duration longest) : first_(first), longest_(longest) {}

  /// The next wait, between `first` and `longest`. @param random 64 random bits.
  duration next(std::uint64_t random) {
    const auto ceiling = std::min(longest_, first_ * (std::int64_t{2} << std::min(tries_++, 30)));
    return ceiling / 2 + duration(static_cast<duration::rep>(random % static_cast<std::uint64_t>(ceiling.count() / 2)));
  }
  /// The next wait is a first one again.
  void reset() { tries_ = 0; }

 private:
  duration first_;
  duration longest_;
  int tries_ = 0;
};

}  // namespace nodelink
