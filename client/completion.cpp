#include "client/completion.hpp"

#include <algorithm>

#include "client/commands.hpp"
#include "client/lines.hpp"
#include "client/printable.hpp"

namespace messenger {

// A name as it is typed; nothing for one that cannot be.
static std::string as_typed(const std::string& name) {
  if (printable(name) != name || name.find('"') != name.npos) return {};
  return name.find(' ') == name.npos ? name : '"' + name + '"';
}

void completion::learn(const event& e) {
  const auto learn_users = [this](const names& all) { users_.insert(all.begin(), all.end()); };
  std::visit(overloaded{
                 [&](const shown::message& m) { users_.insert(m.from); },
                 [&](const shown::joined& j) {
                   learn_users(j.users);
                   rooms_.insert(j.room);
                 },
                 [&](const shown::in_room& r) {
                   constexpr std::size_t most = 10'000;  // somebody may go by ever new names
                   if (users_.size() > most) users_.clear();
                   if (r.event.what == room_event::kind::left)
                     users_.erase(r.event.name);
                   else
                     users_.insert(r.event.name);
                 },
                 [&](const shown::users& u) {
                   if (!u.room) users_.clear();
                   learn_users(u.all);
                 },
                 [&](const shown::rooms& r) {
                   rooms_.clear();
                   for (const auto& [room, count] : r.all) rooms_.insert(room);
                 },
                 [&](const shown::nodes& n) {
                   nodes_.clear();
                   for (const auto& [node, creation] : n.all) nodes_.insert(node);
                 },
                 [](const auto&) {},
             },
             e);
}

completion::word completion::last_word(const std::string& text) {
  const auto begin = text.find_first_not_of(' ');
  if (begin == text.npos) return {};
  const auto end_of_command = text.find(' ', begin);
  if (text[begin] == '/' && end_of_command == text.npos) return {kind::command, text.substr(begin)};
  if (text[begin] != '/') {  // somebody is spoken to
    const auto last = text.rfind(' ');
    return {kind::user, last == text.npos ? text.substr(begin) : text.substr(last + 1)};
  }
  const std::string command = text.substr(begin, end_of_command - begin);
  const std::string rest = text.substr(std::min(text.find_first_not_of(' ', end_of_command), text.size()));
  const bool is_quoted = !rest.empty() && rest[0] == '"';
  if (rest.find(is_quoted ? '"' : ' ', 1) != rest.npos) return {};  // the first word after the command is over
  if (command == "/message" || command == "/msg" || command == "/pm") return {kind::user, rest};
  if (command == "/join" || command == "/leave" || command == "/users") return {kind::room, rest};
  if (command == "/ping") return {kind::node, rest};
  return {};
}

std::vector<std::string> completion::words(const std::string& text) const {
  const auto [what, begun] = last_word(text);
  std::vector<std::string> found;
  const auto add_from = [&, &begun = begun](const auto& all) {
    for (const auto& name : all)
      if (const auto word = as_typed(name); !word.empty() && word.starts_with(begun)) found.push_back(word);
  };
  switch (what) {
    case kind::none: break;
    case kind::command: add_from(command_words); break;
    case kind::user: add_from(users_); break;
    case kind::room: add_from(rooms_); break;
    case kind::node: add_from(nodes_); break;
  }
  return found;
}

}  // namespace messenger
