#include "client/shell.hpp"

#include <nodelink/node.hpp>
#include <nodelink/supervisor.hpp>
#include "client/admin.hpp"
#include "client/commands.hpp"
#include "client/server_node.hpp"
#include "client/status.hpp"
#include "protocol/admin.hpp"
#include "protocol/messages.hpp"

namespace messenger {

using nodelink::after;
using nodelink::exit_signal;
using nodelink::message;
using nodelink::process;
using nodelink::self;
using nodelink::term;

namespace {

// `{Word, Text}` from this node.
std::optional<std::string> text_after(const char* word, const message& m) {
  if (!m.local || !m.content.is_array() || m.content.size() != 2 || m.content[0] != word) return std::nullopt;
  return m.content[1].get<std::string>();
}

struct line {
  std::string text;
  static std::optional<line> match(const message& m) {
    auto text = text_after("line", m);
    return text ? std::optional(line{std::move(*text)}) : std::nullopt;
  }
};
struct logon_at_start {
  std::string name;
  static std::optional<logon_at_start> match(const message& m) {
    auto name = text_after("logon", m);
    return name ? std::optional(logon_at_start{std::move(*name)}) : std::nullopt;
  }
};
struct kick_at_start {
  std::string name;
  static std::optional<kick_at_start> match(const message& m) {
    auto name = text_after("kick", m);
    return name ? std::optional(kick_at_start{std::move(*name)}) : std::nullopt;
  }
};
struct no_more_input {
  static std::optional<no_more_input> match(const message& m) {
    return m.local && m.content == end_of_input() ? std::optional(no_more_input{}) : std::nullopt;
  }
};

// With `rejoin` the supervisor of mess_client is registered under this name.
constexpr const char* supervisor_name = "mess_client_sup";
// Nobody waits longer for what is said of a server that was silent.
constexpr const char* explainer_name = "explainer";
constexpr auto longest_explanation = std::chrono::milliseconds(300);
constexpr auto first_rejoin = std::chrono::milliseconds(500);
constexpr nodelink::duration longest_wait_to_rejoin = std::chrono::seconds(30);

// A connection, a node or a server process that is gone, or no reply; but not a logoff, and not for being idle.
bool can_rejoin(const term& reason) { return reason != nodelink::reason::normal && reason != word::idle_timeout; }

// Monitors these two nodes no longer, and leaves nothing of it in the mailbox.
process no_longer(self me, const std::string& own, const std::string& node) {
  for (const auto& each : {own, node}) me.monitor_node(each, false);
  for (bool is_more = true; is_more;)
    co_await me.receive([](const nodelink::node_event&) {}, after(nodelink::duration{}, [&] { is_more = false; }));
}

// Until there is a connection, and the server's node is up, or nobody knows; or has been down so long that a full queue
// may have kept its nodeup from here.
process wait_for_server(self me, const std::string& node) {
  const auto own = me.node().name();
  me.monitor_node(own, true);
  me.monitor_node(node, true);
  std::uint64_t connection = 0;
  nodelink::instant since;
  for (;;) {
    nodelink::duration wait = nodelink::infinity;
    if (me.node().is_up()) {
      if (std::exchange(connection, me.pid().creation) != me.pid().creation) since = me.now();
      const auto is_there = me.node().is_up(node);
      const nodelink::duration longest = is_there ? longest_wait_to_rejoin : nodelink::duration(reply_timeout);
      wait = since + longest - me.now();
      if (is_there == true || wait <= nodelink::duration::zero()) break;
    }
    co_await me.receive([](const nodelink::node_event&) {}, after(wait, [] {}));
  }
  co_await no_longer(me, own, node);
}

// mess_client as a supervisor starts it: it is nobody until there is a way to the server.
process supervised_client(self me, std::string server_node, std::string name, nodelink::pid shell, const screen& out,
                          membership& in) {
  me.hear_only(server_node);
  co_await wait_for_server(me, server_node);
  me.node().register_name(client_name, me.pid());
  me.link(shell);
  co_await client(me, std::move(server_node), std::move(name), shell, out, in);
}

// What the server passes on has the sender's name in it, which may be longer than what it replaces.
constexpr std::size_t longest_message = nodelink::max_payload - 256;

/// The commands, each until it is through.
class commands {
 public:
  commands(self me, shell_state& state) : me_(me), state_(state) {}

  process run(command::nothing) { co_return; }

  process run(command::logon c) {
    if (client() && state_.in.is_on) {
      print(word::already_logged_on);
      co_return;
    }
    if (supervisor()) co_await stop_rejoining();  // a try that is under way too
    state_.in = {};
    state_.user_name = c.name;
    if (state_.rejoin) {
      start_supervised(c.name);
    } else {
      const auto pid = me_.spawn_link(messenger::client, state_.server_node, c.name, me_.pid(), std::cref(state_.out),
                                      std::ref(state_.in));
      me_.node().register_name(client_name, pid);
    }
    co_await until_ready();
  }

