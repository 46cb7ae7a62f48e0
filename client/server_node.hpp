/// @file server_node.hpp
/// What a user is told of the server's node: that it was stopped in order, and what is known of one that does not
/// answer.
#pragma once

#include <nodelink/self.hpp>
#include "client/shell.hpp"

namespace messenger {

/// Says so whenever the server's node is stopped in order while the user is on.
nodelink::process watch_server_node(nodelink::self me, shell_state& state);

/// Says what is known of a server that has not answered, and which nodes of its kind are up; a process, or a part of
/// one that hears its own node only. `out` outlives the node.
nodelink::process explain_silence(nodelink::self me, std::string server_node, const screen& out);

/// Which nodes are up: whoever's status comes before our own answer, which has to pass the broker too. A part of a
/// process. @param all stays empty if the broker has said nothing.
nodelink::process find_nodes(nodelink::self me, std::map<std::string, std::uint64_t>& all);

}  // namespace messenger
