#include "node/server_rooms.hpp"

#include <nodelink/node.hpp>
#include "protocol/messages.hpp"
#include "protocol/presence.hpp"

namespace messenger {

using nodelink::self;
using nodelink::term;

static void happens(self me, const room_event& e, server_state& state) {
  term said = e.write();
  ++state.count.room_events[said[0].get<std::string>()];
  me.say(e.room, std::move(said));
}

// The server's own channel is no room.
static bool is_room(const std::string& name) { return nodelink::is_name(name) && name != presence_channel; }

static bool may_have_room(const std::string& name, const std::string& user, const std::string& node,
                          const server_state& state) {
  const auto most = state.options.at_most.rooms;
  return state.rooms.rooms_of(user).size() < room_list::max_rooms_of_user && state.nodes.may_have_room(node) &&
         (state.rooms.find(name) || most == 0 || state.rooms.all().size() < most);
}

/// Adds a user to a room. One who is in it gets the list anew.
void server_join(self me, const join& m, server_state& state) {
  const auto* name = name_of_asker(me, m.from, state);
  if (!name) return;
  if (!is_room(m.room)) return refuse(me, m.from, word::bad_name, state);
  if (!state.rooms.is_in(*name, m.room)) {
    if (!may_have_room(m.room, *name, m.from.node, state)) return refuse(me, m.from, word::too_many_rooms, state);
    state.nodes.add_room(m.from.node, me.now());
    happens(me, {room_event::kind::joined, m.room, state.rooms.join(*name, m.room, me.pid().creation), *name}, state);
  }
  const auto& room = *state.rooms.find(m.room);
  send_list(me, m.from, term::array({"messenger", "joined", m.room, room.seq}), room.users, state);
}

void server_leave(self me, const leave& m, server_state& state) {
  const auto* name = name_of_asker(me, m.from, state);
  if (!name) return;
  if (!state.rooms.is_in(*name, m.room)) return refuse(me, m.from, word::not_in_room, state);
  state.nodes.remove_rooms(m.from.node, 1);
  happens(me, {room_event::kind::left, m.room, state.rooms.leave(*name, m.room), *name, nodelink::reason::normal},
          state);
  me.send(m.from, left{m.room}.write());
}

/// Says something to all in a room: one publish, whatever their number.
void server_say(self me, const say& m, server_state& state) {
  const auto* name = name_of_asker(me, m.from, state);
  if (!name) return;
  if (!state.rooms.is_in(*name, m.room)) return refuse(me, m.from, word::not_in_room, state);
  room_event e{room_event::kind::said, m.room, nodelink::max_number, *name, m.text};
  if (m.text.size() > nodelink::max_payload / 8 && nodelink::encode(e.write()).size() > nodelink::max_payload)
    return refuse(me, m.from, word::text_too_long, state);
  e.seq = state.rooms.say(m.room);
  happens(me, e, state);
  me.send(m.from, reply{word::sent}.write());
}

void server_users(self me, const ask_users& m, server_state& state) {
  if (!name_of_asker(me, m.from, state)) return;
  term names = term::array();
  if (!m.room) {
    state.users.for_each([&names](const nodelink::pid&, const std::string& name) { names.push_back(name); });
  } else if (!is_room(*m.room)) {
    return refuse(me, m.from, word::bad_name, state);
  } else if (const auto* room = state.rooms.find(*m.room)) {
    names = room->users;
  }
  send_list(me, m.from, term::array({"messenger", "users"}), std::move(names), state);
}

void server_rooms(self me, const ask_rooms& m, server_state& state) {
  if (!name_of_asker(me, m.from, state)) return;
  term rooms = term::array();
  for (const auto& [name, room] : state.rooms.all()) rooms.push_back(term::array({name, room.users.size()}));
  send_list(me, m.from, term::array({"messenger", "rooms"}), std::move(rooms), state);
}

term fit_to_be_said(const term& reason) {
  constexpr std::size_t longest = 1'000;
  return nodelink::encode(reason).size() <= longest ? reason : term(nodelink::brief(reason));
}

void leave_every_room(self me, const std::string& node, const std::string& name, const term& reason,
                      server_state& state) {
  const auto rooms = state.rooms.rooms_of(name);
  state.nodes.remove_rooms(node, rooms.size());
  for (const auto& room : rooms)
    happens(me, {room_event::kind::left, room, state.rooms.leave(name, room), name, fit_to_be_said(reason)}, state);
}

}  // namespace messenger
