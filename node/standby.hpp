/// @file standby.hpp
/// Who waits to be the server: a process on a node of its own that watches the server's, and says when it is its turn.
/// The lock and the fence are one: the broker lets one connection have the server's client id (MQTT 5.0 section
/// 3.1.4-3), and the latest has the highest creation (rules 4 and 9).
#pragma once

#include <functional>

#include <nodelink/self.hpp>

namespace messenger {

inline constexpr const char* standby_name = "messenger_standby";

struct standby_options {
  std::string server_node;
  /// How long the server's node has to be down: who is to be preferred has less.
  nodelink::duration delay = std::chrono::seconds(1);
  /// How often the server's node is asked after while it is up; twice and a quarter of this without an answer is down
  /// (rule 8).
  nodelink::duration net_ticktime = std::chrono::seconds(60);
};

/// Calls `its_turn`, and ends, when the server's node has been down, or nobody has seen it, for the delay and up to a
/// fifth of a second more by chance: then it is this program's turn to be that node.
nodelink::process standby(nodelink::self me, standby_options options, std::function<void()> its_turn);

}  // namespace messenger
