#include "client/commands.hpp"

#include <algorithm>

#include <nodelink/names.hpp>
#include "client/printable.hpp"
#include "protocol/rooms.hpp"
#include "protocol/user_name.hpp"

namespace messenger {

const char* const commands_help =
    "/logon NAME         log on as NAME\n"
    "/join [ROOM]        go into a room (lobby unless you say which)\n"
    "TEXT                say TEXT in your room; or /say TEXT\n"
    "/message NAME TEXT  tell TEXT to the user NAME alone; /msg and /pm too\n"
    "/users [ROOM]       who is logged on, or who is in ROOM\n"
    "/rooms              the rooms, and how many are in each\n"
    "/leave [ROOM]       leave the room you are in\n"
    "/logoff             log off\n"
    "/nodes              the nodes that are up, and since when\n"
    "/ping NODE          is that node there?\n"
    "/status             how the server is\n"
    "/kick NAME          log somebody off; /drain stops the server: for operators\n"
    "/help               show this\n"
    "/quit               log off and leave\n"
    "A NAME with spaces goes in double quotes: /message \"Anna Lena\" hello";

const std::vector<std::string> command_words{"/drain", "/help",    "/join", "/kick",   "/leave", "/logoff",
                                             "/logon", "/message", "/msg",  "/nodes",  "/ping",  "/pm",
                                             "/quit",  "/rooms",   "/say",  "/status", "/users"};

namespace {

void skip_spaces(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

// Takes a word, or what stands in double quotes.
std::string_view take_word(std::string_view& rest) {
  skip_spaces(rest);
  if (rest.starts_with('"')) {
    const auto close = rest.find('"', 1);
    if (close != rest.npos) {
      const auto word = rest.substr(1, close - 1);
      rest.remove_prefix(close + 1);
      return word;
    }
  }
  const auto word = rest.substr(0, rest.find_first_of(" \t"));
  rest.remove_prefix(word.size());
  return word;
}

any_command usage(std::string_view form) { return command::mistake{"usage: " + std::string(form)}; }

any_command bad_name(std::string_view name) {
  return command::mistake{"the user name " + quoted(name.substr(0, 100)) + " " + user_name_rule};
}

template <class C>
any_command parse_user(std::string_view word, std::string_view rest) {
  const auto name = take_word(rest);
  skip_spaces(rest);
  if (name.empty() || name.front() == '"' || !rest.empty())
    return usage(std::string(word) + " NAME   (a NAME with spaces in double quotes)");
  if (!is_user_name(name)) return bad_name(name);
  return C{std::string(name)};
}

bool is_utf_8(std::string_view text) {
  while (!text.empty())
    if (!next_character(text)) return false;
  return true;
}

any_command parse_message(std::string_view rest) {
  const auto to = take_word(rest);
  skip_spaces(rest);
  if (to.empty() || to.front() == '"' || rest.empty()) return usage("/message NAME TEXT");
  if (!is_user_name(to)) return bad_name(to);
  if (!is_utf_8(rest)) return command::mistake{"the text is not UTF-8; it was not sent"};
  return command::message{std::string(to), std::string(rest)};
}

any_command parse_say(std::string_view rest) {
  if (rest.empty()) return usage("/say TEXT");
  if (!is_utf_8(rest)) return command::mistake{"the text is not UTF-8; it was not sent"};
  return command::say{std::string(rest)};
}

// A command with a room after it, or `otherwise`.
template <class C>
any_command parse_room(std::string_view word, std::string_view rest, const char* otherwise) {
  const auto room = take_word(rest);
  skip_spaces(rest);
  if (!rest.empty()) return usage(std::string(word) + " [ROOM]");
  if (!room.empty() && !nodelink::is_name(room))
    return command::mistake{"the room " + quoted(room.substr(0, 100)) + " " + nodelink::name_rule};
  return C{room.empty() ? otherwise : std::string(room)};
}

any_command parse_ping(std::string_view rest) {
  const auto node = take_word(rest);
  skip_spaces(rest);
  if (node.empty() || !rest.empty()) return usage("/ping NODE");
  if (!nodelink::is_name(node) && !nodelink::is_node_name(node))
    return command::mistake{"the node name " + quoted(node.substr(0, 200)) + " " + nodelink::node_name_rule};
  return command::ping{std::string(node)};
}

}  // namespace

any_command parse_command(std::string_view line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) line.remove_suffix(1);
  skip_spaces(line);
  if (line.empty()) return command::nothing{};
  if (line.front() != '/') return parse_say(line);
  std::string_view rest = line;
  const auto word = take_word(rest);
  skip_spaces(rest);
  if (word == "/logon") return parse_user<command::logon>(word, rest);
  if (word == "/kick") return parse_user<command::kick>(word, rest);
  if (word == "/message" || word == "/msg" || word == "/pm") return parse_message(rest);
  if (word == "/say") return parse_say(rest);
  if (word == "/join") return parse_room<command::join>(word, rest, lobby);
  if (word == "/leave") return parse_room<command::leave>(word, rest, "");
  if (word == "/users") return parse_room<command::users>(word, rest, "");
  if (word == "/ping") return parse_ping(rest);
  if (std::find(command_words.begin(), command_words.end(), word) == command_words.end())
    return command::mistake{"there is no command " + printable(word.substr(0, 100)) + "; /help lists them"};
  if (!rest.empty()) return command::mistake{std::string(word) + " takes nothing after it"};
  if (word == "/logoff") return command::logoff{};
  if (word == "/rooms") return command::rooms{};
  if (word == "/nodes") return command::nodes{};
  if (word == "/status") return command::status{};
  if (word == "/drain") return command::drain{};
  if (word == "/help") return command::help{};
  return command::quit{};
}

}  // namespace messenger
