/// @file observers.hpp
/// Who watches others end.
#pragma once

#include <fstream>
#include <string>

#include "bench/connection.hpp"
#include "bench/histogram.hpp"

namespace bench {

/// A bare subscriber that counts the nodedowns that the broker publishes.
class will_counter {
 public:
  explicit will_counter(int port);
  void wait(duration at_most);
  std::size_t count() const { return count_; }

 private:
  connection mqtt_;
  std::size_t count_ = 0;
};

/// Reads a log as it grows, from its present end on.
class log_reader {
 public:
  explicit log_reader(const std::string& path);
  /// In how many new lines this text is.
  std::size_t count_new(const std::string& text);

 private:
  std::ifstream file_;
  std::string rest_;
};

}  // namespace bench
