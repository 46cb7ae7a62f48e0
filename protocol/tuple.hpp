/// @file tuple.hpp
/// How the messenger's tuples are read. For protocol/ only.
#pragma once

#include <optional>
#include <string>

#include <nodelink/message.hpp>

namespace messenger {

inline bool is_tuple(const nodelink::term& t, std::size_t size) { return t.is_array() && t.size() == size; }

inline const std::string* string_in(const nodelink::term& t) { return t.get_if<std::string>(); }

/// `{Pid, Word, ...}` with strings throughout.
inline std::optional<nodelink::pid> sender(const nodelink::term& t, std::size_t size, const char* word) {
  if (!is_tuple(t, size) || !string_in(t[0]) || t[1] != word) return std::nullopt;
  for (std::size_t i = 2; i < size; ++i)
    if (!string_in(t[i])) return std::nullopt;
  return nodelink::parse_pid(*string_in(t[0]));
}

/// The number of an event.
inline bool is_seq(const nodelink::term& t) {
  return t.is_unsigned() && t.get<std::uint64_t>() > 0 && t.get<std::uint64_t>() <= nodelink::max_number;
}

inline constexpr const char* more_follows = "more";

/// `{messenger, What, ...}`, a page if there is one element more than `size`: where the items are and whether more
/// follows.
struct page {
  const nodelink::term& items;
  bool more;
};
inline std::optional<page> read_page(const nodelink::term& t, std::size_t size, const char* what) {
  const bool more = is_tuple(t, size + 1) && t[size] == more_follows;
  if ((!more && !is_tuple(t, size)) || t[0] != "messenger" || t[1] != what || !t[size - 1].is_array())
    return std::nullopt;
  return page{t[size - 1], more};
}

}  // namespace messenger
