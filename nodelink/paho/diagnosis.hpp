/// @file diagnosis.hpp
/// Why there is no MQTT connection, when Paho says no more than that: looks for itself, by a connection of its own.
#pragma once

#include <atomic>
#include <mutex>

#include <nodelink/paho/broker_settings.hpp>
#include <nodelink/transport.hpp>

namespace nodelink::paho {

/// The sockets of a diagnosis, so that another thread can end it.
class cancellation {
 public:
  /// The diagnosis comes to its end at once, unless a name is being looked up; whatever it says then. Any thread.
  void cancel();
  bool is_cancelled() const { return is_cancelled_; }

  // For the diagnosis.
  void opened(int fd);
  void close(int fd);

 private:
  std::mutex guard_;
  int open_ = -1;
  std::atomic<bool> is_cancelled_ = false;
};

/// Tries in turn the host's name, its port, TLS if it is to be used, and whether the other way round, with TLS or
/// without, an answer comes. Says nothing secret to the other end. Takes some seconds at most.
connection_loss diagnose(const broker_settings& broker, cancellation& by);

}  // namespace nodelink::paho
