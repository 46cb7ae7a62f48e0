// Links and exit signals, on one node and between nodes.
#include <gtest/gtest.h>

#include <nodelink/simulation/world.hpp>
#include "core/node_core.hpp"

using namespace nodelink;
using namespace std::chrono_literals;
using nodelink::simulation::host;
using nodelink::simulation::world;

namespace {

struct links : testing::Test {
  world w;
  host& here = w.start("here@x");
  host& there = w.start("there@x");
  std::vector<std::string> exits;
  using lines = std::vector<std::string>;

  links() { w.advance(10ms); }

  // Waits for a message and returns; does not trap exits.
  static process waits(self me) {
    co_await me.receive([&](const message& m) {
      if (m.content[0] != "stop") me.exit(m.content[0]);
    });
  }
  // Links to others as told and notes the exits it traps.
  process traps(self me, std::vector<pid> others) {
    me.trap_exit(true);
    for (const auto& other : others) me.link(other);
    for (;;)
      co_await me.receive([this](const exit_signal& s) { exits.push_back(s.from.node + ": " + brief(s.reason)); });
  }
  pid spawn(host& h, auto body) {
    const pid p = h.node().spawn(std::move(body));
    h.run();
    return p;
  }
  pid watcher(host& h, std::vector<pid> others) {
    const pid p = spawn(h, [this, others](self me) { return traps(me, others); });
    w.advance(10ms);
    return p;
  }
  void send(host& from, const pid& to, const char* what) {
    from.node().send(to, term::array({what}));
    from.run();
    w.advance(10ms);
  }
  static bool alive(host& h, const pid& p) { return h.node().core().processes().find(p.serial) != nullptr; }
};

}  // namespace

TEST_F(links, an_end_reaches_the_other_side_once_with_its_reason) {
  for (host* home : {&here, &there}) {
    for (const char* reason : {"stop", "broken"}) {
      exits.clear();
      const pid p = spawn(*home, waits);
      watcher(here, {p, p});
      send(here, p, reason);
      w.advance(1min);
      EXPECT_EQ(exits, lines{home->node().name() + ": " + (std::string("stop") == reason ? "normal" : reason)});
    }
  }
}

TEST_F(links, a_normal_exit_is_ignored_by_who_does_not_trap_exits_and_any_other_kills) {
  for (host* home : {&here, &there}) {
    const pid p = spawn(*home, waits), q = spawn(*home, waits);
    const auto linked_to = [](pid other) {
      return [other](self me) -> process {
        me.link(other);
        co_await waits(me);
      };
    };
    const pid stays = spawn(here, linked_to(p)), dies = spawn(here, linked_to(q));
    w.advance(10ms);
    send(here, p, "stop");
    send(here, q, "broken");
    EXPECT_TRUE(alive(here, stays));
    EXPECT_FALSE(alive(here, dies));
  }
}

TEST_F(links, an_exit_goes_on_along_the_links_of_who_it_kills) {
  const pid first = spawn(there, waits);
  const pid second = spawn(here, [first](self me) -> process {
    me.link(first);
    co_await waits(me);
  });
  watcher(there, {second});
  send(here, first, "broken");
  EXPECT_EQ(exits, lines{"here@x: broken"});
}

TEST_F(links, to_a_process_that_is_no_more_give_noproc) {
  const pid local = spawn(here, waits), remote = spawn(there, waits);
  send(here, local, "stop");
  send(here, remote, "stop");
  watcher(here, {local, remote});
  EXPECT_EQ(exits, (lines{"here@x: noproc", "there@x: noproc"}));
}

TEST_F(links, to_a_dead_process_kill_who_does_not_trap_exits) {
  const pid remote = spawn(there, waits);
  send(here, remote, "stop");
  const pid p = spawn(here, [remote](self me) -> process {
    me.link(remote);
    co_await waits(me);
  });
  w.advance(10ms);
  EXPECT_FALSE(alive(here, p));
  EXPECT_EQ(here.log.back(), "ended " + std::to_string(p.serial) + R"(: "noproc")");
}

TEST_F(links, that_were_undone_give_nothing) {
  for (host* home : {&here, &there}) {
    const pid p = spawn(*home, waits);
    spawn(here, [this, p](self me) -> process {
      me.link(p);
      me.unlink(p);
      co_await traps(me, {});
    });
    w.advance(10ms);
    send(here, p, "broken");
    EXPECT_TRUE(exits.empty());
  }
}

TEST_F(links, kill_cannot_be_trapped_and_is_seen_as_killed) {
  const pid p = watcher(here, {});
  watcher(there, {p});
  spawn(here, [p](self me) -> process {
    me.exit(p, "kill");
    co_return;
  });
  w.advance(10ms);
  EXPECT_FALSE(alive(here, p));
  EXPECT_EQ(exits, lines{"here@x: killed"});
}

TEST_F(links, an_exit_sent_to_who_traps_exits_is_a_message) {
  const pid p = watcher(here, {});
  spawn(here, [p](self me) -> process {
    me.exit(p, "please");
    co_return;
  });
  EXPECT_EQ(exits, lines{"here@x: please"});
  EXPECT_TRUE(alive(here, p));
}

