#include "node/server_state.hpp"

#include <nodelink/node.hpp>
#include "node/server_presence.hpp"
#include "node/server_rooms.hpp"
#include "program/log_event.hpp"
#include "protocol/messages.hpp"

namespace messenger {

using nodelink::pid;
using nodelink::self;
using nodelink::term;

server_state::~server_state() {
  if (users.size() > 0) {
    count.logoffs[{nodelink::reason::noconnection, "server_ended"}] += users.size();
    ++count.last_presence;  // whoever listens sees that he has missed something
  }
  count.users = count.rooms = count.members = 0;
}

const std::string* name_of_asker(self me, const pid& from, server_state& state) {
  const auto* name = state.users.name_of(from);
  if (name) {
    state.users.is_active(from, me.now());
  } else {
    ++state.count.refusals[word::you_are_not_logged_on];
    me.send(from, stop{word::you_are_not_logged_on}.write());
  }
  return name;
}

void refuse(self me, const pid& from, const char* word, server_state& state) {
  ++state.count.refusals[word];
  me.send(from, reply{word}.write());
}

static void send_page(self me, const pid& to, term page, server_state& state) {
  state.nodes.replied(to.node, nodelink::encode(page).size(), me.now());
  me.send(to, std::move(page));
}

void send_list(self me, const pid& to, term head, term items, server_state& state) {
  if (!state.pages.may_add(to.node)) return refuse(me, to, word::too_many_requests, state);
  paged_list list(std::move(head), std::move(items));
  if (!state.pages.has(to)) send_page(me, to, list.next(), state);
  if (!list.is_over()) state.pages.add(to, std::move(list));
}

void send_next_page(self me, server_state& state) {
  auto [to, page] = state.pages.take();
  send_page(me, to, std::move(page), state);
}

void log_list(const user_list& users) {
  constexpr std::size_t most = 10;
  if (!spdlog::should_log(spdlog::level::debug)) return;
  std::string list;
  std::size_t count = 0;
  users.for_each([&](const pid& who, const std::string& name) {
    if (++count <= most) list += (list.empty() ? "{" : ", {") + to_string(who) + ", " + nodelink::brief(name) + "}";
  });
  if (count > most) list += ", ...";
  program::log(spdlog::level::debug, "list", {{"count", count}}, "list is now: [{}]", list);
}

void remove_user(self me, const pid& who, const term& reason, const char* cause, const std::string& in_words,
                 server_state& state) {
  const auto name = state.users.remove(who);
  if (name.empty()) return;
  state.count.logged_off(reason, cause);
  program::log(spdlog::level::info, "logoff",
               {{"user", name},
                {"node", who.node},
                {"pid", to_string(who)},
                {"reason", reason},
                {"cause", cause},
                {"count", state.users.size()}},
               "logoff: {} was {}, reason {}{}, {} on the list", name, to_string(who), nodelink::brief(reason),
               in_words.empty() ? "" : " (" + in_words + ")", state.users.size());
  log_list(state.users);
  leave_every_room(me, who.node, name, reason, state);
  state.nodes.remove_user(who.node);
  say_presence(me, {.name = name, .node = who.node, .reason = fit_to_be_said(reason), .cause = cause}, state);
}

}  // namespace messenger
