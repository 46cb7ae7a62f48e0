#include "core/topics.hpp"

namespace nodelink {
namespace {

// Takes what stands before the next slash, and the slash.
std::string_view next_level(std::string_view& rest) {
  const auto slash = rest.find('/');
  const auto level = rest.substr(0, slash);
  rest.remove_prefix(slash == rest.npos ? rest.size() : slash + 1);
  return level;
}

}  // namespace

std::string topics::inbox(const pid& to, std::string_view from) const {
  return root_ + "to/" + to_string(to) + "/from/" + std::string(from);
}

std::string topics::inbox(const registered& to, std::string_view from) const {
  return root_ + "to/" + to.node + '/' + to.name + "/from/" + std::string(from);
}

std::optional<any_topic> topics::parse(std::string_view topic) const {
  if (!topic.starts_with(root_)) return std::nullopt;
  std::string_view rest = topic.substr(root_.size());
  const auto kind = next_level(rest);
  if (kind == "node" && is_node_name(rest)) return status_topic{rest};
  if (kind == "room" || kind == "state") {
    const auto name = next_level(rest);
    if (next_level(rest) != "from" || !is_name(name) || !is_node_name(rest)) return std::nullopt;
    return channel_topic{name, rest, kind == "state"};
  }
  if (kind != "to") return std::nullopt;
  inbox_topic inbox;
  inbox.node = next_level(rest);
  inbox.process = next_level(rest);
  const auto from = next_level(rest);
  inbox.from = rest;
  if (from != "from" || !is_node_name(inbox.node) || !is_name(inbox.process) || !is_node_name(inbox.from))
    return std::nullopt;
  return inbox;
}

std::optional<pid> parse_process(std::string_view node, std::string_view process) {
  const auto dash = process.find('-');
  if (dash == process.npos) return std::nullopt;
  return parse_pid(std::string(node) + '/' + std::string(process));
}

}  // namespace nodelink