  process run(command::logoff) {
    if (!client() && supervisor()) {
      co_await stop_rejoining();
      print("logged_off");
      co_return;
    }
    if (!client()) {
      print("not_logged_on");
      co_return;
    }
    me_.send(*client(), logoff_command());
    term reason;
    co_await me_.receive([&](const exit_signal& s) { reason = s.reason; });
    // However it ended: it is not to log on again.
    const bool was_rejoining = supervisor() && can_rejoin(reason);
    if (was_rejoining) co_await stop_rejoining();
    if (reason != nodelink::reason::normal && reason != nodelink::reason::timeout) state_.out(shown::exit{reason});
    state_.in.is_on = false;
    if (reason == nodelink::reason::normal || was_rejoining) print("logged_off");
  }

  process run(command::message c) {
    const auto size = nodelink::encode(message_to{me_.pid(), c.to, c.text}.write()).size();
    if (size > longest_message) co_return too_long(size);
    co_await tell_client(message_to_command(c.to, c.text));
  }

  process run(command::join c) {
    if (!client() && !supervisor() && !state_.user_name.empty()) {
      command::logon first{state_.user_name};  // GCC 12: not a temporary of the co_await
      co_await run(first);
      if (!client()) co_return;  // and has said why
    }
    co_await tell_client(join_command(c.room));
  }

  process run(command::leave c) { co_await tell_client(leave_command(c.room)); }

  process run(command::say c) {
    const auto size = nodelink::encode(say{me_.pid(), state_.in.current, c.text}.write()).size();
    if (size > longest_message) co_return too_long(size);
    if (client() && state_.in.current.empty()) co_return mistake("you are in no room; /join takes you into one");
    co_await tell_client(say_command("", c.text));
  }

  process run(command::users c) { co_await tell_client(users_command(c.room)); }
  process run(command::rooms) { co_await tell_client(rooms_command()); }

  process run(command::nodes) {
    shown::nodes all;
    co_await find_nodes(me_, all.all);
    if (all.all.empty()) co_return print("No response from the broker");
    state_.out(all);
  }

  process run(command::ping c) {
    const auto& own = me_.node().name();
    const std::string host = state_.host.empty() ? own.substr(own.find('@') + 1) : state_.host;
    const std::string node = c.node.find('@') == c.node.npos ? c.node + "@" + host : c.node;
    const auto start = me_.now();
    for (const auto& each : {own, node}) me_.monitor_node(each, true);
    me_.ping(node);
    me_.ping(own);  // whose answer comes after the retained status of a node that is, or was, there
    bool is_there = false;
    nodelink::duration answered{};
    std::optional<nodelink::duration> own_answered;
    const char* why_not = nullptr;
    while (!(is_there && own_answered) && !why_not) {  // the next command is not to take our own answer for its
      const auto is_up = me_.node().is_up(node);
      const nodelink::duration longest =
          !is_up && own_answered && !is_there ? *own_answered + other_brokers_order : nodelink::duration(reply_timeout);
      const nodelink::duration wait = start + longest - me_.now();
      if (!me_.node().is_up()) {
        why_not = "no connection to the broker";
      } else if (is_up == false && own_answered) {
        why_not = "down";
      } else if (wait <= nodelink::duration::zero()) {
        why_not = is_up || !own_answered ? "no answer" : "unknown";
      } else {
        co_await me_.receive(
            [&](const nodelink::ping_answer& p) {
              if (p.node == own) own_answered = me_.now() - start;
              if (p.node == node && !std::exchange(is_there, true)) answered = me_.now() - start;
            },
            [](const nodelink::node_event&) {}, after(wait, [] {}));
      }
    }
    co_await no_longer(me_, own, node);
    if (is_there)
      state_.out(shown::pong{node, answered});
    else
      pang(node, why_not);
  }

  process run(command::status) { return show_status(me_, state_.server_node, state_.out); }

  process run(const command::kick& c) {
    return ask_as_admin([name = c.name](const nodelink::pid& from) { return kick{from, name}.write(); });
  }
  process run(command::drain) {
    return ask_as_admin([](const nodelink::pid& from) { return drain{from}.write(); });
  }

  process run(command::help) {
    state_.out(shown::note{commands_help});
    co_return;
  }

  process run(command::quit) {
    if (client() || supervisor()) co_await run(command::logoff{});
    if (const auto explainer = me_.node().whereis(explainer_name)) {
      me_.monitor(*explainer);
      co_await me_.receive([](const nodelink::process_down&) {}, after(longest_explanation, [] {}));
    }
    state_.done = true;
  }

  process run(command::mistake c) {
    mistake(c.sentence);
    co_return;
  }

