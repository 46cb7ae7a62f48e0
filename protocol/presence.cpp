#include "protocol/presence.hpp"

#include "protocol/tuple.hpp"

namespace messenger {

using nodelink::message;
using nodelink::term;

std::optional<presence_event> presence_event::match(const message& m) {
  const term& t = m.content;
  const bool is_on = is_tuple(t, 5) && t[0] == "logged_on";
  const bool is_off = is_tuple(t, 7) && t[0] == "logged_off" && string_in(t[6]);
  if (m.channel != presence_channel || m.is_state || !(is_on || is_off) || t[1] != presence_channel || !is_seq(t[2]) ||
      !string_in(t[3]) || !string_in(t[4]))
    return std::nullopt;
  presence_event e{t[2].get<std::uint64_t>(), *string_in(t[3]), *string_in(t[4]), is_on};
  if (is_off) {
    e.reason = t[5];
    e.cause = *string_in(t[6]);
  }
  return e;
}

term presence_event::write() const {
  return is_on ? term::array({"logged_on", presence_channel, seq, name, node})
               : term::array({"logged_off", presence_channel, seq, name, node, reason, cause});
}

std::optional<ask_presence> ask_presence::match(const message& m) {
  auto from = sender(m.content, 2, word);
  return from ? std::optional(ask_presence{std::move(*from)}) : std::nullopt;
}

std::optional<presence_reply> presence_reply::match(const message& m) {
  const auto p = read_page(m.content, 4, "presence");
  if (!p || !is_seq(m.content[2])) return std::nullopt;
  presence_reply all{.seq = m.content[2].get<std::uint64_t>(), .more = p->more};
  for (const auto& item : p->items) {
    if (!is_tuple(item, 2) || !string_in(item[0]) || !string_in(item[1])) return std::nullopt;
    all.users.push_back({*string_in(item[0]), *string_in(item[1])});
  }
  return all;
}

}  // namespace messenger