TEST_F(links, any_term_is_a_reason) {
  const pid p = spawn(
      there, [](self me) -> process { co_await me.receive([](const message&) { throw std::runtime_error("boom"); }); });
  watcher(here, {p});
  send(here, p, "go");
  EXPECT_EQ(exits, lines{R"(there@x: ["error","boom"])"});
}

TEST_F(links, messages_and_the_exit_after_them_arrive_in_order) {
  w.broker().jitter = 5ms;
  lines got;
  const pid sink = spawn(here, [&](self me) -> process {
    me.trap_exit(true);
    for (;;)
      co_await me.receive([&](const exit_signal& s) { got.push_back("exit " + brief(s.reason)); },
                          [&](const message& m) { got.push_back(encode(m.content)); });
  });
  spawn(there, [sink](self me) -> process {
    me.link(sink);
    for (int i = 0; i < 20; ++i) me.send(sink, term::array({i}));
    me.exit("done");
    co_return;
  });
  w.advance(1s);
  ASSERT_EQ(got.size(), 21U);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(got[i], "[" + std::to_string(i) + "]");
  EXPECT_EQ(got.back(), "exit done");
}

// 59: what is known of an end has its place behind what had been sent before, and before what was sent after.
TEST_F(links, an_end_that_is_known_is_behind_what_was_sent_before_and_before_what_was_sent_after) {
  lines got;
  // It waits for something else meanwhile.
  const pid busy = spawn(here, [&](self me) -> process {
    me.trap_exit(true);
    co_await me.receive([](const ping_answer&) {});
    for (;;)
      co_await me.receive([&](const exit_signal& s) { got.push_back("EXIT " + brief(s.reason)); },
                          [&](const message& m) {
                            got.push_back(m.content[1].get<std::string>());
                            me.link(*parse_pid(m.content[0].get<std::string>()));
                          });
  });
  here.node().register_name("busy", busy);
  const auto says = [](std::string what) {
    return [what](self me) -> process {
      me.expect_link({"busy", "here@x"});
      me.send(registered{"busy", "here@x"}, term::array({to_string(me.pid()), what}));
      co_await me.receive(after(1ms, [] {}));
      me.exit("over");
    };
  };
  spawn(there, says("one"));  // ends by itself
  w.advance(10ms);
  spawn(there, says("two"));
  w.advance(500us);
  there.restart();  // dies
  w.advance(10ms);
  spawn(there, says("three"));
  w.advance(500us);
  here.node().core().processes().deliver(*here.node().core().processes().find(busy.serial),
                                         {.from = "here@x", .local = true, .content = ping_answer::write("here@x")});
  here.run();
  EXPECT_EQ(got, (lines{"one", "EXIT over", "two", "EXIT noproc", "three"}));
}

// 65
TEST_F(links, each_who_monitors_a_node_hears_its_present_state_and_then_every_change) {
  std::vector<lines> heard(3);
  const auto monitor = [&](std::size_t i) {
    return [&heard, i](self me) -> process {
      me.monitor_node("there@x", true);
      for (;;)
        co_await me.receive([&heard, i](const node_event& e) {
          heard[i].push_back(e.is_up ? "up" : std::string("down: ") + to_string(e.why));
        });
    };
  };
  spawn(here, monitor(0));
  w.advance(10ms);
  spawn(here, monitor(1));
  w.advance(10ms);
  EXPECT_EQ(heard[0], lines{"up"});
  EXPECT_EQ(heard[1], lines{"up"});
  there.kill();
  w.advance(10ms);
  spawn(here, monitor(2));
  w.advance(10ms);
  EXPECT_EQ(heard[2], lines{"down: its node died"});
  there.restart();
  w.advance(10ms);
  there.node().stop();
  w.advance(10ms);
  w.broker().crash();
  w.advance(10ms);
  EXPECT_EQ(heard[2],
            (lines{"down: its node died", "up", "down: its node said so", "down: the own connection was lost"}));
  EXPECT_EQ(heard[0],
            (lines{"up", "down: its node died", "up", "down: its node said so", "down: the own connection was lost"}));
  EXPECT_EQ(heard[1], heard[0]);
}

// 66
TEST_F(links, what_stands_behind_an_exit_is_told) {
  lines why;
  const auto watches = [&](pid other) {
    return [&why, other](self me) -> process {
      me.trap_exit(true);
      me.link(other);
      co_await me.receive([&](const exit_signal& s) { why.push_back(brief(s.reason) + ", " + to_string(s.why)); });
    };
  };
  const auto sleeps = [](self me) -> process { co_await me.receive([](const exit_signal&) {}); };
  host& third = w.start("third@x");
  w.advance(10ms);
  spawn(here, watches(spawn(there, sleeps)));
  spawn(here, watches(spawn(third, sleeps)));
  w.advance(10ms);
  there.kill();
  w.advance(10ms);
  third.node().stop();
  w.advance(10ms);
  there.restart();
  w.advance(10ms);
  spawn(here, watches(spawn(there, sleeps)));
  w.advance(10ms);
  w.broker().crash();
  w.advance(10ms);
  EXPECT_EQ(why, (lines{"noconnection, its node died", "noconnection, its node said so",
                        "noconnection, the own connection was lost"}));
}
