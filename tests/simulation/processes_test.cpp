// Processes of one node: receive, after, exit, spawn, register.
#include <gtest/gtest.h>

#include <nodelink/simulation/world.hpp>

using namespace nodelink;
using namespace std::chrono_literals;
using nodelink::simulation::host;
using nodelink::simulation::world;

namespace {

struct ping {
  int n;
  static std::optional<ping> match(const message& m) {
    return m.content.is_array() && m.content.size() == 2 && m.content[0] == "ping"
               ? std::optional(ping{m.content[1].get<int>()})
               : std::nullopt;
  }
};
struct pong {
  static std::optional<pong> match(const message& m) {
    return m.content == "pong" ? std::optional(pong{}) : std::nullopt;
  }
};

struct processes : testing::Test {
  world w;
  host& h = w.start("a@x");
  std::vector<std::string> seen;
  void say(const std::string& text) { seen.push_back(text); }
  pid spawn(auto body) {
    const pid p = h.node().spawn(std::move(body));
    h.run();
    return p;
  }
  void send(const pid& to, term t) {
    h.node().send(to, std::move(t));
    h.run();
  }
  std::string how_it_ended(const pid& p) {
    const auto prefix = "ended " + std::to_string(p.serial) + ": ";
    for (const auto& line : h.log)
      if (line.starts_with(prefix)) return line.substr(prefix.size());
    return "alive";
  }
  using lines = std::vector<std::string>;
};

}  // namespace

TEST_F(processes, receive_takes_messages_in_order) {
  const pid p = spawn([&](self me) -> process {
    for (;;) co_await me.receive([&](const message& m) { say(encode(m.content)); });
  });
  for (int i = 0; i < 3; ++i) send(p, i);
  EXPECT_EQ(seen, (lines{"0", "1", "2"}));
}

TEST_F(processes, receive_is_selective_and_keeps_what_does_not_match_in_order) {
  const pid p = spawn([&](self me) -> process {
    co_await me.receive([&](pong) { say("pong"); });
    for (;;) co_await me.receive([&](ping m) { say("ping " + std::to_string(m.n)); });
  });
  send(p, term::array({"ping", 1}));
  send(p, term::array({"ping", 2}));
  EXPECT_TRUE(seen.empty());
  send(p, "pong");
  EXPECT_EQ(seen, (lines{"pong", "ping 1", "ping 2"}));
}

TEST_F(processes, the_first_clause_that_matches_is_taken) {
  const pid p = spawn([&](self me) -> process {
    co_await me.receive([&](ping) { say("first"); }, [&](const message&) { say("second"); });
    co_await me.receive([&](const message&) { say("any"); }, [&](ping) { say("never"); });
  });
  send(p, term::array({"ping", 1}));
  send(p, term::array({"ping", 1}));
  EXPECT_EQ(seen, (lines{"first", "any"}));
}

TEST_F(processes, after_gives_up_at_its_time_and_not_before) {
  spawn([&](self me) -> process {
    co_await me.receive([&](pong) { say("pong"); }, after(5s, [&] { say("timed out"); }));
  });
  w.advance(5s - 1ns);
  EXPECT_TRUE(seen.empty());
  w.advance(1ns);
  EXPECT_EQ(seen, lines{"timed out"});
}

TEST_F(processes, a_match_before_the_time_cancels_it) {
  const pid p = spawn([&](self me) -> process {
    co_await me.receive([&](pong) { say("pong"); }, after(5s, [&] { say("timed out"); }));
    co_await me.receive([&](pong) { say("again"); });
  });
  w.advance(4999ms);
  send(p, "pong");
  w.advance(1h);
  EXPECT_EQ(seen, lines{"pong"});
}

TEST_F(processes, what_does_not_match_does_not_prolong_the_time) {
  const pid p =
      spawn([&](self me) -> process { co_await me.receive([&](pong) {}, after(5s, [&] { say("timed out"); })); });
  w.advance(4s);
  send(p, "nonsense");
  w.advance(1s);
  EXPECT_EQ(seen, lines{"timed out"});
}

TEST_F(processes, after_zero_looks_at_the_mailbox_only) {
  const pid p = spawn([&](self me) -> process {
    co_await me.receive([&](const message&) {});
    for (int i = 0; i < 2; ++i) co_await me.receive([&](pong) { say("pong"); }, after(0s, [&] { say("nothing"); }));
  });
  h.node().send(p, 1);
  h.node().send(p, "pong");
  h.run();
  EXPECT_EQ(seen, (lines{"pong", "nothing"}));
}

TEST_F(processes, the_wall_clock_does_not_touch_a_time_out) {
  spawn([&](self me) -> process { co_await me.receive(after(5s, [&] { say("timed out"); })); });
  w.jump_wall_clock(3'600'000ms);
  w.advance(4999ms);
  EXPECT_TRUE(seen.empty());
  w.jump_wall_clock(-7'200'000ms);
  w.advance(1ms);
  EXPECT_EQ(seen, lines{"timed out"});
}

