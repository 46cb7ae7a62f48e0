#include "client/printable.hpp"

#include <array>
#include <cstdio>

#include "protocol/user_name.hpp"

namespace messenger {
namespace {

// Characters that turn the direction of the text around them, and with it what it seems to say.
bool is_direction(char32_t c) { return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069); }

std::string escape(char32_t c) {
  switch (c) {  // Erlang reference manual, "Escape sequences"
    case '\b': return "\\b";
    case '\t': return "\\t";
    case '\n': return "\\n";
    case '\v': return "\\v";
    case '\f': return "\\f";
    case '\r': return "\\r";
    case 0x1b: return "\\e";
    case 0x7f: return "\\d";
    default: break;
  }
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "\\x{%X}", static_cast<unsigned>(c));
  return text.data();
}

std::string harmless(std::string_view text, bool escape_quotes) {
  std::string out;
  while (!text.empty()) {
    const auto before = text;
    const auto c = next_character(text);
    if (!c) {  // not UTF-8: shown as what it is
      out += escape(static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
    } else if (is_control(*c) || is_direction(*c) || *c == 0x2028 || *c == 0x2029) {
      out += escape(*c);
    } else {
      if (escape_quotes && (*c == '"' || *c == '\\')) out += '\\';
      out += before.substr(0, before.size() - text.size());
    }
  }
  return out;
}

}  // namespace

std::string quoted(std::string_view text) { return '"' + harmless(text, true) + '"'; }
std::string printable(std::string_view text) { return harmless(text, false); }

}  // namespace messenger
