// Described messages, calls and timers: between the processes of a node, and of two.
#include <functional>

#include <gtest/gtest.h>

#include <nodelink/simulation/world.hpp>
#include "core/node_core.hpp"

using namespace nodelink;
using namespace std::chrono_literals;
using nodelink::simulation::host;
using nodelink::simulation::world;

namespace {

struct question {
  sender from;
  int n;
};
NODELINK_MESSAGE(question, from, n)

struct twice {
  int n;
};
NODELINK_MESSAGE(twice, n)

struct several {
  std::vector<question> all;
};
NODELINK_MESSAGE(several, all)

struct calls : testing::Test {
  world w;
  host& a = w.start("a@x");
  host& b = w.start("b@x");
  std::vector<std::string> seen;
  using lines = std::vector<std::string>;

  void SetUp() override { w.advance(1s); }
  void run(host& h, auto body) {
    h.node().spawn(std::move(body));
    h.run();
    w.advance(100ms);
  }
  // A server that doubles, `slowness` after it was asked.
  void serve(host& h, duration slowness = {}) {
    const auto p = h.node().spawn([this, slowness](self me) -> process {
      for (;;) {
        std::optional<call_request> asked;
        co_await me.receive([&](const call_request& r) { asked = r; });
        if (slowness > duration::zero()) co_await me.receive(after(slowness, [] {}));
        if (const auto q = asked->as<twice>())
          me.reply(*asked, twice{2 * q->n});
        else
          me.reply(*asked, asked->content);
      }
    });
    h.node().register_name("server", p);
    h.run();
  }
};

}  // namespace

TEST_F(calls, described_messages_go_from_node_to_node) {
  const auto p = b.node().spawn([this](self me) -> process {
    for (;;)
      co_await me.receive([&](const question& q) { seen.push_back(to_string(q.from) + " " + std::to_string(q.n)); });
  });
  pid asker;
  run(a, [&](self me) -> process {
    asker = me.pid();
    me.send(p, question{me.pid(), 7});
    co_return;
  });
  EXPECT_EQ(seen, lines{to_string(asker) + " 7"});
}

TEST_F(calls, a_described_message_with_somebody_elses_pid_is_seen_by_no_process) {
  const auto p = b.node().spawn([this](self me) -> process {
    for (;;)
      co_await me.receive([&](const question&) { seen.emplace_back("question"); },
                          [&](const message&) { seen.emplace_back("message"); });
  });
  run(a, [&](self me) -> process {
    me.send(p, question{pid{"c@x", 1, 1}, 7});
    co_return;
  });
  EXPECT_EQ(seen, lines{});
  EXPECT_EQ(b.node().count(drop::forged), 1U);
}

TEST_F(calls, names_that_are_none_are_badarg_and_not_the_end_of_the_connection) {
  const std::vector<std::function<void(self)>> mistakes{
      [](self me) {
        me.send(registered{"server", "b"}, "x");
      },
      [](self me) {
        me.send(registered{"a/+", "b@x"}, "x");
      },
      [](self me) {
        me.send(pid{"#", 1, 1}, "x");
      },
      [](self me) {
        me.link(pid{"+@x/", 1, 1});
      },
      [](self me) { me.say("a/+", term::array({"x"})); },
      [](self me) {
        me.listen({"+", "b@x"});
      },
      [](self me) {
        me.listen({"news", "b"});
      },
      [](self me) { me.ping("b"); },
      [](self me) { me.monitor_node("#", true); },
      [](self me) {
        me.expect_link({"server", ""});
      },
  };
  for (const auto& mistake : mistakes)
    run(a, [&](self me) -> process {
      try {
        mistake(me);
        seen.emplace_back("taken");
      } catch (const std::invalid_argument&) {
      }
      co_return;
    });
  EXPECT_EQ(seen, lines{});
  EXPECT_TRUE(a.node().is_up());
  run(a, [&](self me) -> process {
    me.say("a/+", term::array({"x"}));
    co_return;
  });
  EXPECT_NE(a.log.back().find("the channel 'a/+' must be 1 to 64 of the characters A-Z a-z 0-9 _ -"),
            std::string::npos);
}

