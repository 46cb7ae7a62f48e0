#include "client/server_node.hpp"

#include <nodelink/node.hpp>
#include "client/lines.hpp"
#include "client/status.hpp"
#include "protocol/messages.hpp"

namespace messenger {

using nodelink::after;
using nodelink::process;
using nodelink::self;

process watch_server_node(self me, shell_state& state) {
  me.hear_only(me.node().name());
  me.monitor_node(state.server_node, true);
  for (;;)
    co_await me.receive(
        [&](const nodelink::node_event& e) {
          if (e.is_up || !std::exchange(state.in.is_on, false)) return;
          if (e.why == nodelink::cause::node_stopped)
            state.out(shown::note{"the server's node " + e.node + " was stopped by whoever runs it"});
        },
        [](const nodelink::message&) {});
}

process find_nodes(self me, std::map<std::string, std::uint64_t>& all) {
  auto& node = me.node();
  node.monitor_nodes();
  me.ping(node.name());
  bool is_heard = false;
  co_await me.receive([&](const nodelink::ping_answer&) { is_heard = true; }, after(reply_timeout, [] {}));
  if (!is_heard) co_return;
  co_await me.receive(after(other_brokers_order, [] {}));
  all = node.nodes();
  all.emplace(node.name(), node.creation());
}

static std::string what_is_known(const std::string& node, std::optional<bool> is_up) {
  if (!is_up) return "this broker knows nothing of a node " + node + ": was the server ever started here?";
  return "node " + node + (*is_up ? " is up, but does not answer" : " is down");
}

process explain_silence(self me, std::string server, const screen& out) {
  me.hear_only(me.node().name());
  const auto say = [&](const std::string& sentence) { out(shown::note{sentence}); };
  if (!me.node().is_up()) co_return say("there is no connection to the broker");
  std::map<std::string, std::uint64_t> up;
  co_await find_nodes(me, up);
  if (up.empty()) co_return say("the broker does not answer either");
  std::string others;
  for (const auto& [node, creation] : up)
    if (node != server && node.starts_with(std::string(server_name) + "@"))
      others += (others.empty() ? "" : ", ") + node;
  say(what_is_known(server, me.node().is_up(server)) + (others.empty() ? "" : "; up are " + others + ": see --server"));
}

}  // namespace messenger
