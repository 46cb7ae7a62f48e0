/// @file event_loop.hpp
/// One thread waits here for everything: file descriptors, signals, and the node's next deadline.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include <poll.h>

#include <nodelink/paho/reactor.hpp>
#include <nodelink/transport.hpp>

namespace program {

class event_loop final : public nodelink::paho::reactor {
 public:
  /// Blocks SIGINT, SIGTERM, SIGUSR1, SIGHUP unless it is ignored, SIGWINCH and SIGCONT for this thread and those it
  /// starts: construct it before any thread.
  event_loop();
  ~event_loop();
  event_loop(const event_loop&) = delete;

  void watch(int fd, short events, std::function<void()> ready) override { watched_[fd] = {events, std::move(ready)}; }
  void unwatch(int fd) override { watched_.erase(fd); }
  /// Calls `ready` whenever the descriptor is readable, or at its end.
  void watch(int fd, std::function<void()> ready) { watch(fd, POLLIN, std::move(ready)); }
  /// Calls this with SIGINT, SIGTERM, SIGHUP or SIGUSR1.
  void on_signal(std::function<void(int)> handle) { on_signal_ = std::move(handle); }

  /// Calls this when the terminal has another size (SIGWINCH), or the program was stopped and goes on (SIGCONT).
  void on_window_change(std::function<void()> handle) { on_window_change_ = std::move(handle); }

  /// Is told how long each turn took, from what was ready to the next wait.
  std::function<void(nodelink::duration)> on_turn;

  /// Runs until stop(): waits, calls what is ready, then `after_each`, which says when it wants to be called again.
  void run(const std::function<std::optional<nodelink::instant>()>& after_each);
  void stop() { stopped_ = true; }

 private:
  struct watched {
    short events = 0;
    std::function<void()> ready;
  };
  std::map<int, watched> watched_;
  std::function<void(int)> on_signal_;
  std::function<void()> on_window_change_;
  int signals_;
  bool stopped_ = false;
};

}  // namespace program
