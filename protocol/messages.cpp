#include "protocol/messages.hpp"

namespace messenger {
namespace {

using runtime::term;

bool is_tuple(const term& t, std::size_t size) { return t.is_array() && t.size() == size; }

const std::string* string_in(const term& t) { return t.get_ptr<const std::string*>(); }

// `{Pid, Word, ...}` with strings throughout.
std::optional<runtime::pid> sender(const term& t, std::size_t size, const char* word) {
  if (!is_tuple(t, size) || !string_in(t[0]) || t[1] != word) return std::nullopt;
  for (std::size_t i = 2; i < size; ++i)
    if (!string_in(t[i])) return std::nullopt;
  return runtime::parse_pid(*string_in(t[0]));
}

}  // namespace

std::optional<logon> logon::match(const runtime::message& m) {
  auto from = sender(m.content, 3, "logon");
  if (!from) return std::nullopt;
  return logon{std::move(*from), *string_in(m.content[2])};
}

std::optional<message_to> message_to::match(const runtime::message& m) {
  auto from = sender(m.content, 4, "message_to");
  if (!from) return std::nullopt;
  return message_to{std::move(*from), *string_in(m.content[2]), *string_in(m.content[3])};
}

std::optional<stop> stop::match(const runtime::message& m) {
  const term& t = m.content;
  if (!is_tuple(t, 3) || t[0] != "messenger" || t[1] != "stop" || !string_in(t[2])) return std::nullopt;
  return stop{*string_in(t[2])};
}

std::optional<reply> reply::match(const runtime::message& m) {
  const term& t = m.content;
  if (!is_tuple(t, 2) || t[0] != "messenger" || !string_in(t[1])) return std::nullopt;
  return reply{*string_in(t[1])};
}

std::optional<message_from> message_from::match(const runtime::message& m) {
  const term& t = m.content;
  if (!is_tuple(t, 3) || t[0] != "message_from" || !string_in(t[1]) || !string_in(t[2])) return std::nullopt;
  return message_from{*string_in(t[1]), *string_in(t[2])};
}

}  // namespace messenger
