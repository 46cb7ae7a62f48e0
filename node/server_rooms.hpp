/// @file server_rooms.hpp
/// The server's part in the rooms: what it does for each of the requests (topics.md, "Rooms").
#pragma once

#include <nodelink/self.hpp>
#include "node/room_list.hpp"
#include "node/user_list.hpp"
#include "protocol/rooms.hpp"

namespace messenger {

/// Who is logged on, and who of them is in which room.
struct server_state {
  user_list users;
  room_list rooms;
};

/// The name of who asks; who is not logged on is told so, and has no name. To ask is to be active.
const std::string* name_of_asker(nodelink::self me, const nodelink::pid& from, server_state& state);

void server_join(nodelink::self me, const join& m, server_state& state);
void server_leave(nodelink::self me, const leave& m, server_state& state);
void server_say(nodelink::self me, const say& m, server_state& state);
void server_users(nodelink::self me, const ask_users& m, server_state& state);
void server_rooms(nodelink::self me, const ask_rooms& m, server_state& state);

/// A user is off the list: leaves every room, with the reason for all to see.
void leave_every_room(nodelink::self me, const std::string& name, const nodelink::term& reason, server_state& state);

}  // namespace messenger
