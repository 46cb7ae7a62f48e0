/// @file mess_client.hpp
/// The client process of the seeds: `client/2`, registered as `mess_client` on the user's node.
#pragma once

#include <set>
#include <string>

#include <nodelink/self.hpp>
#include "client/events.hpp"

namespace messenger {

/// The name under which the shell registers the client process.
inline constexpr const char* client_name = "mess_client";
/// How long a reply of the server is waited for (seeds, await_result).
inline constexpr auto reply_timeout = std::chrono::seconds(5);

/// Commands to the client, from its own node only. An empty room is the current one, or none for users_command().
nodelink::term logoff_command();
nodelink::term message_to_command(const std::string& to, const std::string& text);
nodelink::term join_command(const std::string& room);
nodelink::term leave_command(const std::string& room);
nodelink::term say_command(const std::string& room, const std::string& text);
nodelink::term users_command(const std::string& room);
nodelink::term rooms_command();
/// What the client tells the shell when a command is through and it can take the next.
struct ready {
  static std::optional<ready> match(const nodelink::message& m);
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
nodelink::process client(nodelink::self me, std::string server_node, std::string name, nodelink::pid shell,
                         const screen& out, membership& in);

}  // namespace messenger
