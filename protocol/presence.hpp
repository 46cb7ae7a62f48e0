/// @file presence.hpp
/// Who logs on and off, as events for everybody, on a channel of the server that is no room (topics.md, "Presence").
/// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nodelink/message.hpp>

namespace messenger {

/// Nobody joins it, and nobody speaks there but the server itself.
inline constexpr const char* presence_channel = "_users";

/// `{logged_on, '_users', Seq, Name, Node}`, `{logged_off, '_users', Seq, Name, Node, Reason, Cause}`, in the order of
/// Seq.
struct presence_event {
  std::uint64_t seq = 0;
  std::string name;
  std::string node;
  bool is_on = false;
  nodelink::term reason{};  ///< of a logoff: the reason of the EXIT
  std::string cause{};      ///< likewise: what stands behind it, one of exit_causes

  static std::optional<presence_event> match(const nodelink::message& m);
  nodelink::term write() const;
};

/// `{Pid, presence}`: who is logged on, as of which event? Who asks need not be logged on.
struct ask_presence {
  static constexpr const char* word = "presence";
  nodelink::pid from;

  static std::optional<ask_presence> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({to_string(from), word}); }
};

/// `{messenger, presence, Seq, [{Name, Node}]}`; pages as those of rooms.
struct presence_reply {
  struct user {
    std::string name, node;
  };
  std::uint64_t seq = 0;
  std::vector<user> users{};
  bool more = false;

  static std::optional<presence_reply> match(const nodelink::message& m);
};

/// What stands behind the end of a user's time on the list.
namespace exit_cause {
inline constexpr const char* logoff = "logoff";              ///< the user has
inline constexpr const char* exit = "exit";                  ///< the client process ended in another way
inline constexpr const char* crash = "crash";                ///< likewise, by an error
inline constexpr const char* node_stopped = "node_stopped";  ///< the user's node was stopped in order
inline constexpr const char* node_died = "node_died";        ///< its last will was published, or it is up anew
inline constexpr const char* tick = "tick";                  ///< it did not answer any more
inline constexpr const char* connection = "connection";      ///< the server has lost its own connection
inline constexpr const char* idle = "idle";                  ///< the user did nothing for too long
inline constexpr const char* kicked = "kicked";              ///< somebody who may has ended it
}  // namespace exit_cause

}  // namespace messenger
