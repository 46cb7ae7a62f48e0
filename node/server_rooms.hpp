/// @file server_rooms.hpp
/// The server's part in the rooms: what it does for each of the requests (topics.md, "Rooms").
#pragma once

#include "node/server_state.hpp"
#include "protocol/rooms.hpp"

namespace messenger {

void server_join(nodelink::self me, const join& m, server_state& state);
void server_leave(nodelink::self me, const leave& m, server_state& state);
void server_say(nodelink::self me, const say& m, server_state& state);
void server_users(nodelink::self me, const ask_users& m, server_state& state);
void server_rooms(nodelink::self me, const ask_rooms& m, server_state& state);

/// A user of that node is off the list: leaves every room, with the reason for all to see.
void leave_every_room(nodelink::self me, const std::string& node, const std::string& name, const nodelink::term& reason,
                      server_state& state);

/// A process may end with a reason of any length.
nodelink::term fit_to_be_said(const nodelink::term& reason);

}  // namespace messenger
