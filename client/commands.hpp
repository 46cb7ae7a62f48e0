/// @file commands.hpp
/// The user's commands: what a line means. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace messenger {

/// The User Commands of the seeds, and what a program needs besides.
namespace command {
struct nothing {};  ///< an empty line
struct logon {
  std::string name;
};
struct logoff {};
struct message {
  std::string to;
  std::string text;
};
struct help {};
struct quit {};
/// A line that is none of them; the sentence says what was wrong and what to write.
struct mistake {
  std::string sentence;
};
}  // namespace command

using any_command = std::variant<command::nothing, command::logon, command::logoff, command::message, command::help,
                                 command::quit, command::mistake>;

/// Reads one line. A name with spaces in it is written in double quotes.
any_command parse_command(std::string_view line);

/// What `/help` prints.
extern const char* const commands_help;

}  // namespace messenger
