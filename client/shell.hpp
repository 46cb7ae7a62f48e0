/// @file shell.hpp
/// The shell process: carries out the user's commands, one after the other, and shows how mess_client ends.
/// In Erlang: the shell in which `messenger:logon(peter)` is typed.
#pragma once

#include <functional>
#include <string>

#include <nodelink/self.hpp>
#include "client/mess_client.hpp"

namespace messenger {

/// The shell is registered under this name.
inline constexpr const char* shell_name = "shell";

/// What the shell is told: a line of input; the end of it; a name to log on with; one to kick.
nodelink::term line_input(const std::string& line);
nodelink::term end_of_input();
nodelink::term logon_input(const std::string& name);
/// The same as `/kick`, of any name.
nodelink::term kick_input(const std::string& name);

/// What the shell and the program around it share.
struct shell_state {
  std::string server_node;  ///< server_node() of the seeds
  const screen& out;
  /// When mess_client ends otherwise than by `normal` or `idle_timeout` (connection lost, no answer, a crash of the
  /// server process), log on again under the same name, until that works or the name is taken.
  bool rejoin = false;
  /// The name of the latest logon, for a `/join` of somebody who is not on.
  std::string user_name{};
  membership in{};
  std::string host{};  ///< of a node that is named without one; empty for the own node's
  /// Nothing is under way: the next line may come.
  bool idle = false;
  /// `/quit` or the end of input: everything is through, mess_client logged off.
  bool done = false;
};

/// @param state outlives the node.
nodelink::process shell(nodelink::self me, shell_state& state);

}  // namespace messenger
