/// @file server_presence.hpp
/// The server's part in who is there: what all hear who listen, and what they can ask (topics.md, "Presence").
#pragma once

#include "node/server_state.hpp"
#include "protocol/presence.hpp"

namespace messenger {

/// A user is on the list now, or off it. @param e gets its number here.
void say_presence(nodelink::self me, presence_event e, server_state& state);
void server_presence(nodelink::self me, const ask_presence& m, server_state& state);

}  // namespace messenger
