#include "node/server_rooms.hpp"

#include <nodelink/node.hpp>
#include "protocol/messages.hpp"

namespace messenger {

using nodelink::self;
using nodelink::term;

const std::string* name_of_asker(self me, const nodelink::pid& from, server_state& state) {
  const auto* name = state.users.name_of(from);
  if (name)
    state.users.is_active(from, me.now());
  else
    me.send(from, stop{word::you_are_not_logged_on}.write());
  return name;
}

static void send_pages(self me, const nodelink::pid& to, const term& head, const term& items) {
  for (auto& page : pages(head, items)) me.send(to, std::move(page));
}

static void happens(self me, const room_event& e) { me.say(e.room, e.write()); }

/// Adds a user to a room. One who is in it gets the list anew.
void server_join(self me, const join& m, server_state& state) {
  const auto* name = name_of_asker(me, m.from, state);
  if (!name) return;
  if (!nodelink::is_name(m.room)) return me.send(m.from, reply{word::bad_name}.write());
  if (!state.rooms.is_in(*name, m.room)) {
    if (state.rooms.rooms_of(*name).size() >= room_list::max_rooms_of_user)
      return me.send(m.from, reply{word::too_many_rooms}.write());
    happens(me, {room_event::kind::joined, m.room, state.rooms.join(*name, m.room, me.pid().creation), *name});
  }
  const auto& room = *state.rooms.find(m.room);
  send_pages(me, m.from, term::array({"messenger", "joined", m.room, room.seq}), room.users);
}

void server_leave(self me, const leave& m, server_state& state) {
  const auto* name = name_of_asker(me, m.from, state);
  if (!name) return;
  if (!state.rooms.is_in(*name, m.room)) return me.send(m.from, reply{word::not_in_room}.write());
  happens(me, {room_event::kind::left, m.room, state.rooms.leave(*name, m.room), *name, nodelink::reason::normal});
  me.send(m.from, left{m.room}.write());
}

/// Says something to all in a room: one publish, whatever their number.
void server_say(self me, const say& m, server_state& state) {
  const auto* name = name_of_asker(me, m.from, state);
  if (!name) return;
  if (!state.rooms.is_in(*name, m.room)) return me.send(m.from, reply{word::not_in_room}.write());
  room_event e{room_event::kind::said, m.room, nodelink::max_number, *name, m.text};
  if (m.text.size() > nodelink::max_payload / 8 && nodelink::encode(e.write()).size() > nodelink::max_payload)
    return me.send(m.from, reply{word::text_too_long}.write());
  e.seq = state.rooms.say(m.room);
  happens(me, e);
  me.send(m.from, reply{word::sent}.write());
}

void server_users(self me, const ask_users& m, server_state& state) {
  if (!name_of_asker(me, m.from, state)) return;
  const term head = term::array({"messenger", "users"});
  term names = term::array();
  if (!m.room) {
    state.users.for_each([&names](const nodelink::pid&, const std::string& name) { names.push_back(name); });
  } else if (!nodelink::is_name(*m.room)) {
    return me.send(m.from, reply{word::bad_name}.write());
  } else if (const auto* room = state.rooms.find(*m.room)) {
    names = room->users;
  }
  send_pages(me, m.from, head, names);
}

void server_rooms(self me, const ask_rooms& m, server_state& state) {
  if (!name_of_asker(me, m.from, state)) return;
  term rooms = term::array();
  for (const auto& [name, room] : state.rooms.all()) rooms.push_back(term::array({name, room.users.size()}));
  send_pages(me, m.from, term::array({"messenger", "rooms"}), rooms);
}

// A process may end with a reason of any length.
static term fit_to_be_said(const term& reason) {
  constexpr std::size_t longest = 1'000;
  return nodelink::encode(reason).size() <= longest ? reason : term(nodelink::brief(reason));
}

void leave_every_room(self me, const std::string& name, const term& reason, server_state& state) {
  for (const auto& room : state.rooms.rooms_of(name))
    happens(me, {room_event::kind::left, room, state.rooms.leave(name, room), name, fit_to_be_said(reason)});
}

}  // namespace messenger
