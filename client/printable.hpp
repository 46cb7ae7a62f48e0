/// @file printable.hpp
/// Text of others made harmless. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace messenger {

/// Text as Erlang's `~p` prints a string, in double quotes and with escapes, so that what others
/// wrote cannot command the terminal. Unicode text stays as it is.
std::string quoted(std::string_view text);
/// The same without quotes, for names and single words.
std::string printable(std::string_view text);

}  // namespace messenger
