// What sensors say to their collector, and the two processes.
#pragma once

#include <functional>
#include <iostream>
#include <set>

#include <nodelink/nodelink.hpp>

using namespace nodelink;
using namespace std::chrono_literals;

struct sample {
  sender from;
  std::uint64_t n;
  double value;
};
NODELINK_MESSAGE(sample, from, n, value)

// A sample a second. What it reads while there is no connection is sent later; if it cannot read, it crashes.
inline process sensor(self me, std::string collector_node, std::function<double()> read) {
  me.keep_offline(10min);
  for (std::uint64_t n = 1;; ++n) {
    me.send(registered{"collector", collector_node}, sample{me.pid(), n, read()});
    co_await me.receive(after(1s, [] {}));
  }
}

// Starts one, and starts it again a second after it has crashed, and later each time.
inline void start_sensor(node& where, std::string collector_node, std::function<double()> read) {
  const auto start = [=](self me) { return sensor(me, collector_node, read); };
  where.spawn(supervisor, supervisor_flags{.intensity = supervisor_flags::unlimited, .wait = backoff(1s, 30s)},
              std::vector<child_spec>{{.start = start, .name = "sensor"}});
}

// Prints what the sensors say, and an alarm when one of them is gone.
inline process collector(self me, std::ostream* out) {
  std::set<pid> known;
  for (;;)
    co_await me.receive(
        [&](const sample& s) {
          if (known.insert(s.from).second) me.monitor(s.from);
          *out << s.from.node << " " << s.n << ": " << s.value << std::endl;
        },
        [&](const process_down& d) {
          known.erase(d.process);
          *out << "ALARM " << d.process.node << ": " << brief(d.reason) << ", " << to_string(d.why) << std::endl;
        });
}
