/// @file signals.hpp
/// The signals of the wire, and a node's status: what nodelink itself understands of a payload.
/// In Erlang: the distribution protocol. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include <nodelink/names.hpp>
#include <nodelink/term.hpp>

namespace nodelink {

struct link_signal {
  pid from;
};
/// As a LINK, but that nobody hears of the end of `from`, which is no process: a reference of its node.
struct monitor_signal {
  pid from;
};
struct unlink_signal {
  pid from;
};
struct exit_wire_signal {
  pid from;
  term reason;
};
struct ping_signal {
  pid from;
};
struct pong_signal {
  std::string node;
};
/// From a node to itself: what the broker had for it before has been read.
struct echo_signal {
  std::uint64_t number = 0;
};
/// In capitals, and none of the above or not of its form.
struct bad_signal {};

using any_signal = std::variant<link_signal, monitor_signal, unlink_signal, exit_wire_signal, ping_signal, pong_signal,
                                echo_signal, bad_signal>;

/// Reads a payload whose first element is a word in capitals; a plain message is nothing.
std::optional<any_signal> read_signal(const term& content);

inline term write_link(const pid& from) { return term::array({"LINK", to_string(from)}); }
inline term write_monitor(const pid& from) { return term::array({"MONITOR", to_string(from)}); }
inline term write_unlink(const pid& from) { return term::array({"UNLINK", to_string(from)}); }
/// Always what JSON can carry: a binary in the reason becomes its text, and of what is too long or too deep for a
/// payload it has the beginning.
term write_exit(const pid& from, const term& reason);
inline term write_ping(const pid& from) { return term::array({"PING", to_string(from)}); }
inline term write_pong(const std::string& node) { return term::array({"PONG", node}); }
inline term write_echo(std::uint64_t number) { return term::array({"ECHO", number}); }

/// The retained status: `["nodeup", node, creation]` or `["nodedown", node, creation, reason]`.
struct node_status {
  bool up = false;
  std::string node;
  std::uint64_t creation = 0;
  term reason;  ///< of a nodedown
};

std::optional<node_status> read_status(const term& content);
term write_status(const node_status& status);

}  // namespace nodelink
