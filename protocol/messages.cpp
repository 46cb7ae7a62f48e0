#include "protocol/messages.hpp"

#include "protocol/tuple.hpp"

namespace messenger {

using nodelink::term;

std::optional<logon> logon::match(const nodelink::message& m) {
  auto from = sender(m.content, 3, word);
  if (!from) return std::nullopt;
  return logon{std::move(*from), *string_in(m.content[2])};
}

std::optional<message_to> message_to::match(const nodelink::message& m) {
  auto from = sender(m.content, 4, word);
  if (!from) return std::nullopt;
  return message_to{std::move(*from), *string_in(m.content[2]), *string_in(m.content[3])};
}

std::optional<stop> stop::match(const nodelink::message& m) {
  const term& t = m.content;
  if (!is_tuple(t, 3) || t[0] != "messenger" || t[1] != "stop" || !string_in(t[2])) return std::nullopt;
  return stop{*string_in(t[2])};
}

std::optional<reply> reply::match(const nodelink::message& m) {
  const term& t = m.content;
  if (!is_tuple(t, 2) || t[0] != "messenger" || !string_in(t[1])) return std::nullopt;
  return reply{*string_in(t[1])};
}

std::optional<message_from> message_from::match(const nodelink::message& m) {
  const term& t = m.content;
  if (!is_tuple(t, 3) || t[0] != "message_from" || !string_in(t[1]) || !string_in(t[2])) return std::nullopt;
  return message_from{*string_in(t[1]), *string_in(t[2])};
}

}  // namespace messenger
