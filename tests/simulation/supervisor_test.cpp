// Supervisors, and what stands on them: the server that is started again, the client that logs on again.
#include "messenger_world.hpp"

using namespace nodelink::simulation;
using nodelink::child_spec;
using nodelink::exit_signal;
using nodelink::message;
using nodelink::pid;
using nodelink::process;
using nodelink::self;
using nodelink::supervisor_flags;
using nodelink::term;

namespace {

struct supervisors : testing::Test {
  world w;
  host& h = w.start("a@x");
  std::vector<duration> starts;
  pid supervisor;

  // Waits for how it is to end.
  process worker(self me) {
    starts.push_back(me.now().time_since_epoch());
    co_await me.receive([&](const message& m) {
      if (m.content == "throw") throw std::runtime_error("boom");
      me.exit(m.content);
    });
  }
  child_spec spec(const std::string& name, nodelink::restart restart = nodelink::permanent) {
    return {[this](self me) { return worker(me); }, name, restart};
  }
  void supervise(supervisor_flags flags, std::vector<child_spec> children) {
    supervisor = h.node().spawn(nodelink::supervisor, std::move(flags), std::move(children));
    h.run();
  }
  void end(const std::string& name, term how) {
    h.node().send_local(name, std::move(how));
    h.run();
  }
  std::string how_it_ended(const pid& p) {
    for (const auto& line : h.log)
      if (const auto prefix = "ended " + std::to_string(p.serial) + ": "; line.starts_with(prefix))
        return line.substr(prefix.size());
    return "alive";
  }
};

}  // namespace

TEST_F(supervisors, start_a_child_that_crashed_again_and_leave_the_others_alone) {
  supervise({}, {spec("one"), spec("two")});
  const auto two = h.node().whereis("two");
  const auto one = h.node().whereis("one");
  ASSERT_TRUE(one && two);
  end("one", "throw");
  EXPECT_EQ(how_it_ended(*one), R"(["error","boom"])");
  EXPECT_EQ(h.node().whereis("two"), two);
  ASSERT_TRUE(h.node().whereis("one"));
  EXPECT_NE(h.node().whereis("one"), one);
  EXPECT_EQ(starts.size(), 3U);
}

TEST_F(supervisors, end_with_their_children_after_more_than_intensity_restarts_within_the_period) {
  supervise({.intensity = 2, .period = 10s}, {spec("one"), spec("two")});
  for (int i = 0; i < 2; ++i) end("one", "crash");
  w.advance(10s + 1ns);  // those are forgotten
  for (int i = 0; i < 2; ++i) end("two", "crash");
  EXPECT_EQ(how_it_ended(supervisor), "alive");
  w.advance(10s);  // just not
  const auto one = *h.node().whereis("one");
  end("two", "crash");
  EXPECT_EQ(how_it_ended(supervisor), R"("shutdown")");
  EXPECT_EQ(how_it_ended(one), R"("shutdown")");
  EXPECT_FALSE(h.node().whereis("one") || h.node().whereis("two"));
}

TEST_F(supervisors, start_a_transient_child_again_unless_it_ended_well_and_end_when_none_is_left) {
  supervise({.intensity = 5}, {spec("one", nodelink::transient), spec("two", nodelink::transient)});
  end("one", "crash");
  EXPECT_TRUE(h.node().whereis("one"));
  end("one", "normal");
  EXPECT_FALSE(h.node().whereis("one"));
  EXPECT_EQ(how_it_ended(supervisor), "alive");
  end("two", "shutdown");
  EXPECT_EQ(how_it_ended(supervisor), R"("normal")");
}

TEST_F(supervisors, a_permanent_child_is_started_again_however_it_ended) {
  supervise({.intensity = 5}, {spec("one")});
  end("one", "normal");
  EXPECT_TRUE(h.node().whereis("one"));
}

TEST_F(supervisors, can_wait_longer_and_longer_and_begin_anew_after_a_child_that_lived) {
  supervise({.intensity = supervisor_flags::unlimited, .period = 30s, .wait = nodelink::backoff(1s, 30s)},
            {spec("one")});
  for (int i = 0; i < 8; ++i) {
    end("one", "crash");
    EXPECT_FALSE(h.node().whereis("one"));
    w.advance(30s);
    // It may have lived for up to 29 s by now, and never for 30.
    ASSERT_TRUE(h.node().whereis("one"));
  }
  ASSERT_EQ(starts.size(), 9U);
  w.advance(30s);
  end("one", "crash");
  w.advance(2s);
  EXPECT_TRUE(h.node().whereis("one")) << "the first wait is 1 to 2 s";
}

