/// @file pairs.hpp
/// Ours and the reference in turn, and what comes of it: medians of ratios, and figures for people.
#pragma once

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <sstream>
#include <string>
#include <vector>

#include "bench/measures.hpp"

namespace bench {

/// Zero of nothing.
inline double median(std::vector<double> of) {
  std::sort(of.begin(), of.end());
  const auto n = of.size();
  return n == 0 ? 0 : n % 2 == 1 ? of[n / 2] : (of[n / 2 - 1] + of[n / 2]) / 2;
}

inline double seconds(duration d) { return std::chrono::duration<double>(d).count(); }

/// For people: with commas.
inline std::string number(double n, int digits = 0) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << n;
  std::string s = text.str();
  for (auto at = std::min(s.find('.'), s.size()); at > 3; at -= 3) s.insert(at - 3, ",");
  return s;
}

/// For people: in us, ms or s.
inline std::string time(duration d) {
  const auto us = static_cast<double>(d.count()) / 1'000;
  if (us < 1'000) return number(us) + " us";
  return us < 1'000'000 ? number(us / 1'000, us < 10'000 ? 2 : 1) + " ms" : number(us / 1'000'000, 2) + " s";
}

inline std::string against(const std::string& ours, const std::string& reference) {
  return ours + " against " + reference;
}

/// Figures of ours and of the reference, pair by pair; what counts is the median of the ratios.
class pairs {
 public:
  void add(double ours, double reference) {
    ours_.push_back(ours);
    reference_.push_back(reference);
    ratios_.push_back(reference > 0 ? ours / reference : 0);
  }
  double ratio() const { return median(ratios_); }
  double ours() const { return median(ours_); }
  double reference() const { return median(reference_); }

  figure as_time(const std::string& what, double at_most) const {
    return {what, ratio(), at_most, figure::has_to_be::at_most,
            against(time(duration(static_cast<std::int64_t>(ours()))),
                    time(duration(static_cast<std::int64_t>(reference()))))};
  }
  figure as_rate(const std::string& what, double at_least) const {
    return {what, ratio(), at_least, figure::has_to_be::at_least,
            against(number(ours()) + "/s", number(reference()) + "/s")};
  }

 private:
  std::vector<double> ours_, reference_, ratios_;
};

/// Runs `one(ours?)` for both, several times, in changing order.
template <class F>
void alternate(int times, F one) {
  for (int i = 0; i < times; ++i) {
    one(i % 2 == 1);
    one(i % 2 == 0);
  }
}

/// The same for a measure that gives one number.
template <class F>
pairs in_turn(int times, F one) {
  pairs all;
  double ours_now = 0, reference_now = 0;
  int have = 0;
  alternate(times, [&](bool ours) {
    (ours ? ours_now : reference_now) = one(ours);
    if (++have % 2 == 0) all.add(ours_now, reference_now);
  });
  return all;
}

}  // namespace bench
