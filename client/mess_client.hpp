/// @file mess_client.hpp
/// The client process of the seeds: `client/2`, registered as `mess_client` on the user's node.
#pragma once

#include <set>
#include <string>

#include "client/events.hpp"
#include "runtime/self.hpp"

namespace messenger {

/// The name under which the shell registers the client process.
inline constexpr const char* client_name = "mess_client";
/// How long a reply of the server is waited for (seeds, await_result).
inline constexpr auto reply_timeout = std::chrono::seconds(5);

/// Commands to the client, from its own node only. An empty room is the current one, or none for users_command().
runtime::term logoff_command();
runtime::term message_to_command(const std::string& to, const std::string& text);
runtime::term join_command(const std::string& room);
runtime::term leave_command(const std::string& room);
runtime::term say_command(const std::string& room, const std::string& text);
runtime::term users_command(const std::string& room);
runtime::term rooms_command();
/// What the client tells the shell when a command is through and it can take the next.
struct ready {
  static std::optional<ready> match(const runtime::message& m);
};

/// Where a user is: kept outside of the client process, so that the next one can be there too.
struct membership {
  bool is_on = false;  ///< the client process has been logged on
  std::set<std::string> rooms;
  std::string current;  ///< what is said without saying where goes there; empty for none

  void add(const std::string& room);
  void remove(const std::string& room);
};

/// The client process. It joins the rooms of `in` as soon as it is logged on. @param shell hears `ready` after each
/// command. @param out and `in` outlive the node.
runtime::process client(runtime::self me, std::string server_node, std::string name, runtime::pid shell,
                        const screen& out, membership& in);

}  // namespace messenger