TEST_F(supervisors, end_with_the_process_that_they_are_linked_to) {
  const pid parent = h.node().spawn([&](self me) -> process {
    supervisor = me.spawn_link(nodelink::supervisor, supervisor_flags{}, std::vector{spec("one")});
    co_await me.receive([](const message&) {});
    me.exit("enough");
  });
  h.run();
  const auto one = *h.node().whereis("one");
  h.node().send(parent, "go");
  h.run();
  EXPECT_EQ(how_it_ended(supervisor), R"("enough")");
  EXPECT_EQ(how_it_ended(one), R"("shutdown")");
}

TEST_F(supervisors, take_their_children_with_them) {
  supervise({}, {spec("one")});
  const auto one = *h.node().whereis("one");
  h.node().register_name("sup", supervisor);
  h.node().stop_process("sup", "killed");
  h.run();
  EXPECT_EQ(how_it_ended(one), R"("killed")");
}

TEST_F(supervisors, one_for_all_ends_every_child_the_last_first_and_starts_all_in_order) {
  supervise({.strategy = nodelink::strategy::one_for_all, .intensity = 5}, {spec("one"), spec("two"), spec("three")});
  const auto one = *h.node().whereis("one"), two = *h.node().whereis("two"), three = *h.node().whereis("three");
  h.log.clear();
  end("two", "crash");
  EXPECT_EQ(h.log, (std::vector<std::string>{"ended " + std::to_string(two.serial) + R"(: "crash")",
                                             "ended " + std::to_string(three.serial) + R"(: "shutdown")",
                                             "ended " + std::to_string(one.serial) + R"(: "shutdown")"}));
  ASSERT_TRUE(h.node().whereis("one") && h.node().whereis("two") && h.node().whereis("three"));
  EXPECT_LT(h.node().whereis("one")->serial, h.node().whereis("two")->serial);
  EXPECT_LT(h.node().whereis("two")->serial, h.node().whereis("three")->serial);
  EXPECT_EQ(starts.size(), 6U);
}

TEST_F(supervisors, rest_for_one_starts_those_again_that_came_after_it) {
  supervise({.strategy = nodelink::strategy::rest_for_one, .intensity = 5}, {spec("one"), spec("two"), spec("three")});
  const auto one = h.node().whereis("one");
  const auto two = *h.node().whereis("two"), three = *h.node().whereis("three");
  end("two", "crash");
  EXPECT_EQ(h.node().whereis("one"), one);
  EXPECT_EQ(how_it_ended(three), R"("shutdown")");
  ASSERT_TRUE(h.node().whereis("two") && h.node().whereis("three"));
  EXPECT_NE(*h.node().whereis("two"), two);
  EXPECT_EQ(starts.size(), 5U);
}

// OTP does the same.
TEST_F(supervisors,
       one_for_all_starts_also_a_transient_child_that_had_ended_well_but_none_that_is_never_started_again) {
  supervise({.strategy = nodelink::strategy::one_for_all, .intensity = 5},
            {spec("one", nodelink::transient), spec("two"), spec("three", [](const term&) { return false; })});
  end("one", "normal");
  end("three", "crash");
  EXPECT_FALSE(h.node().whereis("one"));
  end("two", "crash");
  EXPECT_TRUE(h.node().whereis("one"));
  EXPECT_TRUE(h.node().whereis("two"));
  EXPECT_FALSE(h.node().whereis("three"));
}

TEST_F(supervisors, end_all_their_children_when_one_cannot_be_started_again) {
  std::function<process(self)> none;  // throws when it is called, before there is a coroutine
  supervise({.intensity = 1}, {spec("one"), {none, "two"}});
  h.run();
  w.advance(1s);
  EXPECT_FALSE(h.node().whereis("one"));
  EXPECT_FALSE(h.node().whereis("two"));
}

