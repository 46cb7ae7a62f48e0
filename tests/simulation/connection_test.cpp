// The life of a node's connection: creations, reconnecting, stopping.
#include <gtest/gtest.h>

#include <nodelink/simulation/world.hpp>
#include "core/node_core.hpp"

using namespace nodelink;
using namespace std::chrono_literals;
using nodelink::simulation::host;
using nodelink::simulation::world;

TEST(connections, carry_a_will_with_their_creation) {
  world w;
  host& h = w.start("a@x");
  w.advance(10ms);
  const auto creation = h.node().creation();
  EXPECT_EQ(w.broker().retained("nodelink/1/test/node/a@x"), encode(write_status({true, "a@x", creation, {}})));
  h.kill();
  w.advance(10ms);
  EXPECT_EQ(w.broker().retained("nodelink/1/test/node/a@x"),
            encode(write_status({false, "a@x", creation, "noconnection"})));
}

TEST(connections, begin_with_a_creation_higher_than_any_before_whatever_the_wall_clock_says) {
  world w;
  host& h = w.start("a@x");
  w.advance(10ms);
  auto last = h.node().creation();
  for (const auto jump : {-3'600'000ms, 0ms, 3'600'000ms, -86'400'000ms}) {
    w.jump_wall_clock(jump);
    h.restart();
    w.advance(1s);
    EXPECT_TRUE(h.node().is_up());
    EXPECT_GT(h.node().creation(), last);
    EXPECT_EQ(w.broker().retained("nodelink/1/test/node/a@x"),
              encode(write_status({true, "a@x", h.node().creation(), {}})));
    last = h.node().creation();
  }
}

TEST(connections, come_up_when_the_broker_does_with_backoff_and_spread) {
  world w;
  w.broker().stop();
  std::vector<host*> hosts;
  for (int i = 0; i < 50; ++i) hosts.push_back(&w.start("n" + std::to_string(i) + "@x"));
  w.advance(60s);
  for (const auto* h : hosts) {
    EXPECT_GE(h->log.size(), 6U);   // tried again and again
    EXPECT_LE(h->log.size(), 20U);  // ever less often
  }
  w.broker().restart();
  w.advance(15s);
  int up = 0;
  for (auto* h : hosts) up += h->node().is_up();
  EXPECT_GT(up, 10) << "spread over the backoff's upper half";
  EXPECT_LT(up, 50);
  w.advance(15s);
  for (auto* h : hosts) EXPECT_TRUE(h->node().is_up());
}

TEST(connections, that_get_no_answer_are_given_up_and_tried_again) {
  world w;
  host& h = w.start("a@x");
  h.cut();
  w.advance(30s);
  EXPECT_FALSE(h.node().is_up());
  h.heal();
  w.advance(30s);
  EXPECT_TRUE(h.node().is_up());
}

TEST(connections, a_short_cut_costs_nothing) {
  world w;
  host& h = w.start("a@x");
  w.advance(10ms);
  const auto creation = h.node().creation();
  h.cut();
  w.advance(60s);
  h.heal();
  w.advance(5min);
  EXPECT_EQ(h.node().creation(), creation);
}

TEST(connections, a_planted_status_that_nothing_can_outrank_is_overwritten) {
  world w;
  w.broker().publish({"nodelink/1/test/node/a@x", encode(write_status({true, "a@x", max_number, {}})), true});
  host& h = w.start("a@x");
  w.advance(1min);
  EXPECT_EQ(h.log, std::vector<std::string>{"up"});
  EXPECT_EQ(w.broker().retained("nodelink/1/test/node/a@x"),
            encode(write_status({true, "a@x", h.node().creation(), {}})));
}

TEST(connections, stopping_without_a_broker_is_immediate) {
  world w;
  w.broker().stop();
  host& h = w.start("a@x");
  w.advance(1s);
  h.node().stop();
  EXPECT_TRUE(h.node().is_stopped());
}

TEST(connections, stopping_with_a_broker_that_does_not_answer_takes_two_seconds) {
  world w;
  host& h = w.start("a@x");
  w.advance(10ms);
  h.cut();
  h.node().stop();
  h.run();
  w.advance(1900ms);
  EXPECT_FALSE(h.node().is_stopped());
  w.advance(200ms);
  EXPECT_TRUE(h.node().is_stopped());
}

TEST(connections, a_pid_carries_the_creation_of_the_present_one) {
  world w;
  host& h = w.start("a@x");
  w.advance(10ms);
  std::vector<pid> pids;
  const pid p = h.node().spawn([&](self me) -> process {
    for (;;) co_await me.receive([&](const message&) { pids.push_back(me.pid()); });
  });
  h.node().send(p, 1);
  h.run();
  w.broker().stop();
  w.advance(1s);
  w.broker().restart();
  w.advance(10s);
  h.node().send(p, 1);  // this program's own pids stay good inside it
  h.run();
  ASSERT_EQ(pids.size(), 2U);
  EXPECT_EQ(pids[0].serial, pids[1].serial);
  EXPECT_LT(pids[0].creation, pids[1].creation);
  EXPECT_EQ(pids[1].creation, h.node().creation());
}
