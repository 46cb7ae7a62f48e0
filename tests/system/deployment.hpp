// The broker as it is shipped: what broker/provision makes, and a Mosquitto that runs with it.
#pragma once

#include <memory>

#include "system/programs.hpp"
#include "system/raw_client.hpp"

namespace testing_system {

class deployment {
 public:
  /// For the server messenger@test and these nodes. @param more further options of `provision ... init`.
  explicit deployment(const std::vector<std::string>& nodes, const std::vector<std::string>& more = {});
  ~deployment();
  deployment(const deployment&) = delete;

  int port() const { return port_; }
  /// broker/provision FOLDER ARGUMENTS...; throws if it fails.
  std::string provision(std::vector<std::string> arguments) const;
  const std::string& folder() const { return folder_; }
  std::string credentials(const std::string& node) const { return folder_ + "/nodes/" + node; }
  std::string ca_file() const { return folder_ + "/broker/ca.crt"; }
  /// The arguments with which a program is that node at this broker.
  std::vector<std::string> as(const std::string& node, std::vector<std::string> more = {}) const;
  /// One connection with that node's credentials, which has sent nothing yet.
  raw_client raw(const std::string& node) const;

  void start();
  void stop();
  std::string log() const;

 private:
  std::string folder_;
  int port_;
  std::unique_ptr<program> mosquitto_;
};

/// The first line of a file.
std::string first_line(const std::string& file);

}  // namespace testing_system
