// Monitors: who wants to know of an end, and is not to share it.
#include <gtest/gtest.h>

#include <nodelink/simulation/world.hpp>
#include "core/node_core.hpp"

using namespace nodelink;
using namespace std::chrono_literals;
using nodelink::simulation::host;
using nodelink::simulation::world;

namespace {

struct monitors : testing::Test {
  using lines = std::vector<std::string>;
  world w;
  host& here = w.start("here@x");
  host& there = w.start("there@x");
  lines downs;

  void SetUp() override { w.advance(10ms); }

  pid spawn(host& h, auto body) {
    const pid p = h.node().spawn(std::move(body));
    h.run();
    return p;
  }
  // Ends with what it is told to end with.
  static process waits(self me) {
    co_await me.receive([&](const message& m) {
      if (m.content[0] != "stop") me.exit(m.content[0]);
    });
  }
  pid spawn_named(host& h, const std::string& name) {
    const pid p = spawn(h, waits);
    EXPECT_TRUE(h.node().register_name(name, p));
    return p;
  }
  void hear(const process_down& d) {
    downs.push_back(d.process.node + ": " + brief(d.reason) + ", " + to_string(d.why));
  }
  // Monitors this, and ends when it is told to.
  pid watch(host& h, auto other) {
    const pid p = spawn(h, [this, other](self me) -> process {
      me.monitor(other);
      for (;;)
        co_await me.receive([this](const process_down& d) { hear(d); },
                            [&](const message& m) { me.exit(m.content[0]); });
    });
    w.advance(10ms);
    return p;
  }
  void send(host& from, const pid& to, const char* what) {
    from.node().send(to, term::array({what}));
    from.run();
    w.advance(10ms);
  }
  static process_state* state_of(host& h, const pid& p) { return h.node().core().processes().find(p.serial); }
  // Loses the next message of this kind that goes through the broker.
  void lose(const char* signal) {
    w.broker().loses = [signal, lost = false](const publication& p) mutable {
      return !lost && p.payload.starts_with(std::string("[\"") + signal) && (lost = true);
    };
  }
};

}  // namespace

TEST_F(monitors, an_end_is_told_once_to_each_with_its_reason_and_the_pid) {
  for (host* home : {&here, &there}) {
    for (const char* reason : {"stop", "broken"}) {
      downs.clear();
      const pid p = spawn_named(*home, "target");
      pid seen, seen_by_name;
      spawn(here, [&, p](self me) -> process {
        const auto one = me.monitor(p);
        const auto other = me.monitor(registered{"target", home->name()});
        EXPECT_NE(one, other);
        for (;;)
          co_await me.receive([&](const process_down& d) {
            hear(d);
            (d.reference == one ? seen : seen_by_name) = d.process;
          });
      });
      w.advance(10ms);
      send(here, p, reason);
      w.advance(10min);
      const std::string line = home->name() + ": " + (std::string("stop") == reason ? "normal" : reason) + ", it ended";
      EXPECT_EQ(downs, (lines{line, line}));
      EXPECT_EQ(seen, p);
      EXPECT_EQ(seen_by_name, p);
    }
  }
}

TEST_F(monitors, whoever_is_monitored_hears_nothing_of_the_other_side) {
  for (host* home : {&here, &there}) {
    const pid p = spawn(*home, waits);
    const pid watcher = watch(here, p);
    send(here, watcher, "crash");
    EXPECT_EQ(state_of(here, watcher), nullptr);
    EXPECT_NE(state_of(*home, p), nullptr);
    EXPECT_TRUE(state_of(*home, p)->links.empty() && state_of(*home, p)->monitored_by.empty());
  }
  const pid p = spawn(there, waits);
  for (const auto& end : std::vector<std::function<void()>>{[&] { here.restart(); }, [&] { here.node().stop(); },
                                                            [&] { here.kill_without_will(); }}) {
    watch(here, p);
    EXPECT_EQ(state_of(there, p)->monitored_by.size(), 1U);
    end();
    w.advance(3min);
    ASSERT_NE(state_of(there, p), nullptr);
    EXPECT_TRUE(state_of(there, p)->monitored_by.empty());
    here.restart();
    w.advance(10ms);
  }
}

TEST_F(monitors, of_what_is_not_there_tell_noproc) {
  const pid local = spawn(here, waits), remote = spawn(there, waits);
  send(here, local, "stop");
  send(here, remote, "stop");
  watch(here, local);
  watch(here, remote);
  watch(here, registered{"nobody", "here@x"});
  watch(here, registered{"nobody", "there@x"});
  EXPECT_EQ(downs, (lines{"here@x: noproc, it ended", "there@x: noproc, it ended", "here@x: noproc, it ended",
                          "there@x: noproc, it ended"}));
}