TEST_F(supervisors, kill_a_child_that_does_not_end_in_time_when_it_is_told_to) {
  std::vector<std::string> told;
  child_spec stubborn{[&](self me) -> process {
                        me.trap_exit(true);
                        for (;;)
                          co_await me.receive([&](const exit_signal& s) { told.push_back(nodelink::brief(s.reason)); });
                      },
                      "stubborn"};
  stubborn.shutdown = 2s;
  supervise({.strategy = nodelink::strategy::one_for_all, .intensity = 5}, {stubborn, spec("one")});
  const auto old = *h.node().whereis("stubborn");
  end("one", "crash");
  EXPECT_EQ(told, std::vector<std::string>{"shutdown"});
  w.advance(2s - 1ns);
  EXPECT_EQ(how_it_ended(old), "alive");
  EXPECT_FALSE(h.node().whereis("one"));
  w.advance(1ns);
  EXPECT_EQ(how_it_ended(old), R"("killed")");
  EXPECT_TRUE(h.node().whereis("stubborn") && h.node().whereis("one"));
}

TEST_F(supervisors, look_at_what_else_ended_while_a_child_takes_its_time) {
  child_spec slow{[&](self me) -> process {
                    me.trap_exit(true);
                    co_await me.receive([](const exit_signal&) {});
                    co_await me.receive(nodelink::after(1s, [] {}));
                  },
                  "slow"};
  for (const auto how : {nodelink::strategy::rest_for_one, nodelink::strategy::one_for_all}) {
    supervise({.strategy = how, .intensity = 5}, {spec("one"), spec("two"), slow});
    const auto one = *h.node().whereis("one"), two = *h.node().whereis("two");
    end("two", "crash");  // the slow one is told to end
    end("one", "crash");
    EXPECT_FALSE(h.node().whereis("one"));
    w.advance(5s);
    ASSERT_TRUE(h.node().whereis("one") && h.node().whereis("two") && h.node().whereis("slow"));
    EXPECT_NE(*h.node().whereis("one"), one);
    EXPECT_NE(*h.node().whereis("two"), two);
    h.node().register_name("sup", supervisor);
    h.node().stop_process("sup", "enough");
    h.run();
    w.advance(5s);
  }
}

struct supervised_messenger : messenger_world {
  user& add_rejoining(const std::string& name) {
    user& u = add_user(name + "@" + name + "-host");
    u.rejoin();
    u.type("/logon " + name);
    advance(10ms);
    EXPECT_EQ(u.seen(), lines{"logged_on"});
    return u;
  }
};

TEST_F(supervised_messenger, a_server_that_crashes_is_started_again_and_its_users_can_log_on_anew) {
  user& peter = logged_on("peter");
  server().node().stop_process("messenger", nodelink::reason::error("boom"));
  server().run();
  advance(10ms);
  EXPECT_EQ(peter.seen(), lines{R"(exit: ["error","boom"])"});
  peter.type("/logon peter");
  peter.type("/message peter back");
  advance(10ms);
  EXPECT_EQ(peter.seen(), (lines{"logged_on", "sent", R"(Message from peter: "back")"}));
}

TEST_F(supervised_messenger, a_server_that_crashes_three_times_in_a_minute_is_given_up) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(server().node().whereis(messenger::supervisor_name));
    server().node().stop_process("messenger", "boom");
    server().run();
  }
  EXPECT_FALSE(server().node().whereis(messenger::supervisor_name));
}

TEST_F(supervised_messenger, who_rejoins_is_on_again_after_the_server_came_back) {
  user& peter = add_rejoining("peter");
  server().kill();
  advance(29s);  // it waits for the server's nodeup, and asks nobody who is down
  EXPECT_EQ(peter.seen(), (lines{"exit: noconnection", "! rejoining"}));
  boot_server();
  advance(500ms);
  EXPECT_EQ(peter.seen(), lines{"logged_on"});
  peter.type("/message peter hello");
  advance(10ms);
  EXPECT_EQ(peter.seen(), (lines{"sent", R"(Message from peter: "hello")"}));
}

TEST_F(supervised_messenger, who_rejoins_is_on_again_after_the_broker_came_back) {
  user& peter = add_rejoining("peter");
  broker().crash();
  advance(10s);
  peter.type("/message peter x");
  advance(10ms);
  EXPECT_EQ(peter.seen(), (lines{"exit: noconnection", "! rejoining", "not_logged_on"}));
  broker().restart();
  advance(60s);
  EXPECT_EQ(peter.seen().back(), "logged_on");
}

TEST_F(supervised_messenger, who_rejoins_is_on_again_after_the_server_process_crashed) {
  user& peter = add_rejoining("peter");
  server().node().stop_process("messenger", nodelink::reason::error("boom"));
  server().run();
  advance(5s);
  const auto seen = peter.seen();
  EXPECT_EQ(seen.front(), R"(exit: ["error","boom"])");
  EXPECT_EQ(seen.back(), "logged_on");
}

