/// @file mess_client.hpp
/// The client process of the seeds: `client/2`, registered as `mess_client` on the user's node.
#pragma once

#include <string>

#include "client/screen.hpp"
#include "runtime/self.hpp"

namespace messenger {

/// The name under which the shell registers the client process.
inline constexpr const char* client_name = "mess_client";
/// How long a reply of the server is waited for (seeds, await_result).
inline constexpr auto reply_timeout = std::chrono::seconds(5);

/// Commands to the client, from its own node only.
runtime::term logoff_command();
runtime::term message_to_command(const std::string& to, const std::string& text);
/// What the client tells the shell when a command is through and it can take the next.
struct ready {
  static std::optional<ready> match(const runtime::message& m);
};

/// The client process. @param shell hears `ready` after each command. @param out outlives the node.
runtime::process client(runtime::self me, std::string server_node, std::string name, runtime::pid shell,
                        const screen& out);

}  // namespace messenger