TEST_F(monitors, of_a_node_that_was_never_there_tell_noconnection) {
  watch(here, registered{"server", "nowhere@x"});
  watch(here, pid{"nowhere@x", 1, 1});
  w.advance(75s);
  EXPECT_EQ(downs, (lines{"nowhere@x: noconnection, its node did not answer",
                          "nowhere@x: noconnection, its node did not answer"}));
}

TEST_F(monitors, that_were_undone_tell_nothing) {
  for (host* home : {&here, &there}) {
    const pid p = spawn_named(*home, "target");
    spawn(here, [&, p](self me) -> process {
      const auto by_pid = me.monitor(p), by_name = me.monitor(registered{"target", home->name()});
      me.demonitor(by_pid);
      me.demonitor(by_name);
      const auto later = me.monitor(p), known = me.monitor(registered{"target", home->name()});
      co_await me.receive(after(1s, [] {}));
      me.demonitor(known);
      me.send(p, term::array({"broken"}));
      co_await me.receive(after(1s, [] {}));
      me.demonitor(later);  // it has been told already: not any more
      for (;;) co_await me.receive([this](const process_down& d) { hear(d); });
    });
    w.advance(10min);
    EXPECT_EQ(state_of(*home, p), nullptr);
    EXPECT_EQ(downs, lines{});
  }
}

TEST_F(monitors, say_what_stands_behind_the_end) {
  const auto begin = [&] {
    downs.clear();
    there.restart();
    w.advance(10ms);
    watch(here, spawn_named(there, "target"));
    watch(here, registered{"target", "there@x"});
  };
  const auto twice = [](const std::string& line) { return lines{line, line}; };
  begin();
  there.kill();
  w.advance(10ms);
  EXPECT_EQ(downs, twice("there@x: noconnection, its node died"));
  begin();
  there.node().stop();
  w.advance(10ms);
  EXPECT_EQ(downs, twice("there@x: noconnection, its node said so"));
  begin();
  there.cut();
  w.advance(75s);
  EXPECT_EQ(downs, twice("there@x: noconnection, its node did not answer"));
  there.heal();
  begin();
  w.broker().crash();
  w.advance(10ms);
  EXPECT_EQ(downs, twice("there@x: noconnection, the own connection was lost"));
  downs.clear();
  watch(here, registered{"target", "there@x"});
  EXPECT_EQ(downs, lines{"there@x: noconnection, the own connection was lost"});
}

TEST_F(monitors, of_a_node_that_is_known_to_be_down_tell_so_at_once) {
  watch(here, registered{"target", "there@x"});
  there.kill();
  w.advance(1s);
  downs.clear();
  watch(here, registered{"target", "there@x"});
  EXPECT_EQ(downs, lines{"there@x: noconnection, its node died"});
}

TEST_F(monitors, of_what_the_broker_has_lost_are_found_by_the_tick) {
  for (const char* lost : {"MONITOR", "EXIT"}) {
    downs.clear();
    lose(lost);
    const pid p = spawn(there, waits);
    watch(here, p);
    send(here, p, "broken");
    EXPECT_EQ(downs, lines{}) << lost;
    w.advance(75s);
    EXPECT_EQ(downs.size(), 1U) << lost;
  }
  for (const char* lost : {"MONITOR", "LINK", "EXIT"}) {
    downs.clear();
    const pid p = spawn_named(there, "target");
    lose(lost);
    watch(here, registered{"target", "there@x"});
    send(here, p, "broken");
    // The end itself says what the LINK would have.
    EXPECT_EQ(downs.size(), std::string("LINK") == lost ? 1U : 0U) << lost;
    w.advance(75s);
    EXPECT_EQ(downs.size(), 1U) << lost;
  }
}

// The other side's question finds a LINK that was lost.
TEST_F(monitors, by_name_whose_answer_was_lost_hold_when_the_other_side_asks_first) {
  host& first = w.start("a@x");  // asks earlier than here@x
  w.advance(10ms);
  const pid p = spawn_named(first, "target");
  lose("LINK");
  watch(here, registered{"target", "a@x"});
  w.advance(2min);
  EXPECT_EQ(downs, lines{});
  send(here, p, "broken");
  EXPECT_EQ(downs, lines{"a@x: broken, it ended"});
}

