// What sensors and their collector say to each other, and the two processes.
#pragma once

#include <iostream>

#include <nodelink/nodelink.hpp>

namespace fleet {

using namespace nodelink;
using namespace std::chrono_literals;

struct joining {};
NODELINK_MESSAGE(joining)
struct sample {
  sender from;
  std::uint64_t n;
  double value;
};
NODELINK_MESSAGE(sample, from, n, value)
struct tick {};
NODELINK_MESSAGE(tick)

// Asks where the collector is, links to it, and reports. If one of the two ends, the other is told.
inline process sensor(self me, std::string collector_node) {
  const auto asked = me.send_request(registered{"collector", collector_node}, joining{});
  const auto answer = co_await me.receive_response(asked);
  const auto collector = answer ? from_term<pid>(*answer) : std::nullopt;
  if (!collector) me.exit("no collector at " + collector_node);
  me.link(*collector);
  me.send_interval(1s, tick{});
  for (std::uint64_t n = 1;; ++n) {
    me.send(*collector, sample{me.pid(), n, 20 + static_cast<double>(n % 10) / 10});
    co_await me.receive([](const tick&) {});
  }
}

inline process collector(self me, std::ostream* out) {
  me.trap_exit(true);
  for (;;)
    co_await me.receive(
        [&](const call_request& r) {
          if (r.as<joining>()) me.reply(r, to_term(me.pid()));
        },
        [&](const sample& s) { *out << s.from.node << " " << s.n << ": " << s.value << std::endl; },
        [&](const exit_signal& e) {
          *out << "ALARM " << e.from.node << ": " << brief(e.reason) << ", " << to_string(e.why) << std::endl;
        });
}

}  // namespace fleet
