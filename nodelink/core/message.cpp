#include <nodelink/message.hpp>

namespace nodelink {

const char* to_string(cause why) {
  switch (why) {
    case cause::process: return "it ended";
    case cause::node_stopped: return "its node said so";
    case cause::node_died: return "its node died";
    case cause::silence: return "its node did not answer";
    case cause::connection: break;
  }
  return "the own connection was lost";
}

std::optional<exit_signal> exit_signal::match(const message& m) {
  const term& c = m.content;
  if (!m.local || !c.is_array() || c.size() != 4 || c[0] != "EXIT" || !c[1].is_string()) return std::nullopt;
  auto from = parse_pid(*c[1].get_if<std::string>());
  if (!from) return std::nullopt;
  return exit_signal{std::move(*from), c[2], static_cast<cause>(c[3].get<int>())};
}

term exit_signal::write(const pid& from, const term& reason, cause why) {
  return term::array({"EXIT", to_string(from), reason, static_cast<int>(why)});
}

std::optional<process_down> process_down::match(const message& m) {
  const term& c = m.content;
  if (!m.local || c.size() != 5 || c[0] != "DOWN" || !c[1].is_unsigned() || !c[2].is_string()) return std::nullopt;
  const auto& process = *c[2].get_if<std::string>();
  auto of = parse_pid(process);
  return process_down{nodelink::reference{c[1].get<std::uint64_t>()}, of ? std::move(*of) : pid{process, 0, 0}, c[3],
                      static_cast<cause>(c[4].get<int>())};
}

term process_down::write(nodelink::reference reference, const pid& process, const term& reason, cause why) {
  return term::array({"DOWN", static_cast<std::uint64_t>(reference),
                      process.creation == 0 ? process.node : to_string(process), reason, static_cast<int>(why)});
}

std::optional<call_request> call_request::match(const message& m) {
  const term& c = m.content;
  if (c.size() != 4 || c[1] != "$call" || !c[2].is_unsigned()) return std::nullopt;
  auto from = from_term<sender>(c[0]);
  if (!from) return std::nullopt;
  return call_request{std::move(*from), c[2].get<std::uint64_t>(), c[3]};
}

term call_request::write(const pid& from, std::uint64_t reference, term content) {
  return term::array({to_string(from), "$call", reference, std::move(content)});
}

std::optional<call_reply> call_reply::match(const message& m) {
  const term& c = m.content;
  if (c.size() != 3 || c[0] != "$reply" || !c[1].is_unsigned()) return std::nullopt;
  return call_reply{c[1].get<std::uint64_t>(), c[2]};
}

term call_reply::write(std::uint64_t reference, term content) {
  return term::array({"$reply", reference, std::move(content)});
}

std::optional<ping_answer> ping_answer::match(const message& m) {
  if (!m.local || !m.content.is_array() || m.content.size() != 2 || m.content[0] != "PONG") return std::nullopt;
  return ping_answer{m.content[1].get<std::string>()};
}

std::optional<node_event> node_event::match(const message& m) {
  const term& c = m.content;
  if (!m.local || !c.is_array() || c.size() != 3 || (c[0] != "nodeup" && c[0] != "nodedown")) return std::nullopt;
  return node_event{c[1].get<std::string>(), c[0] == "nodeup", static_cast<cause>(c[2].get<int>())};
}

term node_event::write(const std::string& node, bool is_up, cause why) {
  return term::array({is_up ? "nodeup" : "nodedown", node, static_cast<int>(why)});
}

}  // namespace nodelink
