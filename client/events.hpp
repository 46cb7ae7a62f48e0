/// @file events.hpp
/// What a user is shown: replies, messages, what happens in a room. How it looks is the business of who shows it: as
/// lines for people and scripts (lines.hpp), as JSON (json_lines.hpp), on a terminal (terminal.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <nodelink/transport.hpp>
#include "protocol/presence.hpp"
#include "protocol/rooms.hpp"
#include "protocol/summary.hpp"

namespace messenger {

namespace shown {
/// A reply in one word (topics.md), or what a command came to: `logged_on`, `sent`, `logged_off`.
struct reply {
  std::string what;
};
/// The server said no to the name.
struct refused {
  std::string why;
};
/// From another user, to this one alone.
struct message {
  std::string from, text;
};
/// mess_client ended by a signal. `is_rejoining`: it will log on again by itself.
struct exit {
  nodelink::term reason;
  bool is_rejoining = false;
};
/// The own join: who is in the room, this user included, as of its event `seq`. Comes again, with `again`, when some
/// events were missed.
struct joined {
  std::string room;
  std::uint64_t seq = 0;
  names users;
  bool again = false;
};
struct left {
  std::string room;
};
/// Something that others did, or this user, in a room that this user is in.
struct in_room {
  room_event event;
  bool own = false;
};
/// In a room, or on the whole list.
struct users {
  std::optional<std::string> room;
  names all;
};
struct rooms {
  std::vector<std::pair<std::string, std::uint64_t>> all;
};
/// Nodes that are up, with their creations: Unix time in milliseconds.
struct nodes {
  std::map<std::string, std::uint64_t> all;
};
struct pong {
  std::string node;
  nodelink::duration time;
};
struct pang {
  std::string node, why;
};
/// How the server is.
struct status {
  std::string node;
  std::optional<bool> is_up;  ///< its node, as far as the broker knows
  std::optional<summary> latest;
  std::optional<summary> before;  ///< of the same incarnation: what rates are made from
  std::uint64_t now_ms = 0;       ///< Unix time here
  std::vector<presence_event> recent{};
  bool is_screen = false;  ///< takes the place of the one before
};
/// How long something took: half of the times, 99 of a hundred, all.
struct times {
  nodelink::duration half{}, most{}, all{};
};
/// What came of a load (load.hpp).
struct load {
  std::size_t users = 0;  ///< that were logged on
  nodelink::duration logon_time{}, writing_time{};
  std::uint64_t sent = 0, delivered = 0, lost = 0;
  std::uint64_t unanswered = 0;  ///< logons
  std::map<std::string, std::uint64_t> refusals;
  std::string ended{};    ///< why it ended before its time; empty if it did not
  times delivery, reply;  ///< of messages, to the receiver; of the server, to the sender
  times round_trip;       ///< of this node, through the broker to itself
};
/// How far something has come; takes the place of the one before.
struct progress {
  std::string text;
};
/// A mistake of the user's, or help: a sentence, or lines of them.
struct note {
  std::string text;
  bool is_mistake = false;
};
}  // namespace shown

using event = std::variant<shown::reply, shown::refused, shown::message, shown::exit, shown::joined, shown::left,
                           shown::in_room, shown::users, shown::rooms, shown::nodes, shown::pong, shown::pang,
                           shown::status, shown::load, shown::progress, shown::note>;

/// Where the processes of a user's node show what happens.
using screen = std::function<void(const event&)>;

}  // namespace messenger
