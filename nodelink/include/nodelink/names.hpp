/// @file names.hpp
/// Names of nodes and processes, and pids: what may be a part of a topic.
/// In Erlang: node(), registered names, pids. Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace [[gnu::visibility("default")]] nodelink {

/// The longest part of a name, in bytes.
inline constexpr std::size_t max_name = 64;

/// The largest creation and serial: what a JSON number holds exactly everywhere, 2^53 - 1.
inline constexpr std::uint64_t max_number = (std::uint64_t{1} << 53) - 1;

/// True for a cookie or a registered name: 1 to 64 of `A-Z a-z 0-9 _ -`.
bool is_name(std::string_view text);

/// True for a node name: `name@host`, each part a name.
bool is_node_name(std::string_view text);

/// True for what the topics of a wire may begin with: one name or several, with a `/` between them.
bool is_topic_root(std::string_view text);

/// The rule that a refused node name broke, for an error sentence.
inline constexpr const char* node_name_rule = "must be name@host, both parts 1 to 64 of the characters A-Z a-z 0-9 _ -";
/// The same of a registered name, a cookie, a channel.
inline constexpr const char* name_rule = "must be 1 to 64 of the characters A-Z a-z 0-9 _ -";
/// The same of a topic root.
inline constexpr const char* topic_root_rule = "must be names of the characters A-Z a-z 0-9 _ -, with / between them";

/// A positive decimal number up to max_number, without sign or leading zero.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// A process identifier, unique among all nodes and all their incarnations.
/// Written `<node>/<creation>-<serial>`; that text is the tail of the process's inbox topic.
struct pid {
  /// Nobody's.
  pid() = default;
  /// All of it.
  pid(std::string node_name, std::uint64_t node_creation, std::uint64_t serial_number)
      : node(std::move(node_name)), creation(node_creation), serial(serial_number) {}

  std::string node;            ///< the node's name
  std::uint64_t creation = 0;  ///< which incarnation of the node
  std::uint64_t serial = 0;    ///< which process there; 0 is net_kernel

  /// By node, creation, serial.
  friend auto operator<=>(const pid&, const pid&) = default;
};

/// `node/creation-serial`, as it goes over the wire.
std::string to_string(const pid& p);

/// Reads a pid as to_string() writes it; anything else is nothing.
std::optional<pid> parse_pid(std::string_view text);

/// A channel of a node: what the node says there is heard by every process, on whatever node, that listens to it.
/// Said once, whoever listens: the broker hands it on. (Erlang's nearest: a process group, and a send to each member.)
struct channel {
  /// No name, of nobody.
  channel() = default;
  /// @param of is_name @param speaker is_node_name
  channel(std::string of, std::string speaker) : name(std::move(of)), node(std::move(speaker)) {}

  std::string name;       ///< is_name
  std::string node;       ///< who speaks there
  bool is_state = false;  ///< see state_of()

  /// By name, then by node.
  friend auto operator<=>(const channel&, const channel&) = default;
};

/// A state of a node, self::set_state(): like a channel, but the broker keeps what was said last for who listens later.
inline channel state_of(std::string name, std::string node) {
  channel c(std::move(name), std::move(node));
  c.is_state = true;
  return c;
}

/// The address of a registered process on a node: `{Name, Node}` in Erlang.
struct registered {
  /// Nobody.
  registered() = default;
  /// @param process is_name @param where is_node_name
  registered(std::string process, std::string where) : name(std::move(process)), node(std::move(where)) {}

  std::string name;  ///< is_name
  std::string node;  ///< is_node_name
};

}  // namespace nodelink

/// For unordered containers.
template <>
struct std::hash<nodelink::pid> {
  /// Of all three parts.
  std::size_t operator()(const nodelink::pid& p) const noexcept {
    return std::hash<std::string>{}(p.node) ^ (p.creation * 0x9e3779b97f4a7c15U + p.serial * 0xff51afd7ed558ccdU);
  }
};
