// A private Mosquitto for one test: its own port, its own folder.
#pragma once

#include <memory>
#include <string>

#include "system/program.hpp"

namespace testing_system {

class mosquitto {
 public:
  /// @param more further lines of mosquitto.conf; with `allow_anonymous` in them the default is left out.
  /// @param netns the network namespace to run in, at `address`; empty for loopback here.
  explicit mosquitto(const std::string& more = "", std::string netns = "", const std::string& address = "127.0.0.1");
  ~mosquitto();
  mosquitto(const mosquitto&) = delete;

  int port() const { return port_; }
  std::string port_text() const { return std::to_string(port_); }
  const std::string& folder() const { return folder_; }
  /// What it has logged.
  std::string log() const;

  void signal(int number) const { program_->signal(number); }
  /// SIGTERM: in order, with every will.
  void stop();
  /// SIGKILL: no will, nothing saved.
  void kill();
  /// Starts it again on the same port.
  void start();

  /// mosquitto_pub with these arguments, to this broker.
  void publish(const std::string& topic, const std::string& payload, bool retain = false) const;
  /// mosquitto_sub to this broker, which prints `TOPIC PAYLOAD` a line; waits until it has subscribed.
  program subscribe(const std::string& filter, const std::vector<std::string>& more = {}) const;

 private:
  std::string folder_;
  std::string netns_;
  int port_;
  std::unique_ptr<program> program_;
};

int free_port();
/// A new temporary folder that anybody can read.
std::string make_folder();
std::size_t count(const std::string& text, const std::string& part);

}  // namespace testing_system