TEST_F(processes, a_clause_may_wait_itself) {
  const pid p = spawn([&](self me) -> process {
    for (;;)
      co_await me.receive([&](ping m) -> process {
        say("ping " + std::to_string(m.n));
        co_await me.receive([&](pong) { say("pong"); });
        say("after " + std::to_string(m.n));
      });
  });
  send(p, term::array({"ping", 1}));
  send(p, term::array({"ping", 2}));
  send(p, "pong");
  EXPECT_EQ(seen, (lines{"ping 1", "pong", "after 1", "ping 2"}));
}

static process countdown(self me, int n) {
  if (n == 0) me.exit("bottom");
  co_await me.receive(after(0s, [] {}));
  co_await countdown(me, n - 1);
}

TEST_F(processes, exit_unwinds_through_every_function_it_is_in) {
  const pid p = spawn([](self me) -> process { co_await countdown(me, 100); });
  w.advance(1s);
  EXPECT_EQ(how_it_ended(p), "\"bottom\"");
}

TEST_F(processes, end_normally_when_they_return_and_with_error_when_they_throw) {
  const pid returned = spawn([](self) -> process { co_return; });
  const pid threw = spawn([](self me) -> process {
    co_await me.receive(after(1s, [] {}));
    throw std::runtime_error("boom");
  });
  const pid other = spawn([&](self me) -> process { co_await me.receive([&](pong) { say("alive"); }); });
  w.advance(1s);
  EXPECT_EQ(how_it_ended(returned), "\"normal\"");
  EXPECT_EQ(how_it_ended(threw), R"(["error","boom"])");
  send(other, "pong");  // the node goes on
  EXPECT_EQ(seen, lines{"alive"});
}

TEST_F(processes, a_hundred_thousand_messages_do_not_grow_the_stack) {
  int count = 0;
  const pid p = spawn([&](self me) -> process {
    co_await me.receive([](pong) {});
    for (;;)
      co_await me.receive([&](ping) -> process {
        ++count;
        co_return;
      });
  });
  for (int i = 0; i < 100'000; ++i) h.node().send(p, term::array({"ping", i}));
  send(p, "pong");
  w.advance(1s);
  EXPECT_EQ(count, 100'000);
}

TEST_F(processes, two_that_never_stop_talking_starve_nobody) {
  const pid echo = spawn([](self me) -> process {
    for (;;)
      co_await me.receive(
          [&](const message& m) { me.send(*parse_pid(m.content.get<std::string>()), to_string(me.pid())); });
  });
  spawn([=](self me) -> process {
    for (;;) {
      me.send(echo, to_string(me.pid()));
      co_await me.receive([](const message&) {});
    }
  });
  const pid third = h.node().spawn([&](self me) -> process { co_await me.receive([&](pong) { say("served"); }); });
  h.node().send(third, "pong");
  h.node().run();  // returns
  EXPECT_EQ(seen, lines{"served"});
  h.kill();
}

TEST_F(processes, are_found_by_the_name_they_are_registered_under_until_they_end) {
  const pid p = spawn([](self me) -> process { co_await me.receive([](pong) {}); });
  EXPECT_TRUE(h.node().register_name("pong", p));
  EXPECT_FALSE(h.node().register_name("pong", p));
  EXPECT_FALSE(h.node().register_name("other", p)) << "it has a name";
  EXPECT_EQ(h.node().whereis("pong"), p);
  EXPECT_FALSE(h.node().whereis("other"));
  h.node().send(registered{"pong", "a@x"}, "pong");
  h.run();
  EXPECT_FALSE(h.node().whereis("pong"));
  EXPECT_FALSE(h.node().register_name("pong", p)) << "it is no more";
}

TEST_F(processes, names_that_cannot_be_addressed_are_refused) {
  const pid p = spawn([](self me) -> process { co_await me.receive([](pong) {}); });
  for (const auto* bad : {"", "a/b", "+", "a b", "17-3"}) EXPECT_FALSE(h.node().register_name(bad, p)) << bad;
}

TEST_F(processes, a_message_to_nobody_is_lost) {
  send(pid{"a@x", h.node().creation(), 99}, "hello");
  h.node().send(registered{"nobody", "a@x"}, "hello");
  h.run();
}

TEST_F(processes, that_end_while_others_wait_for_them_are_gone_whole) {
  // What a body owns is released when it is killed in the middle of nested waits.
  auto token = std::make_shared<int>(1);
  const pid p = spawn([this, token](self me) -> process {
    const auto held = token;
    co_await me.receive([&](ping) -> process {
      const auto deeper = held;
      co_await me.receive([&](pong) { say(std::to_string(*deeper)); });
    });
  });
  send(p, term::array({"ping", 1}));
  spawn([&](self me) -> process {
    me.exit(p, "kill");
    co_return;
  });
  EXPECT_EQ(how_it_ended(p), "\"killed\"");
  EXPECT_EQ(token.use_count(), 1);
}
