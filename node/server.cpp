#include "node/server.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include <nodelink/node.hpp>
#include "node/server_presence.hpp"
#include "node/server_rooms.hpp"
#include "node/server_state.hpp"
#include "program/log_event.hpp"
#include "protocol/admin.hpp"
#include "protocol/messages.hpp"
#include "protocol/user_name.hpp"

namespace messenger {

using nodelink::after;
using nodelink::exit_signal;
using nodelink::message;
using nodelink::process;
using nodelink::self;

static void server_logon(self me, const logon& m, server_state& state);
static void server_logoff(self me, const exit_signal& s, server_state& state);
static void server_transfer(self me, const message_to& m, server_state& state);
static void server_logoff_idle(self me, server_state& state);
static nodelink::duration until_next_is_due(self me, const server_state& state);
static void server_kick(self me, const kick& m, server_state& state);
static void server_drain(self me, const drain& m, server_state& state);
static bool admit(self me, const nodelink::pid& from, const char* request, server_state& state);

process server(self me, server_options options) {
  me.trap_exit(true);
  server_state state(std::move(options));
  const auto on = [me, &state]<class M>(void (*serve)(self, const M&, server_state&)) {
    return [me, &state, serve](const M& m) {
      if (admit(me, m.from, M::word, state)) serve(me, m, state);
    };
  };
  for (;;) {
    server_logoff_idle(me, state);
    if (!state.pages.empty()) send_next_page(me, state);
    state.count.users = state.users.size();
    state.count.rooms = state.rooms.all().size();
    state.count.members = state.rooms.members();
    co_await me.receive(
        on(server_logon), [&](const exit_signal& s) { server_logoff(me, s, state); }, on(server_transfer),
        on(server_say), on(server_join), on(server_leave), on(server_users), on(server_rooms), on(server_presence),
        on(server_kick), on(server_drain),
        // In Erlang what nothing matches stays in the mailbox for good; anybody can write to this one.
        [&](const message& m) { me.node().note(nodelink::drop::unexpected, m.from, nodelink::brief(m.content)); },
        after(until_next_is_due(me, state), [] {}));
  }
}

/// Counts a request. One too many of that node is refused.
static bool admit(self me, const nodelink::pid& from, const char* request, server_state& state) {
  ++state.count.requests[request];
  if (state.nodes.may_ask(from.node, me.now())) return true;
  if (state.nodes.is_news(from.node, me.now()))
    me.node().note(nodelink::drop::refused, from.node, "more requests than a node may have");
  ++state.count.refusals[word::too_many_requests];
  if (!state.nodes.is_told(from.node, me.now())) return false;
  const bool is_logon = request == std::string_view(logon::word);  // whose plain replies all say yes
  me.send(from, is_logon ? stop{word::too_many_requests}.write() : reply{word::too_many_requests}.write());
  return false;
}

/// Adds a new user to the user list.
static void server_logon(self me, const logon& m, server_state& state) {
  auto& users = state.users;
  const auto reject = [&](const char* why) {
    me.node().note(nodelink::drop::refused, m.from.node, "logon as " + nodelink::brief(m.name) + ": " + why);
    ++state.count.refusals[why];
    me.send(m.from, stop{why}.write());
  };
  if (!is_user_name(m.name)) return reject(word::bad_name);
  if (is_nick_of_server(m.name)) return reject(word::nick_not_allowed);
  if (!state.options.may_have_name(m.name, m.from.node)) return reject(word::name_belongs_to_other_node);
  if (const auto* name = users.name_of(m.from)) {  // a repeat of what stands, or somebody who wants two names
    if (*name != m.name) return reject(word::already_logged_on);
    return me.send(m.from, reply{word::logged_on}.write());
  }
  if (users.pid_of(m.name)) return reject(word::user_exists_at_other_node);
  const auto most = state.options.at_most.users;
  if ((most > 0 && users.size() >= most) || !state.nodes.may_have_user(m.from.node))
    return reject(word::too_many_users);
  me.send(m.from, reply{word::logged_on}.write());
  me.link(m.from);
  users.add(m.from, m.name, me.now());
  state.nodes.add_user(m.from.node, me.now());
  ++state.count.logons;
  program::log(spdlog::level::info, "logon",
               {{"user", m.name}, {"node", m.from.node}, {"pid", to_string(m.from)}, {"count", users.size()}},
               "logon: {} is {}, {} on the list", m.name, to_string(m.from), users.size());
  log_list(users);
  say_presence(me, {.name = m.name, .node = m.from.node, .is_on = true}, state);
}

static const char* cause_of(const exit_signal& s) {
  using nodelink::cause;
  switch (s.why) {
    case cause::node_stopped: return exit_cause::node_stopped;
    case cause::node_died: return exit_cause::node_died;
    case cause::silence: return exit_cause::tick;
    case cause::connection: return exit_cause::connection;
    case cause::process: break;
  }
  if (s.reason == nodelink::reason::normal) return exit_cause::logoff;
  return s.reason[0] == "error" ? exit_cause::crash : exit_cause::exit;
}

/// Deletes a user from the user list.
static void server_logoff(self me, const exit_signal& s, server_state& state) {
  const bool is_of_node = s.reason == nodelink::reason::noconnection;
  remove_user(me, s.from, s.reason, cause_of(s), is_of_node ? to_string(s.why) : "", state);
}

/// Logs off who has done nothing for too long.
static void server_logoff_idle(self me, server_state& state) {
  const auto& users = state.users;
  const auto idle_timeout = state.options.idle_timeout;
  if (idle_timeout == nodelink::infinity) return;
  while (users.size() > 0 && users.longest_idle().since + idle_timeout <= me.now()) {
    const nodelink::pid who = users.longest_idle().who;
    me.exit(who, word::idle_timeout);
    remove_user(me, who, word::idle_timeout, exit_cause::idle, "", state);
  }
}

static nodelink::duration until_next_is_due(self me, const server_state& state) {
  const auto idle_timeout = state.options.idle_timeout;
  if (!state.pages.empty()) return {};
  if (idle_timeout == nodelink::infinity || state.users.size() == 0) return nodelink::infinity;
  return std::max<nodelink::duration>(state.users.longest_idle().since + idle_timeout - me.now(), {});
}

/// Transfers a message between users.
static void server_transfer(self me, const message_to& m, server_state& state) {
  const auto* name = name_of_asker(me, m.from, state);
  if (!name) return;
  const auto* to = state.users.pid_of(m.to);
  if (!to) return refuse(me, m.from, word::receiver_not_found, state);
  const auto passed_on = message_from{*name, m.text}.write();
  // The name may be longer than what it replaces; only a long text is worth measuring.
  if (m.text.size() > nodelink::max_payload / 8 && nodelink::encode(passed_on).size() > nodelink::max_payload)
    return refuse(me, m.from, word::text_too_long, state);
  me.send(*to, passed_on);
  me.send(m.from, reply{word::sent}.write());
  ++state.count.messages;
}

// Who asks is the node in the topic, which the broker vouches for.
static bool is_admin(self me, const nodelink::pid& from, const char* request, server_state& state) {
  if (state.options.admins.contains(from.node)) return true;
  me.node().note(nodelink::drop::refused, from.node, std::string(request) + ", which is not for this node");
  refuse(me, from, word::not_allowed, state);
  return false;
}

/// Ends a user's time on the list.
static void server_kick(self me, const kick& m, server_state& state) {
  if (!is_admin(me, m.from, m.word, state)) return;
  const auto* found = state.users.pid_of(m.name);
  if (!found) return refuse(me, m.from, word::receiver_not_found, state);
  const nodelink::pid who = *found;
  program::log(spdlog::level::warn, "kick", {{"user", m.name}, {"node", who.node}, {"by", m.from.node}},
               "kick: {} by {}", m.name, to_string(m.from));
  me.exit(who, word::kicked);
  remove_user(me, who, word::kicked, exit_cause::kicked, "", state);
  me.send(m.from, reply{word::kicked}.write());
}

/// Has this server stopped, in order.
static void server_drain(self me, const drain& m, server_state& state) {
  if (!is_admin(me, m.from, m.word, state)) return;
  program::log(spdlog::level::warn, "drain", {{"by", m.from.node}}, "drain: by {}", to_string(m.from));
  me.send(m.from, reply{word::draining}.write());
  state.options.drain();
}

}  // namespace messenger
