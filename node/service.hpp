/// @file service.hpp
/// What a service manager hears of this program, if one has started it: sd_notify(3).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <nodelink/transport.hpp>

namespace messenger {

class service {
 public:
  service();

  /// How it is, for `systemctl status`. Said when it has changed.
  void is(const std::string& status, bool is_ready);
  /// It has begun to stop.
  void is_stopping();
  /// Call it in each turn of the program's loop: with a watchdog it says that the loop turns. @returns when it wants to
  /// be called again.
  std::optional<nodelink::instant> alive();

 private:
  std::string status_;
  bool is_stopping_ = false;
  std::optional<nodelink::duration> interval_;  // of the watchdog
  nodelink::instant next_;
};

}  // namespace messenger
