#include "client/shell.hpp"

#include "client/commands.hpp"
#include "client/mess_client.hpp"
#include "protocol/messages.hpp"
#include "runtime/node.hpp"
#include "runtime/supervisor.hpp"

namespace messenger {

using runtime::after;
using runtime::exit_signal;
using runtime::message;
using runtime::process;
using runtime::self;
using runtime::term;

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
struct no_more_input {
  static std::optional<no_more_input> match(const message& m) {
    return m.local && m.content == end_of_input() ? std::optional(no_more_input{}) : std::nullopt;
  }
};

// With `rejoin` the supervisor of mess_client is registered under this name.
constexpr const char* supervisor_name = "mess_client_sup";
constexpr auto first_rejoin = std::chrono::milliseconds(500);
constexpr auto longest_wait_to_rejoin = std::chrono::seconds(30);
constexpr auto look_for_connection = std::chrono::milliseconds(250);

// A connection, a node or a server process that is gone, or no reply; but not a logoff, and not for being idle.
bool can_rejoin(const term& reason) { return reason != runtime::reason::normal && reason != word::idle_timeout; }

// mess_client as a supervisor starts it: it is nobody until there is a way to the server.
process supervised_client(self me, std::string server_node, std::string name, runtime::pid shell, const screen& out) {
  me.hear_only(server_node);
  while (!me.node().is_up()) co_await me.receive(after(look_for_connection, [] {}));
  me.node().register_name(client_name, me.pid());
  me.link(shell);
  co_await client(me, std::move(server_node), std::move(name), shell, out);
}

// What the server passes on has the sender's name in it, which may be longer than what it replaces.
constexpr std::size_t longest_message = runtime::max_payload - 256;

/// The commands, each until it is through.
class commands {
 public:
  commands(self me, shell_state& state) : me_(me), state_(state) {}

  process run(command::nothing) { co_return; }

  process run(command::logon c) {
    if (client()) {
      state_.out.print(word::already_logged_on);
      co_return;
    }
    if (supervisor()) co_await stop_rejoining();
    if (state_.rejoin) {
      start_supervised(c.name);
    } else {
      const auto pid = me_.spawn_link(messenger::client, state_.server_node, c.name, me_.pid(), std::cref(state_.out));
      me_.node().register_name(client_name, pid);
    }
    co_await until_ready();
  }

  process run(command::logoff) {
    if (!client() && supervisor()) {
      co_await stop_rejoining();
      state_.out.print("logged_off");
      co_return;
    }
    if (!client()) {
      state_.out.print("not_logged_on");
      co_return;
    }
    me_.send(*client(), logoff_command());
    term reason;
    co_await me_.receive([&](const exit_signal& s) { reason = s.reason; });
    // However it ended: it is not to log on again.
    const bool was_rejoining = supervisor() && can_rejoin(reason);
    if (was_rejoining) co_await stop_rejoining();
    if (reason != runtime::reason::normal && reason != runtime::reason::timeout) state_.out.exit(reason);
    if (reason == runtime::reason::normal || was_rejoining) state_.out.print("logged_off");
  }

  process run(command::message c) {
    if (!client()) {
      state_.out.print("not_logged_on");
      co_return;
    }
    const auto size = runtime::encode(message_to{me_.pid(), c.to, c.text}.write()).size();
    if (size > longest_message) {
      state_.tell("the text is too long: the message has " + std::to_string(size) + " bytes, at most " +
                  std::to_string(longest_message) + " can be sent; it was not sent");
      co_return;
    }
    me_.send(*client(), message_to_command(c.to, c.text));
    co_await until_ready();
  }

  process run(command::help) {
    state_.tell(commands_help);
    co_return;
  }

  process run(command::quit) {
    if (client() || supervisor()) co_await run(command::logoff{});
    state_.done = true;
  }

  process run(command::mistake c) {
    state_.tell(c.sentence);
    co_return;
  }

  void client_ended(const exit_signal& s) const {
    if (s.reason == runtime::reason::normal) return;
    if (s.reason == runtime::reason::timeout) return;  // it has said so itself
    state_.out.exit(s.reason);
    if (supervisor() && can_rejoin(s.reason))
      state_.tell("logging on again when the server is back; /logoff gives that up");
  }

 private:
  std::optional<runtime::pid> client() const { return me_.node().whereis(client_name); }
  std::optional<runtime::pid> supervisor() const { return me_.node().whereis(supervisor_name); }

  void start_supervised(const std::string& name) const {
    const auto body = [server_node = state_.server_node, name, shell = me_.pid(), &out = state_.out](self me) {
      return supervised_client(me, server_node, name, shell, out);
    };
    runtime::supervisor_flags flags{.intensity = runtime::supervisor_flags::unlimited,
                                    .period = longest_wait_to_rejoin,
                                    .wait = runtime::backoff(first_rejoin, longest_wait_to_rejoin)};
    const auto pid = me_.spawn_link(runtime::supervisor, std::move(flags),
                                    std::vector<runtime::child_spec>{{.start = body, .restart = can_rejoin}});
    me_.node().register_name(supervisor_name, pid);
  }

  process stop_rejoining() {
    me_.exit(*supervisor(), runtime::reason::kill);
    co_await me_.receive([](const exit_signal&) {});
  }

  // mess_client says what came of it, or ends. That it gave up waiting it has said itself.
  process until_ready() {
    bool is_over = false;
    for (auto wait = state_.rejoin ? runtime::duration(reply_timeout) : runtime::infinity; !is_over;
         wait = runtime::infinity)
      co_await me_.receive([&](const ready&) { is_over = true; },
                           [&](const exit_signal& s) {
                             is_over = true;
                             client_ended(s);
                           },
                           after(wait, [&] {
                             // It was not even started, for want of a connection, and says nothing.
                             if (!(is_over = !client())) return;
                             state_.out.print("No response from server");
                           }));
  }

  self me_;
  shell_state& state_;
};

}  // namespace

term line_input(const std::string& text) { return term::array({"line", text}); }
term end_of_input() { return "end_of_input"; }
term logon_input(const std::string& name) { return term::array({"logon", name}); }

process shell(self me, shell_state& state) {
  me.trap_exit(true);
  me.hear_only(me.node().name());
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
        [&](const no_more_input&) -> process { co_await user.run(command::quit{}); },
        [&](const exit_signal& s) { user.client_ended(s); }, [](const ready&) {});  // logged on again
  }
}

}  // namespace messenger