TEST_F(calls, have_the_reply_as_their_value) {
  serve(b);
  run(a, [&](self me) -> process {
    const auto number_id = me.send_request(registered{"server", "b@x"}, twice{21});
    const auto number = co_await me.receive_response(number_id);
    seen.push_back(number ? to_json(*number) : "none");
    const auto text_id = me.send_request(registered{"server", "b@x"}, "echo");
    const auto text = co_await me.receive_response(text_id);
    seen.push_back(text ? to_json(*text) : "none");
  });
  EXPECT_EQ(seen, (lines{R"(["twice",42])", R"("echo")"}));
}

TEST_F(calls, a_reason_with_bytes_in_it_goes_to_others_as_text_and_is_not_taken_from_them) {
  const auto traps = b.node().spawn([this](self me) -> process {
    me.trap_exit(true);
    for (;;) co_await me.receive([&](const exit_signal& s) { seen.push_back(to_json(s.reason)); });
  });
  pid linked;
  run(a, [&](self me) -> process {
    linked = me.pid();
    me.link(traps);
    co_await me.receive(after(50ms, [] {}));
    me.exit(term::array({"bad", bytes{1, 2}}));
  });
  EXPECT_EQ(seen, lines{R"(["bad","<<1,2>>"])"});
  w.broker().publish({"nodelink/1/test/to/" + to_string(traps) + "/from/a@x",
                      encode(term::array({"EXIT", to_string(linked), bytes{1}}))});
  w.advance(100ms);
  EXPECT_EQ(b.node().count(drop::malformed), 1U);
  w.broker().publish({"nodelink/1/test/node/b@x", encode(term::array({"nodedown", "b@x", 1, bytes{1}}))});
  w.advance(100ms);
  EXPECT_EQ(b.node().count(drop::malformed), 2U);
}

TEST_F(calls, within_one_node_need_no_connection) {
  w.broker().stop();
  w.advance(1s);
  serve(a);
  run(a, [&](self me) -> process {
    const auto reply_id = me.send_request(registered{"server", "a@x"}, twice{4});
    const auto reply = co_await me.receive_response(reply_id);
    seen.push_back(to_json(*reply));
  });
  EXPECT_EQ(seen, lines{R"(["twice",8])"});
}

TEST_F(calls, take_their_own_reply_and_leave_the_rest_of_the_mailbox_in_order) {
  serve(b);
  run(a, [&](self me) -> process {
    me.send(me.pid(), term::array({"first"}));
    me.send(me.pid(), term::array({"second"}));
    const auto reply_id = me.send_request(registered{"server", "b@x"}, twice{1});
    const auto reply = co_await me.receive_response(reply_id);
    seen.push_back(to_json(*reply));
    for (int i = 0; i < 2; ++i) co_await me.receive([&](const message& m) { seen.push_back(to_json(m.content)); });
  });
  EXPECT_EQ(seen, (lines{R"(["twice",2])", R"(["first"])", R"(["second"])"}));
}

TEST_F(calls, end_empty_at_their_time_out_and_a_late_reply_is_dropped) {
  serve(b, 2s);
  a.node().spawn([&](self me) -> process {
    const auto none_id = me.send_request(registered{"server", "b@x"}, twice{1});
    const auto none = co_await me.receive_response(none_id, 1s);
    seen.emplace_back(none ? "a reply" : "none");
    co_await me.receive([&](const message&) { seen.emplace_back("a message"); },
                        after(5s, [&] { seen.emplace_back("nothing"); }));
  });
  a.run();
  w.advance(999ms);
  EXPECT_EQ(seen, lines{});
  w.advance(1ms);
  EXPECT_EQ(seen, lines{"none"});
  w.advance(6s);
  EXPECT_EQ(seen, (lines{"none", "nothing"}));
  EXPECT_EQ(a.node().count(drop::unexpected), 1U);
}

