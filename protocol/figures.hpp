/// @file figures.hpp
/// What a program counts, with the names and units of Prometheus, in the one form from which every reader is served:
/// Prometheus itself, the summary on the wire, whoever shows that. Pure; any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <nodelink/term.hpp>

namespace messenger {

/// How often something took how long.
class histogram {
 public:
  /// @param bounds the upper bounds of the buckets in seconds, growing; one more, without a bound, is added.
  histogram(std::initializer_list<double> bounds) : bounds_(bounds), counts_(bounds.size() + 1) {}

  void observe(double seconds);

  const std::vector<double>& bounds() const { return bounds_; }
  const std::vector<std::uint64_t>& counts() const { return counts_; }  ///< of each bucket by itself
  std::uint64_t count() const { return count_; }
  double sum() const { return sum_; }
  /// The bound under which this part of all lies, 0 to 1; of the last bucket its lower one. 0 if there is nothing.
  double quantile(double part) const;

 private:
  std::vector<double> bounds_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

/// One thing that is counted, as of now.
struct figure {
  enum class kind { gauge, counter, histogram };
  using labels = std::vector<std::string>;

  std::string name;  ///< `messenger_logoffs_total`
  const char* help;
  kind what = kind::gauge;
  labels label_names{};
  /// A number for each combination of the labels' values that there is; one without labels.
  std::vector<std::pair<labels, double>> values{};
  const histogram* distribution = nullptr;  ///< of a histogram
};

using figures = std::vector<figure>;

/// `#{Name => Number}`; with labels objects in it, label by label; of a histogram `count`, `sum`, `p50`, `p99`.
nodelink::term to_term(const figures& all);

}  // namespace messenger
