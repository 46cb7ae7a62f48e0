#include "protocol/user_name.hpp"

#include <algorithm>

namespace messenger {

std::optional<char32_t> next_character(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) return std::nullopt;
  char32_t c = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
    c = (c << 6) | (byte(i) & 0x3fU);
  }
  const bool overlong = (length == 3 && c < 0x800) || (length == 4 && c < 0x10000);
  if (overlong || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return std::nullopt;
  text.remove_prefix(length);
  return c;
}

bool is_nick_of_server(std::string_view name) {
  constexpr std::string_view server = "server";
  return std::equal(name.begin(), name.end(), server.begin(), server.end(),
                    [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); });
}

bool is_user_name(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  while (!text.empty()) {
    const auto c = next_character(text);
    if (!c || is_control(*c)) return false;
  }
  return true;
}

}  // namespace messenger
