#include "protocol/rooms.hpp"

#include "protocol/tuple.hpp"

namespace messenger {

using nodelink::message;
using nodelink::term;

namespace {

// Large enough for a few pages to do for many users, small enough not to keep others waiting.
constexpr std::size_t page_size = 32'768;

std::optional<names> read_names(const term& items) {
  names all;
  for (const auto& item : items) {
    if (!item.is_string()) return std::nullopt;
    all.push_back(item.get<std::string>());
  }
  return all;
}

}  // namespace

std::optional<join> join::match(const message& m) {
  auto from = sender(m.content, 3, word);
  if (!from) return std::nullopt;
  return join{std::move(*from), *string_in(m.content[2])};
}

std::optional<leave> leave::match(const message& m) {
  auto from = sender(m.content, 3, word);
  if (!from) return std::nullopt;
  return leave{std::move(*from), *string_in(m.content[2])};
}

std::optional<say> say::match(const message& m) {
  auto from = sender(m.content, 4, word);
  if (!from) return std::nullopt;
  return say{std::move(*from), *string_in(m.content[2]), *string_in(m.content[3])};
}

std::optional<ask_users> ask_users::match(const message& m) {
  if (auto from = sender(m.content, 2, word)) return ask_users{std::move(*from), std::nullopt};
  if (auto from = sender(m.content, 3, word)) return ask_users{std::move(*from), *string_in(m.content[2])};
  return std::nullopt;
}

term ask_users::write() const {
  term t = term::array({to_string(from), word});
  if (room) t.push_back(*room);
  return t;
}

std::optional<ask_rooms> ask_rooms::match(const message& m) {
  auto from = sender(m.content, 2, word);
  return from ? std::optional(ask_rooms{std::move(*from)}) : std::nullopt;
}

std::optional<joined> joined::match(const message& m) {
  const term& t = m.content;
  const auto p = read_page(t, 5, "joined");
  if (!p || !string_in(t[2]) || !is_seq(t[3])) return std::nullopt;
  auto users = read_names(p->items);
  if (!users) return std::nullopt;
  return joined{*string_in(t[2]), t[3].get<std::uint64_t>(), std::move(*users), p->more};
}

std::optional<left> left::match(const message& m) {
  const term& t = m.content;
  if (!is_tuple(t, 3) || t[0] != "messenger" || t[1] != "left" || !string_in(t[2])) return std::nullopt;
  return left{*string_in(t[2])};
}

std::optional<users_reply> users_reply::match(const message& m) {
  const auto p = read_page(m.content, 3, "users");
  auto all = p ? read_names(p->items) : std::nullopt;
  if (!all) return std::nullopt;
  return users_reply{std::move(*all), p->more};
}

std::optional<rooms_reply> rooms_reply::match(const message& m) {
  const auto p = read_page(m.content, 3, "rooms");
  if (!p) return std::nullopt;
  rooms_reply all{{}, p->more};
  for (const auto& item : p->items) {
    if (!is_tuple(item, 2) || !string_in(item[0]) || !item[1].is_unsigned()) return std::nullopt;
    all.rooms.emplace_back(*string_in(item[0]), item[1].get<std::uint64_t>());
  }
  return all;
}

std::optional<room_event> room_event::match(const message& m) {
  const term& t = m.content;
  if (m.channel.empty() || !t.is_array() || t.size() < 4 || t[1] != m.channel || !is_seq(t[2]) || !string_in(t[3]))
    return std::nullopt;
  room_event e{kind::joined, m.channel, t[2].get<std::uint64_t>(), *string_in(t[3])};
  if (t.size() == 4 && t[0] == "joined") return e;
  if (t.size() != 5) return std::nullopt;
  e.content = t[4];
  e.what = kind::left;
  if (t[0] == "left") return e;
  e.what = kind::said;
  if (t[0] == "said" && string_in(t[4])) return e;
  return std::nullopt;
}

term room_event::write() const {
  switch (what) {
    case kind::joined: return term::array({"joined", room, seq, name});
    case kind::left: return term::array({"left", room, seq, name, content});
    case kind::said: break;
  }
  return term::array({"said", room, seq, name, content});
}

term paged_list::next() {
  term page = head_, part = term::array();
  for (std::size_t size = 0; taken_ < items_.size(); ++taken_) {
    const auto& item = items_[taken_];
    size += nodelink::encode(item).size() + 1;
    if (size > page_size && !part.empty()) break;
    part.push_back(item);
  }
  is_over_ = taken_ == items_.size();
  page.push_back(std::move(part));
  if (!is_over_) page.push_back(more_follows);
  return page;
}

}  // namespace messenger