TEST_F(calls, of_a_process_that_is_killed_meanwhile_leave_nothing_behind) {
  serve(b, 2s);
  const auto p = a.node().spawn([&](self me) -> process {
    const auto id = me.send_request(registered{"server", "b@x"}, twice{1});
    (void)co_await me.receive_response(id);
  });
  a.node().register_name("caller", p);
  a.run();
  a.node().stop_process("caller", "enough");
  a.run();
  w.advance(5s);
  EXPECT_EQ(a.node().count(drop::no_process), 1U);
}

TEST_F(calls, timers_send_to_the_process_itself_at_their_time) {
  run(a, [&](self me) -> process {
    me.send_after(2s, term::array({"later"}));
    me.send_after(1s, twice{1});
    const auto never = me.send_after(1500ms, term::array({"never"}));
    me.cancel_timer(never);
    for (;;)
      co_await me.receive([&](const twice&) { seen.emplace_back("twice"); },
                          [&](const message& m) { seen.push_back(to_json(m.content)); });
  });
  w.advance(899ms);
  EXPECT_EQ(seen, lines{});
  w.advance(1ms);
  EXPECT_EQ(seen, lines{"twice"});
  w.advance(999ms);
  EXPECT_EQ(seen.size(), 1U);
  w.advance(1ms);
  EXPECT_EQ(seen, (lines{"twice", R"(["later"])"}));
  w.advance(10s);
  EXPECT_EQ(seen.size(), 2U);
}

TEST_F(calls, intervals_go_on_until_they_are_cancelled) {
  run(a, [&](self me) -> process {
    const auto tick = me.send_interval(1s, term::array({"tick"}));
    for (int i = 0; i < 3; ++i) co_await me.receive([&](const message&) { seen.emplace_back("tick"); });
    me.cancel_timer(tick);
    co_await me.receive([&](const message&) { seen.emplace_back("another"); });
  });
  w.advance(900ms);
  EXPECT_EQ(seen.size(), 1U);
  w.advance(10s);
  EXPECT_EQ(seen.size(), 3U);
}

TEST_F(calls, an_interval_of_nothing_is_refused) {
  pid p;
  run(a, [&](self me) -> process {
    p = me.pid();
    me.send_interval(0s, term::array({"tick"}));
    co_return;
  });
  EXPECT_EQ(a.log.back(), "ended " + std::to_string(p.serial) +
                              R"(: ["error","the interval of a timer must be longer than nothing"])");
}

TEST_F(calls, a_frozen_program_has_one_tick_for_all_that_it_missed) {
  run(a, [&](self me) -> process {
    me.send_interval(1s, term::array({"tick"}));
    for (;;) co_await me.receive([&](const message&) { seen.emplace_back("tick"); });
  });
  a.freeze();
  w.advance(10s);
  a.thaw();
  w.advance(1ms);
  EXPECT_EQ(seen.size(), 1U);
  w.advance(1s);
  EXPECT_EQ(seen.size(), 2U);
}

TEST_F(calls, a_process_elsewhere_is_found_by_its_name) {
  serve(b);
  serve(a);
  for (host* home : {&a, &b}) {
    std::optional<pid> found;
    bool is_nobody = false;
    run(a, [&](self me) -> process {
      const auto asked = me.ask_whereis({"server", home->name()});
      const auto answer = co_await me.receive_response(asked);
      found = from_term<pid>(*answer);
      const auto asked_again = me.ask_whereis({"nobody", home->name()});
      const auto none = co_await me.receive_response(asked_again);
      is_nobody = none && none->is_null();
    });
    EXPECT_EQ(found, home->node().whereis("server"));
    EXPECT_TRUE(is_nobody);
  }
  a.node().send(registered{"net_kernel", "b@x"}, term::array({"what"}));
  w.advance(10ms);
  EXPECT_EQ(b.node().count(drop::unexpected), 1U);
}

