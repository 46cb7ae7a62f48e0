/// @file commands.hpp
/// The user's commands: what a line means. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

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
struct join {
  std::string room;
};
struct leave {
  std::string room;  ///< empty for the current one
};
struct say {
  std::string text;  ///< in the current room
};
struct users {
  std::string room;  ///< empty for all who are logged on
};
struct rooms {};
struct nodes {};
struct ping {
  std::string node;  ///< `name` or `name@host`
};
struct status {};
struct kick {
  std::string name;
};
struct drain {};
struct help {};
struct quit {};
/// A line that is none of them; the sentence says what was wrong and what to write.
struct mistake {
  std::string sentence;
};
}  // namespace command

using any_command =
    std::variant<command::nothing, command::logon, command::logoff, command::message, command::join, command::leave,
                 command::say, command::users, command::rooms, command::nodes, command::ping, command::status,
                 command::kick, command::drain, command::help, command::quit, command::mistake>;

/// The commands as they are typed, for completion; sorted.
extern const std::vector<std::string> command_words;

/// Reads one line. A name with spaces in it is written in double quotes. What does not begin with a slash is said in
/// the current room.
any_command parse_command(std::string_view line);

/// What `/help` prints.
extern const char* const commands_help;

}  // namespace messenger
