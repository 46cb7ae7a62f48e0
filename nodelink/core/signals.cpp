#include "core/signals.hpp"

#include <algorithm>

namespace nodelink {
namespace {

std::optional<pid> pid_at(const term& content, std::size_t index) {
  const auto* const text = content[index].get_if<std::string>();
  return text ? parse_pid(*text) : std::nullopt;
}

bool is_capitals(const term& word) {
  const auto* const text = word.get_if<std::string>();
  return text && !text->empty() &&
         std::all_of(text->begin(), text->end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
}

}  // namespace

std::optional<any_signal> read_signal(const term& content) {
  if (!is_capitals(content[0])) return std::nullopt;
  const auto& word = *content[0].get_if<std::string>();
  const auto* const second = content[1].get_if<std::string>();
  if (word == "PONG" && content.size() == 2 && second && is_node_name(*second)) return pong_signal{*second};
  if (word == "ECHO" && content.size() == 2 && content[1].is_unsigned())
    return echo_signal{content[1].get<std::uint64_t>()};
  auto from = content.size() == (word == "EXIT" ? 3U : 2U) ? pid_at(content, 1) : std::nullopt;
  if (!from) return bad_signal{};
  if (word == "LINK") return link_signal{std::move(*from)};
  if (word == "MONITOR") return monitor_signal{std::move(*from)};
  if (word == "UNLINK") return unlink_signal{std::move(*from)};
  if (word == "EXIT") return exit_wire_signal{std::move(*from), content[2]};
  if (word == "PING") return ping_signal{std::move(*from)};
  return bad_signal{};
}

term write_exit(const pid& from, const term& reason) {
  term exit = term::array({"EXIT", to_string(from), reason});
  if (const auto* const text = reason.get_if<std::string>(); text && text->size() < max_payload / 8) return exit;
  std::string why;
  if (auto as_json = decode(to_json(exit), why)) return std::move(*as_json);
  return term::array({"EXIT", to_string(from), brief(reason)});  // too long, or too deep
}

std::optional<node_status> read_status(const term& content) {
  const bool up = content[0] == "nodeup";
  if (!up && content[0] != "nodedown") return std::nullopt;
  if (content.size() != (up ? 3U : 4U) || !content[1].is_string() || !content[2].is_unsigned()) return std::nullopt;
  node_status status{up, content[1].get<std::string>(), content[2].get<std::uint64_t>(), {}};
  if (!up) status.reason = content[3];
  if (status.creation == 0 || status.creation > max_number) return std::nullopt;
  return status;
}

term write_status(const node_status& status) {
  if (status.up) return term::array({"nodeup", status.node, status.creation});
  return term::array({"nodedown", status.node, status.creation, status.reason});
}

}  // namespace nodelink
