#include "runtime/message.hpp"

namespace runtime {

std::optional<exit_signal> exit_signal::match(const message& m) {
  const term& c = m.content;
  if (!c.is_array() || c.size() != 3 || c[0] != "EXIT" || !c[1].is_string()) return std::nullopt;
  auto from = parse_pid(c[1].get_ref<const std::string&>());
  if (!from) return std::nullopt;
  return exit_signal{std::move(*from), c[2]};
}

std::optional<ping_answer> ping_answer::match(const message& m) {
  if (!m.local || !m.content.is_array() || m.content.size() != 2 || m.content[0] != "PONG") return std::nullopt;
  return ping_answer{m.content[1].get<std::string>()};
}

std::optional<node_event> node_event::match(const message& m) {
  const term& c = m.content;
  if (!m.local || !c.is_array() || c.size() != 2 || (c[0] != "nodeup" && c[0] != "nodedown")) return std::nullopt;
  return node_event{c[1].get<std::string>(), c[0] == "nodeup"};
}

}  // namespace runtime
