#include "node/server.hpp"

#include <spdlog/spdlog.h>

#include <nodelink/node.hpp>
#include "node/server_rooms.hpp"
#include "protocol/messages.hpp"
#include "protocol/user_name.hpp"

namespace messenger {

using nodelink::after;
using nodelink::exit_signal;
using nodelink::message;
using nodelink::process;
using nodelink::self;

static void server_logon(self me, const logon& m, user_list& users);
static void server_logoff(self me, const exit_signal& s, server_state& state);
static void server_transfer(self me, const message_to& m, server_state& state);
static void server_logoff_idle(self me, nodelink::duration idle_timeout, server_state& state);
static nodelink::duration until_next_is_idle(self me, nodelink::duration idle_timeout, const user_list& users);
static void log_list(const user_list& users);

process server(self me, server_options options) {
  me.trap_exit(true);
  server_state state{{}, room_list(options.last_event)};
  for (;;) {
    server_logoff_idle(me, options.idle_timeout, state);
    co_await me.receive(
        [&](const logon& m) { server_logon(me, m, state.users); },
        [&](const exit_signal& s) { server_logoff(me, s, state); },
        [&](const message_to& m) {
          server_transfer(me, m, state);
          log_list(state.users);
        },
        [&](const say& m) { server_say(me, m, state); }, [&](const join& m) { server_join(me, m, state); },
        [&](const leave& m) { server_leave(me, m, state); }, [&](const ask_users& m) { server_users(me, m, state); },
        [&](const ask_rooms& m) { server_rooms(me, m, state); },
        // In Erlang what nothing matches stays in the mailbox for good; anybody can write to this one.
        [&](const message& m) { me.node().note(nodelink::drop::unexpected, m.from, nodelink::brief(m.content)); },
        after(until_next_is_idle(me, options.idle_timeout, state.users), [] {}));
  }
}

/// Adds a new user to the user list.
static void server_logon(self me, const logon& m, user_list& users) {
  const auto reject = [&](const char* why) {
    me.node().note(nodelink::drop::refused, m.from.node, "logon as " + nodelink::brief(m.name) + ": " + why);
    me.send(m.from, stop{why}.write());
  };
  if (!is_user_name(m.name)) return reject(word::bad_name);
  if (is_nick_of_server(m.name)) return reject(word::nick_not_allowed);
  if (const auto* name = users.name_of(m.from)) {  // a repeat of what stands, or somebody who wants two names
    if (*name != m.name) return reject(word::already_logged_on);
    return me.send(m.from, reply{word::logged_on}.write());
  }
  if (users.pid_of(m.name)) return reject(word::user_exists_at_other_node);
  me.send(m.from, reply{word::logged_on}.write());
  me.link(m.from);
  users.add(m.from, m.name, me.now());
  spdlog::info("logon: {} is {}, {} on the list", m.name, to_string(m.from), users.size());
}

/// Deletes a user from the user list.
static void server_logoff(self me, const exit_signal& s, server_state& state) {
  const auto name = state.users.remove(s.from);
  if (name.empty()) return;
  const std::string why = s.reason == nodelink::reason::noconnection ? std::string(" (") + to_string(s.why) + ")" : "";
  spdlog::info("logoff: {} was {}, reason {}{}, {} on the list", name, to_string(s.from), nodelink::brief(s.reason),
               why, state.users.size());
  leave_every_room(me, name, s.reason, state);
}

/// Logs off who has done nothing for too long.
static void server_logoff_idle(self me, nodelink::duration idle_timeout, server_state& state) {
  const auto& users = state.users;
  if (idle_timeout == nodelink::infinity) return;
  while (users.size() > 0 && users.longest_idle().since + idle_timeout <= me.now()) {
    const nodelink::pid who = users.longest_idle().who;
    me.exit(who, word::idle_timeout);
    server_logoff(me, {who, word::idle_timeout}, state);
  }
}

static nodelink::duration until_next_is_idle(self me, nodelink::duration idle_timeout, const user_list& users) {
  if (idle_timeout == nodelink::infinity || users.size() == 0) return nodelink::infinity;
  return std::max<nodelink::duration>(users.longest_idle().since + idle_timeout - me.now(), {});
}

/// Transfers a message between users.
static void server_transfer(self me, const message_to& m, server_state& state) {
  const auto* name = name_of_asker(me, m.from, state);
  if (!name) return;
  const auto* to = state.users.pid_of(m.to);
  if (!to) return me.send(m.from, reply{word::receiver_not_found}.write());
  const auto passed_on = message_from{*name, m.text}.write();
  // The name may be longer than what it replaces; only a long text is worth measuring.
  if (m.text.size() > nodelink::max_payload / 8 && nodelink::encode(passed_on).size() > nodelink::max_payload)
    return me.send(m.from, reply{word::text_too_long}.write());
  me.send(*to, passed_on);
  me.send(m.from, reply{word::sent}.write());
}

static void log_list(const user_list& users) {
  if (!spdlog::should_log(spdlog::level::debug)) return;
  std::string list;
  users.for_each([&list](const nodelink::pid& pid, const std::string& name) {
    list += (list.empty() ? "{" : ", {") + to_string(pid) + ", " + nodelink::brief(name) + "}";
  });
  spdlog::debug("list is now: [{}]", list);
}

}  // namespace messenger
