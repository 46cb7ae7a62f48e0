/// @file settings.hpp
/// What messenger-node is told: by its command line, the environment, its configuration file.
#pragma once

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/http_server.hpp"
#include "node/name_list.hpp"
#include "node/server.hpp"
#include "node/standby.hpp"
#include "program/options.hpp"
#include "protocol/messages.hpp"

namespace messenger {

struct settings {
  program::common_options common;
  server_options server;
  std::vector<std::string> admins;
  std::string names;                 ///< path of a name_list; empty for none
  std::shared_ptr<name_list> bound;  ///< that list
  bool embedded = false;
  bool is_replacing = false;
  bool is_port_given = false;
  bool is_standby = false;
  standby_options standby{.server_node = server_name};
  std::optional<http_address> metrics;
  nodelink::paho::broker_settings broker_as_server;  ///< with the credentials of that node
  std::string in_force;                              ///< what --check-config shows
};

/// @returns the exit code to end with, or nothing to go on.
std::optional<int> read_settings(int argc, char** argv, settings& into, std::ostream& errors = std::cerr);

/// What was changed since, in the environment's files or the configuration file: the log level counts from now on; for
/// what else was changed the program has to be started again, and the log says so. What is wrong changes nothing.
void reload_settings(int argc, char** argv, const settings& before);

}  // namespace messenger