TEST_F(calls, what_is_sent_without_a_connection_can_be_kept_and_is_sent_in_order_before_the_rest) {
  const auto p = b.node().spawn([&](self me) -> process {
    for (;;)
      co_await me.receive([&](const question& q) {
        EXPECT_EQ(q.from, a.node().core().pid_of(q.from.serial));  // as it is now, so that one can answer
        seen.push_back(std::to_string(q.n));
      });
  });
  b.node().register_name("sink", p);
  b.run();
  const auto sends = [&](duration kept, int n, bool by_pid) {
    return [=](self me) -> process {
      me.keep_offline(kept);
      if (by_pid)
        me.send(p, question{me.pid(), n});
      else
        me.send(registered{"sink", "b@x"}, question{me.pid(), n});
      co_await me.receive(after(10min, [] {}));
    };
  };
  a.cut();
  w.advance(2min);  // the broker gives it up, and it the broker
  ASSERT_FALSE(a.node().is_up());
  run(a, sends(5min, 1, false));
  run(a, sends(1s, 2, false));
  run(a, sends(0s, 3, false));
  run(a, sends(5min, 4, true));
  w.advance(2s);
  EXPECT_EQ(a.node().count(drop::unsent), 2U);
  a.heal();
  w.advance(1min);
  run(a, sends(5min, 5, false));
  EXPECT_EQ(seen, (lines{"1", "4", "5"}));
}

TEST_F(calls, what_was_sent_before_the_first_connection_is_kept_too) {
  serve(b);
  std::optional<pid> from;
  const auto p =
      b.node().spawn([&](self me) -> process { co_await me.receive([&](const question& q) { from = q.from; }); });
  b.node().register_name("sink", p);
  b.run();
  w.broker().stop();
  host& c = w.start("c@x");
  c.node().spawn([](self me) -> process {
    me.keep_offline(infinity);
    me.send(registered{"sink", "b@x"}, question{me.pid(), 1});
    co_await me.receive(after(infinity, [] {}));
  });
  c.run();
  w.advance(1s);
  w.broker().restart();
  w.advance(1min);
  ASSERT_TRUE(from);
  EXPECT_EQ(from->creation, c.node().creation());
}

