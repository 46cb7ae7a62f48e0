/// @file embedded_broker.hpp
/// A private Mosquitto on loopback, for trying things out: it lives and dies with this program.
#pragma once

#include <string>

#include <sys/types.h>

namespace messenger {

class embedded_broker {
 public:
  /// Starts Mosquitto on this port of 127.0.0.1, or a free one if it is 0, its files in memory, and waits
  /// until it answers. @throws std::runtime_error with a sentence for the user.
  explicit embedded_broker(int port = 0);
  /// Ends it. Mosquitto also ends if this program is killed.
  ~embedded_broker();
  embedded_broker(const embedded_broker&) = delete;

  int port() const { return port_; }
  pid_t pid() const { return pid_; }
  /// `mqtt://127.0.0.1:PORT`
  std::string url() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }
  /// Readable when Mosquitto has ended by itself (a pidfd).
  int fd() const { return pidfd_; }
  /// Starts it again on the same port when it has ended by itself. @throws std::runtime_error likewise.
  void restart();
  /// The last lines of its log, for when it did.
  std::string last_words() const;

 private:
  void start();
  void end_process();
  void end();

  std::string mosquitto_;  // the program
  int wanted_port_;
  int log_;  // of Mosquitto, in memory
  int port_ = 0;
  pid_t pid_ = -1;
  int pidfd_ = -1;
};

}  // namespace messenger
