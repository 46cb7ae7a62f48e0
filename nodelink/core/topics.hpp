/// @file topics.hpp
/// The topics of the wire (topics.md): a node's status, a process's inbox by sender, a node's channels and states.
/// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <nodelink/names.hpp>

namespace nodelink {

/// `R/node/<node>`: the retained status of a node.
struct status_topic {
  std::string_view node;
};

/// `R/to/<node>/<process>/from/<node>`: a message or signal for a process.
struct inbox_topic {
  std::string_view node;
  std::string_view process;  ///< a registered name, or `<creation>-<serial>`
  std::string_view from;     ///< the sending node: the only identity there is (rule 1)
};

/// `R/room/<channel>/from/<node>`: what a node says to all who listen. `R/state/<channel>/from/<node>`: the same,
/// retained.
struct channel_topic {
  std::string_view channel;
  std::string_view from;
  bool is_state = false;
};

/// The name by which a node itself is spoken to.
inline constexpr const char* net_kernel = "net_kernel";

using any_topic = std::variant<status_topic, inbox_topic, channel_topic>;

/// Builds and reads the topics of one wire and cookie.
class topics {
 public:
  /// @param root is_topic_root @param cookie is_name
  topics(const std::string& root, const std::string& cookie) : root_(root + '/' + cookie + '/') {}

  std::string status(std::string_view node) const { return root_ + "node/" + std::string(node); }
  std::string inbox(const pid& to, std::string_view from) const;
  std::string inbox(const registered& to, std::string_view from) const;

  std::string in(const channel& c) const {
    return root_ + (c.is_state ? "state/" : "room/") + c.name + "/from/" + c.node;
  }

  /// Filter of every node's status.
  std::string every_status() const { return root_ + "node/+"; }
  /// Filter of everything sent to one node.
  std::string every_inbox(std::string_view node) const { return root_ + "to/" + std::string(node) + "/+/from/+"; }

  /// Reads a topic; one that is not of this wire, or has an invalid name in it, is nothing.
  /// The views point into `topic`.
  std::optional<any_topic> parse(std::string_view topic) const;

 private:
  std::string root_;  // <root>/<cookie>/
};

/// Splits the process part `<creation>-<serial>` of an inbox topic; a registered name gives nothing.
std::optional<pid> parse_process(std::string_view node, std::string_view process);

}  // namespace nodelink
