/// @file measures.hpp
/// What is measured, and what it has to reach (README.md has the words).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/histogram.hpp"

namespace bench {

/// One number with its target.
struct figure {
  std::string what;
  double value = 0;
  double target = 0;
  enum class has_to_be { at_most, at_least, anything } target_is = has_to_be::at_most;
  std::string details;

  bool is_reached() const {
    return target_is == has_to_be::anything || (target_is == has_to_be::at_most ? value <= target : value >= target);
  }
};

struct result {
  int number;  ///< of the measure
  std::string what;
  std::vector<figure> figures;
};

/// What the plots show.
struct plots {
  histogram relay_latency, server_latency;  ///< at 70 % of R's capacity
  struct point {
    std::size_t users;
    double rate;
  };
  std::vector<point> capacity;  ///< of the server by the length of its list
  double relay_capacity = 0;
};

/// How much of everything. In the smoke test so little that it takes seconds, and the figures mean nothing.
struct scale {
  int pairs = 5;
  duration round = std::chrono::milliseconds(1'000);
  int clients = 100;
  int many_clients = 1'000;
  int storm = 10'000;
  int crowd = 100'000;
  int silent_users = 10'000;
  duration silence = std::chrono::seconds(56);  ///< a tick asks after every link once in 52.5 s
  int idle_servers = 20;
  int idle_rounds = 15;
  int members = 1'000;
  int starts = 30;
  int schedules = 4'000;
};

struct report {
  std::vector<result> results;  ///< with QoS 1
  std::vector<result> with_qos_0;
  plots plotted;
};

/// Runs the measures of these numbers (all without any). @param say is told what is under way.
report run(const scale& s, const std::vector<int>& only, const std::vector<int>& with_qos,
           const std::function<void(const std::string&)>& say);

}  // namespace bench
