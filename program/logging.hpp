/// @file logging.hpp
/// spdlog's default logger for the time of a program: time, level and text, a line each.
#pragma once

#include <functional>
#include <string>

namespace program {

class output;

class logging {
 public:
  /// To a stream, usually standard error, with colours if it is a terminal.
  logging(const std::string& level, output& to);
  /// Without the date, line by line to whoever shows it.
  logging(const std::string& level, std::function<void(const std::string& line)> to);
  /// What is logged from then on is lost.
  ~logging();
  logging(const logging&) = delete;
};

}  // namespace program