TEST_F(monitors, believe_nobody_else) {
  host& other = w.start("other@x");
  w.advance(10ms);
  const pid p = spawn_named(there, "target");
  const pid watcher = watch(here, p);
  const pid monitor = here.node().core().pid_of(*state_of(here, watcher)->monitors.begin());
  const auto say = [&](host& from, const pid& as, const char* signal) {
    term content = term::array({signal, to_string(as)});
    if (std::string("EXIT") == signal) content.push_back("lie");
    w.broker().publish({.topic = "nodelink/1/test/to/here@x/" + std::to_string(monitor.creation) + "-" +
                                 std::to_string(monitor.serial) + "/from/" + from.name(),
                        .payload = encode(content)});
    w.advance(10ms);
  };
  const pid liar = spawn(other, waits);
  const pid neighbour = spawn(there, waits);
  say(other, liar, "EXIT");
  say(other, liar, "LINK");
  say(other, liar, "MONITOR");
  say(there, neighbour, "EXIT");
  say(there, neighbour, "LINK");
  send(there, monitor, "a message");
  EXPECT_EQ(downs, lines{});
  send(here, liar, "stop");
  send(here, neighbour, "stop");
  EXPECT_EQ(downs, lines{});
  send(here, p, "broken");
  EXPECT_EQ(downs, lines{"there@x: broken, it ended"});
}

TEST_F(monitors, and_links_beyond_what_a_node_accepts_of_another_say_so_at_once) {
  w.broker().max_queued = 10'000;
  // What arrives twice is no other.
  w.broker().repeats = [](const publication& p) { return p.payload.find("here@x") != std::string::npos; };
  const pid p = spawn(there, waits);
  spawn(here, [&, p](self me) -> process {
    me.trap_exit(true);
    for (int i = 0; i < 1'001; ++i) me.monitor(p);
    me.link(p);
    for (;;)
      co_await me.receive([&](const process_down& d) { hear(d); },
                          [&](const exit_signal& e) { downs.push_back("EXIT " + brief(e.reason)); });
  });
  w.advance(3min);
  EXPECT_EQ(downs, (lines{"there@x: system_limit, it ended", "EXIT system_limit"}));
  send(here, p, "broken");
  EXPECT_EQ(downs.size(), 1'002U);
}

TEST_F(monitors, hear_of_an_end_whose_reason_is_too_much_for_the_wire) {
  const auto ends_with = [&](term reason) {
    downs.clear();
    const pid p = spawn(there, [reason](self me) -> process {
      co_await me.receive([](const message&) {});
      me.exit(reason);
    });
    watch(here, p);
    send(here, p, "go");
    return downs.size() == 1 ? downs[0].substr(0, 20) : "";
  };
  EXPECT_EQ(ends_with(std::string(70'000, 'x')), R"(there@x: "xxxxxxxxxx)");
  term deep = 1;
  for (int i = 0; i < 40; ++i) deep = term::array({deep});
  EXPECT_EQ(ends_with(deep), R"(there@x: "[[[[[[[[[[)");
}

// Whatever happens to the two nodes and to what they say: each monitor tells once, in time.
TEST(monitors_by_chance, each_tells_once_in_time_what_it_has_to) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    world w(seed);
    host& here = w.start("here@x");
    host& there = w.start("there@x");
    w.broker().jitter = 2ms;
    w.broker().loses = [&](const publication& p) { return p.payload.front() == '[' && w.random() % 20 == 0; };
    w.advance(100ms);
    struct one {
      bool by_name;
      int downs = 0;
    };
    std::vector<std::unique_ptr<one>> all;
    const auto target = [&] {
      const pid p = there.node().spawn([](self me) -> process { co_await me.receive([](const message&) {}); });
      there.node().register_name("target", p);
      there.run();
      return p;
    };
    pid present = target();
    for (int step = 0; step < 20; ++step) {
      switch (w.random() % 4) {
        case 0: there.restart(); break;
        case 1: there.node().send(present, term::array({"stop"})), there.run(); break;
        default: break;
      }
      w.advance(std::chrono::milliseconds(w.random() % 200));
      if (w.random() % 2) present = target();
      all.push_back(std::make_unique<one>(one{w.random() % 2 == 0}));
      here.node().spawn([mine = all.back().get(), present](self me) -> process {
        if (mine->by_name)
          me.monitor(registered{"target", "there@x"});
        else
          me.monitor(present);
        for (;;) co_await me.receive([mine](const process_down&) { ++mine->downs; });
      });
      here.run();
      w.advance(std::chrono::milliseconds(w.random() % 20));
    }
    w.broker().loses = nullptr;
    there.node().stop();
    w.advance(3min);
    for (const auto& m : all) EXPECT_EQ(m->downs, 1) << "seed " << seed << (m->by_name ? ", by name" : "");
    EXPECT_EQ(here.node().core().processes().count(), all.size()) << "seed " << seed;
  }
}
