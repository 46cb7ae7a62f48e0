#include "bench/in_memory.hpp"

#include <chrono>
#include <cstdio>
#include <stdexcept>

#include <nodelink/simulation/world.hpp>
#include "core/node_core.hpp"
#include "system/program.hpp"

namespace bench {
namespace {

using nodelink::message;
using nodelink::process;
using nodelink::self;
using std::chrono::steady_clock;

// Sends back what it gets, so many times.
process pong(self me, std::uint64_t times) {
  for (; times > 0; --times)
    co_await me.receive([&](const message& m) {
      if (const auto to = nodelink::parse_pid(m.content[0].get<std::string>()))
        me.send(*to, nodelink::term::array({to_string(me.pid()), "pong"}));
    });
}

process ping(self me, std::uint64_t times) {
  const auto other = me.node().spawn(pong, times);
  for (; times > 0; --times) {
    me.send(other, nodelink::term::array({to_string(me.pid()), "ping"}));
    co_await me.receive([](const message&) {});
  }
}

process ends_at_once(self) { co_return; }

// Links to processes that end, and sees each of their exits.
process linker(self me, std::uint64_t times) {
  me.trap_exit(true);
  for (; times > 0; --times) {
    me.spawn_link(ends_at_once);
    co_await me.receive([](const nodelink::exit_signal&) {});
  }
}

// How long one of so many takes.
double nanoseconds_each(process (*body)(self, std::uint64_t), std::uint64_t times, double parts) {
  nodelink::simulation::world w;
  auto& host = w.start("bench@memory");
  w.advance(std::chrono::seconds(1));
  host.node().spawn(body, times);
  const auto start = steady_clock::now();
  while (host.node().core().processes().count() > 0) host.node().run();
  return std::chrono::duration<double, std::nano>(steady_clock::now() - start).count() /
         (static_cast<double>(times) * parts);
}

}  // namespace

result in_memory(const scale& s) {
  using has_to_be = figure::has_to_be;
  const auto times = static_cast<std::uint64_t>(s.schedules) * 100;
  result r{14, "nodelink alone, in memory", {}};
  r.figures.push_back(
      {"ns a message between two processes", nanoseconds_each(ping, times, 2), 0, has_to_be::anything, ""});
  r.figures.push_back({"ns a spawn, link and exit", nanoseconds_each(linker, times, 1), 0, has_to_be::anything, ""});
  const auto start = steady_clock::now();
  testing_system::program chaos(BIN_FOLDER "/chaos", {"--schedules", std::to_string(s.schedules)});
  if (chaos.end(std::chrono::minutes(5)) != 0) throw std::runtime_error("chaos found a violation: " + chaos.errors());
  const auto rate = s.schedules / std::chrono::duration<double>(steady_clock::now() - start).count();
  r.figures.push_back({"simulated schedules a second, on one core", rate, 0, has_to_be::anything, ""});
  return r;
}

}  // namespace bench
