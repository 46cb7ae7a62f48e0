/// @file reactor.hpp
#pragma once

#include <functional>

namespace [[gnu::visibility("default")]] nodelink {
namespace paho {

/// The loop of the thread that a transport lives on: whoever waits there for everything, with poll(2) or the like.
class reactor {
 public:
  /// Calls `ready`, on its own thread, whenever one of these `events` of poll(2) is there for the descriptor.
  virtual void watch(int fd, short events, std::function<void()> ready) = 0;
  /// No longer.
  virtual void unwatch(int fd) = 0;

 protected:
  ~reactor() = default;
};

}  // namespace paho
}  // namespace nodelink
