#include "client/mess_client.hpp"

#include "protocol/messages.hpp"
#include "runtime/node.hpp"

namespace messenger {

using runtime::after;
using runtime::message;
using runtime::pid;
using runtime::process;
using runtime::registered;
using runtime::self;
using runtime::term;

namespace {

// `logoff` and `{message_to, ToName, Message}`, from this node: anybody could write them to a pid.
struct logoff {
  static std::optional<logoff> match(const message& m) {
    return m.local && m.content == logoff_command() ? std::optional(logoff{}) : std::nullopt;
  }
};
struct send_to {
  std::string to;
  std::string text;
  static std::optional<send_to> match(const message& m) {
    if (!m.local || !m.content.is_array() || m.content.size() != 3 || m.content[0] != "message_to") return std::nullopt;
    return send_to{m.content[1], m.content[2]};
  }
};

}  // namespace

term logoff_command() { return "logoff"; }
term message_to_command(const std::string& to, const std::string& text) {
  return term::array({"message_to", to, text});
}

std::optional<ready> ready::match(const message& m) {
  return m.local && m.content == "ready" ? std::optional(ready{}) : std::nullopt;
}

static process await_result(self me, registered server, pid shell, const screen& out);

process client(self me, std::string server_node, std::string name, pid shell, const screen& out) {
  const registered server{server_name, server_node};
  me.hear_only(server_node);
  me.send(server, logon{me.pid(), name}.write());
  co_await await_result(me, server, shell, out);
  me.expect_link(server);
  for (;;)
    co_await me.receive(
        [&](const logoff&) { me.exit("normal"); },
        [&](const send_to& m) -> process {
          me.send(server, message_to{me.pid(), m.to, m.text}.write());
          co_await await_result(me, server, shell, out);
        },
        [&](const message_from& m) { out.message_from(m.name, m.text); },
        // A reply to nothing must not be taken for the next one's.
        [&](const message& m) { me.node().note(runtime::drop::unexpected, m.from, runtime::brief(m.content)); });
}

/// Waits for a response from the server. Messages that come meanwhile stay in the mailbox.
static process await_result(self me, registered server, pid shell, const screen& out) {
  co_await me.receive(
      [&](const stop& m) {  // stop the client
        out.print(m.why);
        me.exit("normal");
      },
      [&](const reply& m) { out.print(m.what); },  // normal response
      after(reply_timeout, [&] {
        out.print("No response from server");
        me.expect_link(server);  // it may have logged us on, and is to hear the end even if its LINK is late
        me.exit("timeout");
      }));
  me.send(shell, "ready");
}

}  // namespace messenger