TEST_F(calls, of_what_is_kept_the_oldest_goes_when_it_is_too_much) {
  const auto p = b.node().spawn([&](self me) -> process {
    for (;;)
      co_await me.receive([&](const message& m) { seen.push_back(std::to_string(m.content[0].get<std::uint64_t>())); });
  });
  b.node().register_name("sink", p);
  b.run();
  a.cut();
  w.advance(2min);
  run(a, [](self me) -> process {
    me.keep_offline(5min);
    for (std::uint64_t i = 0; i < 100; ++i)
      me.send(registered{"sink", "b@x"}, term::array({i, std::string(60'000, 'x')}));
    me.send(registered{"sink", "b@x"}, term::array({100, std::string(70'000, 'x')}));
    me.send(registered{"sink", "b@x"}, "no array");
    co_await me.receive(after(10min, [] {}));
  });
  const auto first = 100 - static_cast<int>(max_kept_bytes / 60'008);
  EXPECT_EQ(a.node().count(drop::unsent), static_cast<std::uint64_t>(first) + 2);
  a.heal();
  w.advance(1min);
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.front(), std::to_string(first));
  EXPECT_EQ(seen.back(), "99");
}

TEST_F(calls, a_mailbox_has_the_bound_that_its_process_sets) {
  for (const auto which : {overflow::newest, overflow::oldest}) {
    for (host* sender : {&a, &b}) {
      seen.clear();
      const auto before = a.node().count(drop::overrun);
      const auto p = a.node().spawn([&, which](self me) -> process {
        me.bound_mailbox(3, which);
        const auto gone = me.monitor(pid{"a@x", 1, 1'000'000});  // what nodelink tells has its place
        (void)gone;
        co_await me.receive([](const twice&) {});
        for (;;)
          co_await me.receive([&](const process_down&) { seen.push_back("down"); },
                              [&](const message& m) { seen.push_back(brief(m.content)); });
      });
      a.run();
      for (int i = 0; i < 10; ++i) sender->node().send(p, term::array({i}));
      sender->run();
      w.advance(10ms);
      EXPECT_EQ(seen, lines{});
      EXPECT_EQ(a.node().count(drop::overrun) - before, 7U);
      const auto go = a.node().core().processes().find(p.serial);
      a.node().core().processes().deliver(*go, {.from = "a@x", .local = true, .content = to_term(twice{1})});
      a.run();
      EXPECT_EQ(seen, which == overflow::newest ? (lines{"down", "[0]", "[1]", "[2]"})
                                                : (lines{"down", "[7]", "[8]", "[9]"}));
    }
  }
}

TEST_F(calls, what_is_kept_waits_until_the_node_that_it_is_for_is_up) {
  const auto sink = [&] {
    const auto p = b.node().spawn([&](self me) -> process {
      for (;;) co_await me.receive([&](const twice& t) { seen.push_back(std::to_string(t.n)); });
    });
    b.node().register_name("sink", p);
  };
  a.node().spawn([](self me) -> process {
    me.keep_offline(10min);
    for (int n = 1;; ++n) {
      me.send({"sink", "b@x"}, twice{n});
      co_await me.receive(after(10s, [] {}));
    }
  });
  sink();
  w.advance(5s);
  EXPECT_EQ(seen, lines{"1"});
  w.broker().crash();
  b.kill();
  w.advance(60s);
  w.broker().restart(nodelink::simulation::persistence::none);
  w.advance(60s);
  EXPECT_TRUE(a.node().is_up());
  b.restart();
  sink();
  w.advance(15s);
  ASSERT_EQ(seen.size(), 14U);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], std::to_string(i + 1));
  EXPECT_EQ(a.node().count(drop::unsent), 0U);
}

// The pid of another node, wherever in a message it stands as who sends it.
TEST_F(calls, a_sender_that_is_forged_within_a_message_is_not_read) {
  std::optional<bool> is_read;
  const auto p = a.node().spawn([&](self me) -> process {
    for (;;)
      co_await me.receive([&](const call_request& r) { is_read = r.as<question>().has_value(); },
                          [&](const several&) noexcept { is_read = true; }, [&](const message&) { is_read = false; });
  });
  w.advance(10ms);
  const auto came = [&](const std::string& payload) {
    is_read.reset();
    w.broker().publish({"nodelink/1/test/to/a@x/" + to_string(p).substr(4) + "/from/b@x", payload});
    w.advance(10ms);
    return is_read;
  };
  EXPECT_EQ(came(R"(["b@x/1-1","$call",1,["b@x/1-1","question",7]])"), true);
  EXPECT_EQ(came(R"(["b@x/1-1","$call",1,["c@x/1-1","question",7]])"), false);
  EXPECT_EQ(came(R"(["several",[["b@x/1-1","question",7]]])"), true);
  EXPECT_EQ(came(R"(["several",[["b@x/1-1","question",7],["c@x/1-1","question",7]]])"), false);
}

TEST_F(calls, are_answered_by_the_node_that_was_asked_and_no_other) {
  serve(b, 1s);
  w.start("m@x");
  w.advance(10ms);
  std::optional<std::string> answer;
  pid asker;
  run(a, [&](self me) -> process {
    asker = me.pid();
    const auto asked = me.send_request(registered{"server", "b@x"}, twice{4});
    const auto reply = co_await me.receive_response(asked);
    answer = reply ? to_json(*reply) : "none";
  });
  for (int number = 0; number < 5; ++number)
    w.broker().publish({"nodelink/1/test/to/a@x/" + to_string(asker).substr(4) + "/from/m@x",
                        R"(["$reply",)" + std::to_string(number) + R"(,"forged"])"});
  w.advance(2s);
  EXPECT_EQ(answer, R"(["twice",8])");
  EXPECT_EQ(a.node().count(drop::unexpected), 5U);
}

TEST_F(calls, find_room_for_their_reply_in_a_full_mailbox) {
  serve(b);
  for (const auto which : {overflow::newest, overflow::oldest}) {
    std::optional<bool> is_answered;
    const auto p = a.node().spawn([&, which](self me) -> process {
      me.bound_mailbox(1, which);
      co_await me.receive(after(1s, [] {}));
      const auto asked = me.send_request(registered{"server", "b@x"}, twice{4});
      co_await me.receive(after(1s, [] {}));
      const auto reply = co_await me.receive_response(asked);
      is_answered = reply.has_value();
    });
    for (int i = 0; i < 30; ++i) {
      a.node().send(p, term::array({i}));
      w.advance(100ms);
    }
    EXPECT_EQ(is_answered, true);
  }
}

TEST_F(calls, a_mailbox_whose_bound_is_lowered_has_no_more_than_that_soon) {
  std::vector<std::uint64_t> left;
  const auto p = a.node().spawn([&](self me) -> process {
    co_await me.receive(after(1s, [] {}));
    me.bound_mailbox(2, overflow::oldest);
    co_await me.receive([](const twice&) {});
    for (;;) co_await me.receive([&](const message& m) { left.push_back(m.content[0].get<std::uint64_t>()); });
  });
  for (int i = 0; i < 6; ++i) a.node().send(p, term::array({i}));
  w.advance(2s);
  a.node().send(p, term::array({6}));
  a.node().send(p, twice{1});
  w.advance(10ms);
  EXPECT_EQ(left, std::vector<std::uint64_t>{6});
}

TEST_F(calls, times_without_end_never_come) {
  run(a, [&](self me) -> process {
    me.send_after(infinity, term::array({"never"}));
    me.send_after(infinity - 1ns, term::array({"never"}));
    me.send_interval(infinity, term::array({"never"}));
    co_await me.receive([&](const message&) { seen.emplace_back("came"); },
                        after(infinity - 1ns, [&] { seen.emplace_back("over"); }));
  });
  w.advance(1h);
  EXPECT_EQ(seen, lines{});
}

TEST_F(calls, names_that_are_none_are_badarg_also_where_only_a_question_goes) {
  std::vector<std::string> thrown;
  run(a, [&](self me) -> process {
    const auto attempt = [&](auto what) {
      try {
        what();
        thrown.emplace_back("nothing");
      } catch (const std::invalid_argument& e) {
        thrown.emplace_back(e.what());
      }
    };
    attempt([&] { me.ask_whereis({"a/b", "b@x"}); });
    attempt([&] { me.monitor(registered{"1-1", "b@x"}); });
    attempt([&] { me.monitor(pid{"b@x", max_number + 1, 1}); });
    attempt([&] { me.link(pid{"b@x", 1, max_number + 1}); });
    co_return;
  });
  ASSERT_EQ(thrown.size(), 4U);
  EXPECT_EQ(std::count(thrown.begin(), thrown.end(), "nothing"), 0);
}

// The process that stops its node has its turn to the end.
TEST_F(calls, a_process_may_stop_its_own_node) {
  run(a, [&](self me) -> process {
    const std::string text(200, 't');
    me.node().stop();
    seen.push_back(text);
    co_await me.receive(after(1s, [&] { seen.emplace_back("too late"); }));
  });
  w.advance(2s);
  EXPECT_TRUE(a.node().is_stopped());
  EXPECT_EQ(seen, lines{std::string(200, 't')});
}

TEST_F(calls, what_is_kept_when_the_node_stops_is_said_to_be_lost) {
  w.broker().stop();
  w.advance(1s);
  run(a, [](self me) -> process {
    me.keep_offline(infinity - 1ns);
    me.send(registered{"sink", "b@x"}, twice{1});
    co_await me.receive(after(infinity, [] {}));
  });
  EXPECT_EQ(a.node().count(drop::unsent), 0U);
  a.node().stop();
  EXPECT_EQ(a.node().count(drop::unsent), 1U);
}
