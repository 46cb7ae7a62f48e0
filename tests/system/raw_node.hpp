// A node made by hand (topics.md): one raw connection with the will of a node, and one process on it.
#pragma once

#include "system/program.hpp"
#include "system/raw_client.hpp"

namespace testing_system {

class raw_node {
 public:
  /// Connects, subscribes, and says nodeup.
  raw_node(int port, std::string name, std::uint64_t creation, bool mqtt_5 = false);

  std::string pid(int serial = 1) const;
  /// Asks messenger@test to log process `serial` on; waits for the reply and gives it back, without the LINK.
  std::string logon(const std::string& user, int serial = 1);
  void send(const std::string& to, const std::string& payload);
  /// The next message for this node, as `PROCESS PAYLOAD`; empty if there is none in time.
  std::string next(std::chrono::milliseconds at_most = patience);
  /// Says nodedown as a clean stop does.
  void say_nodedown(const std::string& reason);

  raw_client connection;

 private:
  std::string name_;
  std::uint64_t creation_;
};

inline const std::string root_topic = "messenger/1/messenger/";

}  // namespace testing_system
