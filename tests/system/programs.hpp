// messenger-node and messenger-client at a test's own broker.
#pragma once

#include <gtest/gtest.h>

#include "system/mosquitto.hpp"

namespace testing_system {

inline const std::string node_program = BIN_FOLDER "/messenger-node";
inline const std::string client_program = BIN_FOLDER "/messenger-client";

/// Starts the server, `messenger@test`, and waits until it is up.
program start_server(const mosquitto& broker, std::vector<std::string> more = {});
/// Starts a client at node NAME@test.
program start_client(const mosquitto& broker, const std::string& name, std::vector<std::string> more = {});
/// The same, logged on under that name.
program start_user(const mosquitto& broker, const std::string& name, const std::vector<std::string>& more = {});

/// Types a line and gives back what is printed next.
std::string ask(program& client, const std::string& line);
/// Waits for a line of standard output.
std::string line_of(program& client);

}  // namespace testing_system
