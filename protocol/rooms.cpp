#include "protocol/rooms.hpp"

#include "protocol/tuple.hpp"

namespace messenger {

using nodelink::message;
using nodelink::term;

namespace {

// Large enough for a few pages to do for many users, small enough not to keep others waiting.
constexpr std::size_t page_size = 32'768;

constexpr const char* more_follows = "more";

// `{messenger, What, ...}`, a page if there is one element more than `size`. Where the items are and whether more
// follows; nothing if it is none of these.
struct page {
  const term& items;
  bool more;
};
std::optional<page> read_page(const term& t, std::size_t size, const char* what) {
  const bool more = is_tuple(t, size + 1) && t[size] == more_follows;
  if ((!more && !is_tuple(t, size)) || t[0] != "messenger" || t[1] != what || !t[size - 1].is_array())
    return std::nullopt;
  return page{t[size - 1], more};
}

std::optional<names> read_names(const term& items) {
  names all;
  for (const auto& item : items) {
    if (!item.is_string()) return std::nullopt;
    all.push_back(item.get<std::string>());
  }
  return all;
}

bool is_seq(const term& t) {
  return t.is_unsigned() && t.get<std::uint64_t>() > 0 && t.get<std::uint64_t>() <= nodelink::max_number;
}

}  // namespace

std::optional<join> join::match(const message& m) {
  auto from = sender(m.content, 3, "join");
  if (!from) return std::nullopt;
  return join{std::move(*from), *string_in(m.content[2])};
}

std::optional<leave> leave::match(const message& m) {
  auto from = sender(m.content, 3, "leave");
  if (!from) return std::nullopt;
  return leave{std::move(*from), *string_in(m.content[2])};
}

std::optional<say> say::match(const message& m) {
  auto from = sender(m.content, 4, "say");
  if (!from) return std::nullopt;
  return say{std::move(*from), *string_in(m.content[2]), *string_in(m.content[3])};
}

std::optional<ask_users> ask_users::match(const message& m) {
  if (auto from = sender(m.content, 2, "users")) return ask_users{std::move(*from), std::nullopt};
  if (auto from = sender(m.content, 3, "users")) return ask_users{std::move(*from), *string_in(m.content[2])};
  return std::nullopt;
}

term ask_users::write() const {
  term t = term::array({to_string(from), "users"});
  if (room) t.push_back(*room);
  return t;
}

std::optional<ask_rooms> ask_rooms::match(const message& m) {
  auto from = sender(m.content, 2, "rooms");
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

std::vector<term> pages(const term& head, const term& items) {
  std::vector<term> all;
  term part = term::array();
  std::size_t size = 0;
  const auto end_page = [&](bool more) {
    term page = head;
    page.push_back(std::exchange(part, term::array()));
    if (more) page.push_back(more_follows);
    all.push_back(std::move(page));
    size = 0;
  };
  for (const auto& item : items) {
    const auto more = nodelink::encode(item).size() + 1;
    if (size > 0 && size + more > page_size) end_page(true);
    size += more;
    part.push_back(item);
  }
  end_page(false);
  return all;
}

}  // namespace messenger
