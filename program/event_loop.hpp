/// @file event_loop.hpp
/// One thread waits here for everything: file descriptors, signals, and the node's next deadline.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "runtime/transport.hpp"

namespace program {

class event_loop {
 public:
  /// Blocks SIGINT, SIGTERM and SIGHUP for this thread and those it starts: construct it before any thread.
  event_loop();
  ~event_loop();
  event_loop(const event_loop&) = delete;

  /// Calls `readable` whenever the descriptor is readable, or at its end.
  void watch(int fd, std::function<void()> readable) { watched_[fd] = std::move(readable); }
  void unwatch(int fd) { watched_.erase(fd); }
  /// Calls this with SIGINT, SIGTERM or SIGHUP.
  void on_signal(std::function<void(int)> handle) { on_signal_ = std::move(handle); }

  /// Runs until stop(): waits, calls what is ready, then `after_each`, which says when it wants to be called again.
  void run(const std::function<std::optional<runtime::instant>()>& after_each);
  void stop() { stopped_ = true; }

 private:
  std::map<int, std::function<void()>> watched_;
  std::function<void(int)> on_signal_;
  int signals_;
  bool stopped_ = false;
};

}  // namespace program
