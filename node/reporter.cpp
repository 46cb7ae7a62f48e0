#include "node/reporter.hpp"

#include <nodelink/node.hpp>
#include "protocol/summary.hpp"

namespace messenger {

using nodelink::self;
using namespace std::chrono_literals;

constexpr nodelink::duration between_pings = 5s;
constexpr int pings_a_summary = 2;

nodelink::process reporter(self me, std::shared_ptr<statistics> counted, std::function<figures()> all_figures) {
  const auto own = me.node().name();
  me.hear_only(own);
  me.monitor_node(own, true);
  std::optional<nodelink::instant> asked;
  const auto ask = [&] {
    if (!me.node().is_up()) return;
    asked = me.now();
    me.ping(own);
  };
  const auto say = [&] {
    if (!me.node().is_up()) return;
    const auto creation = me.pid().creation;
    me.set_state(summary_state, summary{own, creation, me.node().env().unix_time_ms(), to_term(all_figures())}.write());
  };
  nodelink::instant next = me.now();
  for (int round = 0;;) {
    co_await me.receive(
        [&](const nodelink::node_event& e) {
          asked.reset();
          if (!e.is_up) return;
          round = 0;
          next = me.now();
        },
        [&](const nodelink::ping_answer&) {
          if (asked) counted->round_trip.observe(std::chrono::duration<double>(me.now() - *asked).count());
          asked.reset();
        },
        [](const nodelink::message&) {}, nodelink::after(std::max<nodelink::duration>(next - me.now(), {}), [&] {
          next = me.now() + between_pings;
          if (round++ % pings_a_summary == 0) say();
          ask();
        }));
  }
}

}  // namespace messenger
