/// @file logging.hpp
/// spdlog's default logger for the time of a program: time, level and text, a line each.
#pragma once

#include <functional>
#include <string>

namespace program {

class output;

class logging {
 public:
  /// To a stream, usually standard error, with colours if it is a terminal. Times are local, with the zone.
  /// @param format `text`, or `json`: one object a line, with the event and its fields (log_event.hpp); times in UTC
  logging(const std::string& level, const std::string& format, output& to);
  /// Without the date, line by line to whoever shows it.
  logging(const std::string& level, std::function<void(const std::string& line)> to);
  /// What is logged from then on is lost.
  ~logging();
  logging(const logging&) = delete;
};

}  // namespace program
