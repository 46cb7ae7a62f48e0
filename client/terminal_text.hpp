/// @file terminal_text.hpp
/// What a user is shown, as a person at a terminal reads it: a time, and colours if there are any. Pure.
#pragma once

#include <string>

#include "client/events.hpp"

namespace messenger {

struct look {
  bool has_colours = false;
  std::string time;       ///< `12:34`, before each line
  std::string user_name;  ///< of this user, for what to do when the server is lost
};

/// A user's name; in quotes if it could be taken for more than a name.
std::string name_text(const std::string& name);

/// One or more lines, without the last end; empty for what need not be shown. Nothing that others wrote in it can
/// command the terminal, or looks like a line of its own.
std::string as_terminal_text(const event& e, const look& l);

}  // namespace messenger
