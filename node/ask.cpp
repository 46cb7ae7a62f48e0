#include "node/ask.hpp"

#include <nodelink/node.hpp>

namespace messenger {

using namespace std::chrono_literals;
using nodelink::after;

constexpr auto longest_answer = 2s;
// Mosquitto sends what is retained before what is published later; another broker may take a moment.
constexpr auto other_brokers_order = 100ms;

nodelink::process ask(nodelink::self me, std::string node, std::function<void(bool is_there)> answer) {
  me.hear_only(me.node().name());
  while (!me.node().is_up()) co_await me.receive(after(5ms, [] {}));
  me.monitor_node(node, true);
  me.ping(node);
  me.ping(me.node().name());
  bool is_there = false;
  auto until = me.now() + longest_answer;
  while (!is_there && me.now() < until)
    co_await me.receive(
        [&](const nodelink::ping_answer& a) {
          is_there = a.node == node;
          if (!is_there && me.node().is_up(node) != true)
            until = std::min<nodelink::instant>(until, me.now() + other_brokers_order);
        },
        [&](const nodelink::node_event& e) {
          if (e.is_up) until = me.now() + longest_answer;
        },
        after(until - me.now(), [] {}));
  answer(is_there);
}

}  // namespace messenger
