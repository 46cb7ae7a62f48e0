/// @file embedded_broker.hpp
/// A private Mosquitto on loopback, for trying things out: it lives and dies with this program.
#pragma once

#include <string>

#include <sys/types.h>

namespace messenger {

class embedded_broker {
 public:
  /// Starts Mosquitto on a free port of 127.0.0.1, its files in a temporary folder, and waits until it
  /// answers. @throws std::runtime_error with a sentence for the user.
  embedded_broker();
  /// Ends it and removes the folder. Mosquitto also ends if this program is killed.
  ~embedded_broker();
  embedded_broker(const embedded_broker&) = delete;

  int port() const { return port_; }
  pid_t pid() const { return pid_; }
  /// `mqtt://127.0.0.1:PORT`
  std::string url() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }
  /// Readable when Mosquitto has ended by itself (a pidfd).
  int fd() const { return pidfd_; }
  /// The last lines of its log, for when it did.
  std::string last_words() const;

 private:
  void start(const std::string& mosquitto);
  void end();

  std::string folder_;
  int port_ = 0;
  pid_t pid_ = -1;
  int pidfd_ = -1;
};

}  // namespace messenger