  void client_ended(const exit_signal& s) const {
    if (s.reason == nodelink::reason::normal) return;
    const bool is_rejoining = supervisor() && can_rejoin(s.reason);
    state_.out(shown::exit{s.reason, is_rejoining});
  }

 private:
  void print(const char* what) const { state_.out(shown::reply{what}); }
  void mistake(const std::string& sentence) const { state_.out(shown::note{sentence, true}); }
  void pang(const std::string& node, const char* why) const { state_.out(shown::pang{node, why}); }
  void too_long(std::size_t size) const {
    mistake("the text is too long: the message has " + std::to_string(size) + " bytes, at most " +
            std::to_string(longest_message) + " can be sent; it was not sent");
  }

  // Not as the shell, which hears its own node only.
  process ask_as_admin(std::function<term(const nodelink::pid&)> request) {
    me_.node().spawn(messenger::ask_as_admin, state_.server_node, std::move(request), me_.pid());
    co_await me_.receive([&](const admin_answer& a) { print(a.what.c_str()); });
  }

  // What only who is logged on can do.
  process tell_client(term command) {
    if (!client()) co_return print("not_logged_on");
    command.push_back(me_.now().time_since_epoch().count());
    me_.send(*client(), std::move(command));
    co_await until_ready();
  }

  std::optional<nodelink::pid> client() const { return me_.node().whereis(client_name); }
  std::optional<nodelink::pid> supervisor() const { return me_.node().whereis(supervisor_name); }

  void start_supervised(const std::string& name) const {
    const auto body = [server_node = state_.server_node, name, shell = me_.pid(), &out = state_.out,
                       &in = state_.in](self me) { return supervised_client(me, server_node, name, shell, out, in); };
    nodelink::supervisor_flags flags{.intensity = nodelink::supervisor_flags::unlimited,
                                     .period = reply_timeout,  // who was on for longer begins with a short wait
                                     .wait = nodelink::backoff(first_rejoin, longest_wait_to_rejoin)};
    const auto pid = me_.spawn_link(nodelink::supervisor, std::move(flags),
                                    std::vector<nodelink::child_spec>{{.start = body, .restart = can_rejoin}});
    me_.node().register_name(supervisor_name, pid);
  }

  process stop_rejoining() {
    const bool is_trying = client().has_value();
    if (is_trying) me_.send(*client(), logoff_command());  // whose logon may be answered after the next one
    me_.exit(*supervisor(), nodelink::reason::kill);
    co_await me_.receive([](const exit_signal&) {});
    if (is_trying) co_await me_.receive([](const exit_signal&) {});
  }

  // mess_client says what came of it, or ends. That it gave up waiting it has said itself.
  process until_ready() {
    bool is_over = false, is_unanswered = false;
    for (auto wait = state_.rejoin ? nodelink::duration(reply_timeout) : nodelink::infinity; !is_over;
         wait = nodelink::infinity)
      co_await me_.receive([&](const ready&) { is_over = true; },
                           [&](const exit_signal& s) {
                             is_over = true;
                             is_unanswered = s.reason == nodelink::reason::timeout;
                             client_ended(s);
                           },
                           after(wait, [&] {
                             // It was not even started, for want of a connection, and says nothing.
                             if (!(is_over = is_unanswered = !client())) return;
                             print("No response from server");
                           }));
    if (is_unanswered && !me_.node().whereis(explainer_name))
      me_.node().register_name(explainer_name,
                               me_.node().spawn(explain_silence, state_.server_node, std::cref(state_.out)));
  }

  self me_;
  shell_state& state_;
};

}  // namespace

term line_input(const std::string& text) { return term::array({"line", text}); }
term end_of_input() { return "end_of_input"; }
term logon_input(const std::string& name) { return term::array({"logon", name}); }
term kick_input(const std::string& name) { return term::array({"kick", name}); }

process shell(self me, shell_state& state) {
  me.trap_exit(true);
  me.hear_only(me.node().name());
  me.node().spawn(watch_server_node, std::ref(state));
  commands user(me, state);
  while (!state.done) {
    state.idle = true;
    co_await me.receive(
        [&](const line& l) -> process {
          co_await std::visit([&](auto c) { return user.run(std::move(c)); }, parse_command(l.text));
        },
        [&](const logon_at_start& l) -> process {
          command::logon c{l.name};  // GCC 12: not a temporary of the co_await
          co_await user.run(std::move(c));
        },
        [&](const kick_at_start& k) -> process {
          command::kick c{k.name};  // likewise
          co_await user.run(c);
        },
        [&](const no_more_input&) -> process { co_await user.run(command::quit{}); },
        [&](const exit_signal& s) { user.client_ended(s); }, [](const ready&) {},  // logged on again
        [](const nodelink::ping_answer&) {});
  }
}

}  // namespace messenger
