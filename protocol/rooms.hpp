/// @file rooms.hpp
/// The tuples of the room (topics.md, "Rooms"): who asks for what, the replies, and what is said in a room to all who
/// listen. A long list comes in pages. Pure; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nodelink/message.hpp>

namespace messenger {

/// The room one joins without saying which.
inline constexpr const char* lobby = "lobby";

/// `{ClientPid, join, Room}`; who is in it already asks for the list anew.
struct join {
  static constexpr const char* word = "join";
  nodelink::pid from;
  std::string room;  ///< any string; a room only after nodelink::is_name()

  static std::optional<join> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({to_string(from), word, room}); }
};

/// `{ClientPid, leave, Room}`
struct leave {
  static constexpr const char* word = "leave";
  nodelink::pid from;
  std::string room;

  static std::optional<leave> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({to_string(from), word, room}); }
};

/// `{ClientPid, say, Room, Text}`
struct say {
  static constexpr const char* word = "say";
  nodelink::pid from;
  std::string room;
  std::string text;

  static std::optional<say> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({to_string(from), word, room, text}); }
};

/// `{ClientPid, users}`: who is logged on? `{ClientPid, users, Room}`: who is in it?
struct ask_users {
  static constexpr const char* word = "users";
  nodelink::pid from;
  std::optional<std::string> room;

  static std::optional<ask_users> match(const nodelink::message& m);
  nodelink::term write() const;
};

/// `{ClientPid, rooms}`
struct ask_rooms {
  static constexpr const char* word = "rooms";
  nodelink::pid from;

  static std::optional<ask_rooms> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({to_string(from), word}); }
};

using names = std::vector<std::string>;

/// `{messenger, joined, Room, Seq, Names}`: who is in the room as of its event Seq. One page; with `more` at its end
/// another follows.
struct joined {
  std::string room;
  std::uint64_t seq = 0;
  names users;
  bool more = false;

  static std::optional<joined> match(const nodelink::message& m);
};

/// `{messenger, left, Room}`
struct left {
  std::string room;

  static std::optional<left> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({"messenger", "left", room}); }
};

/// `{messenger, users, Names}`; pages as above.
struct users_reply {
  names users;
  bool more = false;

  static std::optional<users_reply> match(const nodelink::message& m);
};

/// `{messenger, rooms, [{Room, Count}]}`; pages as above.
struct rooms_reply {
  std::vector<std::pair<std::string, std::uint64_t>> rooms;
  bool more = false;

  static std::optional<rooms_reply> match(const nodelink::message& m);
};

/// What happens in a room, in the order of `seq`: `{joined, Room, Seq, Name}`, `{left, Room, Seq, Name, Reason}`,
/// `{said, Room, Seq, Name, Text}`.
struct room_event {
  enum class kind { joined, left, said };
  kind what;
  std::string room;
  std::uint64_t seq = 0;
  std::string name;
  nodelink::term content{};  ///< the reason, or the text

  static std::optional<room_event> match(const nodelink::message& m);
  nodelink::term write() const;
};

/// A list, a JSON array, on its way in pages: `{..., Items}` for the last, `{..., Items, more}` for those before.
class paged_list {
 public:
  /// @param head what stands before the items.
  paged_list(nodelink::term head, nodelink::term items) : head_(std::move(head)), items_(std::move(items)) {}

  /// The last page was taken.
  bool is_over() const { return is_over_; }
  nodelink::term next();

 private:
  nodelink::term head_, items_;
  std::size_t taken_ = 0;  // items
  bool is_over_ = false;
};

namespace word {
inline constexpr const char* nick_not_allowed = "nick_not_allowed";
inline constexpr const char* not_in_room = "not_in_room";
inline constexpr const char* too_many_rooms = "too_many_rooms";
}  // namespace word

}  // namespace messenger
