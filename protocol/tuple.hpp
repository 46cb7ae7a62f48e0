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

}  // namespace messenger
