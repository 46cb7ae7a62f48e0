#include "client/commands.hpp"

#include "client/screen.hpp"
#include "protocol/user_name.hpp"

namespace messenger {

const char* const commands_help =
    "/logon NAME         log on as NAME\n"
    "/message NAME TEXT  send TEXT to the user NAME\n"
    "/logoff             log off\n"
    "/help               show this\n"
    "/quit               log off and leave\n"
    "A NAME with spaces goes in double quotes: /message \"Anna Lena\" hello";

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

any_command parse_logon(std::string_view rest) {
  const auto name = take_word(rest);
  skip_spaces(rest);
  if (name.empty() || !rest.empty()) return usage("/logon NAME   (a NAME with spaces in double quotes)");
  if (!is_user_name(name)) return bad_name(name);
  return command::logon{std::string(name)};
}

any_command parse_message(std::string_view rest) {
  const auto to = take_word(rest);
  skip_spaces(rest);
  if (to.empty() || rest.empty()) return usage("/message NAME TEXT");
  if (!is_user_name(to)) return bad_name(to);
  for (auto text = rest; !text.empty();)
    if (!next_character(text)) return command::mistake{"the text is not UTF-8; it was not sent"};
  return command::message{std::string(to), std::string(rest)};
}

}  // namespace

any_command parse_command(std::string_view line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) line.remove_suffix(1);
  skip_spaces(line);
  if (line.empty()) return command::nothing{};
  if (line.front() != '/') return command::mistake{"a command begins with a slash; /help lists them"};
  std::string_view rest = line;
  const auto word = take_word(rest);
  if (word == "/logon") return parse_logon(rest);
  if (word == "/message") return parse_message(rest);
  skip_spaces(rest);
  if (word != "/logoff" && word != "/help" && word != "/quit")
    return command::mistake{"there is no command " + printable(word.substr(0, 100)) + "; /help lists them"};
  if (!rest.empty()) return command::mistake{std::string(word) + " takes nothing after it"};
  if (word == "/logoff") return command::logoff{};
  if (word == "/help") return command::help{};
  return command::quit{};
}

}  // namespace messenger
