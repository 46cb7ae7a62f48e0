/// @file histogram.hpp
/// Counts times in buckets whose width grows with the time: 64 in each power of two, so within 1.6 %.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <vector>

namespace bench {

using duration = std::chrono::nanoseconds;

class histogram {
 public:
  void add(duration time) {
    const auto i = index(static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0)));
    if (i >= counts_.size()) counts_.resize(i + 1);
    ++counts_[i];
    ++total_;
  }
  void add(const histogram& other) {
    counts_.resize(std::max(counts_.size(), other.counts_.size()));
    for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
  }
  std::uint64_t total() const { return total_; }

  /// The time that this part of all (0 to 1) did not exceed; zero without any.
  duration at(double part) const {
    const auto rank = static_cast<std::uint64_t>(part * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if ((seen += counts_[i]) > rank || (seen == total_ && seen > 0)) return duration(middle(i));
    return {};
  }

 private:
  static constexpr int bits = 6;

  static std::size_t index(std::uint64_t n) {
    const int shift = std::max(static_cast<int>(std::bit_width(n)) - bits - 1, 0);
    return (static_cast<std::size_t>(shift) << bits) + (n >> shift);
  }
  static std::int64_t middle(std::size_t i) {
    const auto shift = i < (2U << bits) ? 0 : (i >> bits) - 1;
    return static_cast<std::int64_t>(((i - (shift << bits)) << shift) + ((std::uint64_t{1} << shift) >> 1));
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

}  // namespace bench
