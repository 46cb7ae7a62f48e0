/// @file stage.hpp
/// One Mosquitto, and beside each other at it: R and messenger-node.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/histogram.hpp"
#include "node/embedded_broker.hpp"
#include "system/program.hpp"

namespace bench {

using testing_system::program;

class stage {
 public:
  explicit stage(int qos) : qos_(qos) {}

  int port() const { return broker_.port(); }
  int qos() const { return qos_; }

  /// Starts R under this node name. @returns when it serves.
  program start_relay(const std::string& node) const;
  /// Starts messenger-node with default options but for the broker, its name, the QoS, no limit of requests and users,
  /// and these.
  program start_server(const std::string& node, const std::vector<std::string>& more = {}) const;

  /// The log of a server that was started.
  static std::string log_of(const std::string& node);
  /// Starts messenger-client, which logs on with its name.
  program start_client(const std::string& name, const std::string& server) const;
  /// Starts what does the same with Paho C++ and nothing else, at R.
  program start_bare_client(const std::string& node, const std::string& relay) const;

  /// CPU time used so far.
  duration broker_cpu() const;

 private:
  messenger::embedded_broker broker_;
  int qos_;
};

/// CPU time that all threads of a process have used so far.
duration cpu_of(pid_t process);
/// Bytes of memory that are the process's own.
std::size_t memory_of(pid_t process);

}  // namespace bench