TEST_F(supervised_messenger, a_logoff_ends_rejoining_while_it_waits_for_a_reply_too) {
  user& peter = add_rejoining("peter");
  server().kill();
  advance(3s);  // in the middle of a try
  peter.type("/logoff");
  advance(10s);
  auto seen = peter.seen();
  EXPECT_EQ(seen.back(), "logged_off");
  boot_server();
  advance(5min);
  EXPECT_EQ(peter.seen(), lines{});
  peter.type("/logon peter");
  advance(10ms);
  EXPECT_EQ(peter.seen(), lines{"logged_on"});
}

TEST_F(supervised_messenger, who_rejoins_stops_when_the_name_is_taken_and_when_asked_to) {
  user& peter = add_rejoining("peter");
  user& fred = add_rejoining("fred");
  user& other = add_user("other@host");
  server().kill();
  advance(10ms);
  fred.type("/logoff");
  boot_server();
  advance(10ms);
  other.type("/logon peter");
  advance(2min);
  EXPECT_EQ(other.seen(), lines{"logged_on"});
  EXPECT_EQ(peter.seen().back(), "user_exists_at_other_node");
  EXPECT_EQ(fred.seen().back(), "logged_off");
  other.type("/logoff");
  advance(2min);
  EXPECT_EQ(peter.seen(), lines{}) << "the name is free, and nobody tries any more";
}

TEST_F(supervised_messenger, a_server_that_is_merely_slow_does_not_refuse_who_rejoins) {
  user& peter = add_user("peter@host");
  peter.rejoin();
  server().freeze();
  peter.type("/logon peter");
  advance(20s);
  server().thaw();
  advance(40s);
  auto seen = peter.seen();
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "user_exists_at_other_node"), 0);
  EXPECT_EQ(seen.back(), "logged_on");
}

TEST_F(supervised_messenger, a_logon_that_is_typed_while_a_try_is_under_way_takes_its_place) {
  user& peter = add_user("peter@host");
  peter.rejoin();
  for (const std::string name : {"fred", "peter"}) {
    server().freeze();
    peter.type("/logon peter");
    advance(8s);  // in the middle of the second try
    EXPECT_EQ(peter.seen(), (lines{"No response from server", "! node messenger@super is up, but does not answer"}));
    peter.type("/logon " + name);
    advance(1s);
    EXPECT_EQ(peter.seen(), lines{});
    server().thaw();
    advance(40s);
    EXPECT_EQ(peter.seen().back(), "logged_on");
    peter.type("/users");
    peter.type("/logoff");
    advance(1s);
    EXPECT_EQ(peter.seen(), (lines{"users: " + name, "logged_off"}));
  }
}

TEST_F(supervised_messenger, without_rejoin_nobody_logs_on_by_himself) {
  user& peter = logged_on("peter");
  server().kill();
  advance(1s);
  boot_server();
  advance(5min);
  EXPECT_EQ(peter.seen(), lines{"exit: noconnection"});
}

TEST_F(supervised_messenger, who_does_nothing_for_the_idle_timeout_is_logged_off_and_sees_why) {
  boot_server({.idle_timeout = 10min});
  advance(1s);
  user& peter = logged_on("peter");
  user& fred = logged_on("fred");
  advance(9min);
  fred.type("/message peter still here");
  advance(59s);
  EXPECT_EQ(peter.seen(), lines{R"(Message from fred: "still here")"});
  logged();
  advance(1s);
  EXPECT_EQ(peter.seen(), lines{"exit: idle_timeout"});
  EXPECT_EQ(count_logged("logoff: peter was"), 1U);
  EXPECT_EQ(fred.seen(), lines{"sent"});
  advance(9min - 2s);
  EXPECT_EQ(fred.seen(), lines{});
  advance(3s);
  EXPECT_EQ(fred.seen(), lines{"exit: idle_timeout"});
  fred.type("/logon fred");
  advance(10ms);
  EXPECT_EQ(fred.seen(), lines{"logged_on"});
}

TEST_F(supervised_messenger, the_idle_timeout_holds_for_who_rejoins_too) {
  boot_server({.idle_timeout = 10min});
  advance(1s);
  user& peter = add_rejoining("peter");
  advance(1h);
  EXPECT_EQ(peter.seen(), lines{"exit: idle_timeout"});
}
