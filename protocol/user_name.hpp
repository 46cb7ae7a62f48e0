/// @file user_name.hpp
/// Names of users: payload only, never part of a topic. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace messenger {

/// The rule, for an error sentence.
inline constexpr const char* user_name_rule = "must be 1 to 64 bytes of UTF-8 without control characters";

/// True for 1 to 64 bytes of well-formed UTF-8 without control characters (C0, DEL, C1).
bool is_user_name(std::string_view text);

/// The name of the server's own (seeds, the chat room): nobody's nick, in whatever case of letters.
bool is_nick_of_server(std::string_view name);

/// Takes one character off the front of UTF-8 text; nothing if it is not well-formed (Unicode 15, table 3-7).
std::optional<char32_t> next_character(std::string_view& text);

/// C0, DEL or C1: what a terminal may take for a command.
constexpr bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

}  // namespace messenger
