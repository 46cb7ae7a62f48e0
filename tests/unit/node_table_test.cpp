#include "core/node_table.hpp"

#include <gtest/gtest.h>

using namespace nodelink;
using namespace std::chrono_literals;

static const instant start{};
static pid peter(std::uint64_t creation, std::uint64_t serial = 1) { return {"peter@laptop", creation, serial}; }

TEST(node_table, nodedown_ends_links_up_to_its_creation_once) {
  node_table t("me@here", 60s);
  t.link({peter(10), 1}, start);
  t.link({peter(20), 1}, start);
  EXPECT_EQ(t.nodedown("peter@laptop", 15, start), (std::vector<remote_link>{{peter(10), 1}}));
  EXPECT_TRUE(t.nodedown("peter@laptop", 15, start).empty());
  EXPECT_TRUE(t.nodedown("peter@laptop", 9, start).empty());
  EXPECT_EQ(t.nodedown("peter@laptop", 20, start).size(), 1U);
}

TEST(node_table, nodeup_ends_links_to_every_older_incarnation_and_none_to_its_own) {
  node_table t("me@here", 60s);
  t.link({peter(10), 1}, start);
  t.link({peter(20), 1}, start);
  EXPECT_TRUE(t.nodeup("peter@laptop", 10, start).empty());
  EXPECT_EQ(t.nodeup("peter@laptop", 20, start), (std::vector<remote_link>{{peter(10), 1}}));
  EXPECT_TRUE(t.nodeup("peter@laptop", 10, start).empty());  // an older one is ignored
}

TEST(node_table, a_dead_incarnation_stays_dead) {
  node_table t("me@here", 60s);
  EXPECT_TRUE(t.may_live(peter(10)));
  t.nodedown("peter@laptop", 10, start);
  EXPECT_FALSE(t.may_live(peter(10)));
  EXPECT_FALSE(t.may_live(peter(9)));
  EXPECT_TRUE(t.may_live(peter(11)));
  t.nodeup("peter@laptop", 10, start);  // late, after its nodedown
  EXPECT_FALSE(t.may_live(peter(10)));
  t.nodeup("peter@laptop", 20, start);
  EXPECT_FALSE(t.may_live(peter(19)));
}

// Plays the node: what it writes to itself comes back at once.
static tick_actions tick(node_table& t, instant now) {
  auto actions = t.tick(now);
  if (actions.echo) t.read_up_to(now, true, now);
  return actions;
}
// The same until then, at every deadline.
static void tick_until(node_table& t, instant until) {
  for (auto next = t.next_deadline(); next && *next < until; next = t.next_deadline()) {
    const auto now = *next;
    EXPECT_TRUE(tick(t, now).dead.empty());
    ASSERT_GT(*t.next_deadline(), now);
  }
}

TEST(node_table, a_linked_node_is_asked_after_net_ticktime_and_dead_a_quarter_later) {
  node_table t("z@z", 60s);
  const remote_link link{peter(10), 1};
  t.link(link, start);
  EXPECT_EQ(t.next_deadline(), start + 60s);
  EXPECT_TRUE(tick(t, start + 60s - 1ns).ask.empty());
  EXPECT_EQ(tick(t, start + 60s).ask, std::vector{link});
  tick_until(t, start + 75s);
  EXPECT_EQ(tick(t, start + 75s).dead, std::vector{link});
  EXPECT_FALSE(t.next_deadline());
  EXPECT_TRUE(t.may_live(peter(10)));  // no tombstone: it was only silent
}

TEST(node_table, a_silent_node_is_asked_again_each_twentieth_of_net_ticktime) {
  node_table t("z@z", 60s);
  const remote_link link{peter(10), 1};
  t.link(link, start);
  EXPECT_FALSE(tick(t, start + 60s).echo);  // who answers costs no more than the question
  for (const auto when : {63s, 66s, 69s, 72s}) {
    EXPECT_EQ(t.next_deadline(), start + when);
    const auto actions = t.tick(start + when);
    EXPECT_EQ(actions.ask, std::vector{link});
    EXPECT_TRUE(actions.echo);
  }
}

TEST(node_table, a_node_is_dead_after_one_and_a_quarter_net_ticktime_of_silence_and_not_before) {
  node_table t("z@z", 60s);
  t.link({peter(10), 1}, start);
  t.heard("peter@laptop", start + 59s);
  EXPECT_EQ(tick(t, start + 60s).ask.size(), 1U);
  EXPECT_TRUE(tick(t, start + 75s).dead.empty());
  EXPECT_EQ(tick(t, start + 120s).ask.size(), 1U);
  tick_until(t, start + 134s);
  EXPECT_EQ(tick(t, start + 134s).dead.size(), 1U);
}

TEST(node_table, a_sign_of_life_after_the_question_keeps_the_links) {
  node_table t("z@z", 60s);
  t.link({peter(10), 1}, start);
  EXPECT_EQ(tick(t, start + 60s).ask.size(), 1U);
  tick_until(t, start + 74s);
  t.heard("peter@laptop", start + 74s);
  EXPECT_TRUE(tick(t, start + 75s).dead.empty());
  EXPECT_EQ(tick(t, start + 120s).ask.size(), 1U);
  tick_until(t, start + 149s);
  EXPECT_EQ(tick(t, start + 149s).dead.size(), 1U);
}

// 60: what it has not read yet may be the answer.
TEST(node_table, nobody_is_dead_before_all_has_been_read_that_the_broker_had) {
  node_table t("z@z", 60s);
  t.link({peter(10), 1}, start);
  EXPECT_EQ(t.tick(start + 60s).ask.size(), 1U);
  for (auto now = start + 60s; now < start + 10min; now += 1s) EXPECT_TRUE(t.tick(now).dead.empty());  // no echo
  // One comes back that was sent when the question was: now the question is known to have passed the broker.
  t.read_up_to(start + 63s, true, start + 10min);
  EXPECT_TRUE(t.tick(start + 10min + 6s - 1ns).dead.empty());
  t.read_up_to(start + 10min + 6s - 1ns, true, start + 10min + 6s);
  EXPECT_TRUE(t.tick(start + 10min + 6s).dead.empty());  // an answer may have been on its way
  t.read_up_to(start + 10min + 6s, true, start + 10min + 6s);
  EXPECT_EQ(t.tick(start + 10min + 6s).dead.size(), 1U);
}

TEST(node_table, nobody_is_dead_while_the_broker_loses_messages) {
  node_table t("z@z", 60s);
  t.link({peter(10), 1}, start);
  EXPECT_EQ(t.tick(start + 60s).ask.size(), 1U);
  for (auto now = start + 63s; now < start + 5min; now += 3s) {
    EXPECT_TRUE(t.tick(now).dead.empty());
    t.read_up_to(now, false, now);
  }
  tick_until(t, start + 5min + 3s);
  EXPECT_TRUE(tick(t, start + 5min + 3s).dead.empty());  // and has read now
  EXPECT_EQ(tick(t, start + 5min + 3s).dead.size(), 1U);
}

TEST(node_table, a_node_that_was_stopped_itself_asks_before_it_takes_others_for_dead) {
  node_table t("z@z", 60s);
  t.link({peter(10), 1}, start);
  const auto late = tick(t, start + 1h);
  EXPECT_EQ(late.ask.size(), 1U);
  EXPECT_TRUE(late.dead.empty());
  tick_until(t, start + 1h + 15s);
  EXPECT_EQ(tick(t, start + 1h + 15s).dead.size(), 1U);
}

TEST(node_table, links_are_asked_after_however_lively_their_node) {
  node_table t("z@z", 60s);
  const remote_link old{peter(10), 1}, younger{peter(10, 2), 1}, young{peter(10, 3), 1};
  t.link(old, start);
  t.link(younger, start + 30s);
  t.link(young, start + 31s);
  t.heard("peter@laptop", start + 59s);
  EXPECT_EQ(t.tick(start + 60s).ask, (std::vector{old, younger}));  // together
  t.heard("peter@laptop", start + 90s);
  EXPECT_EQ(t.next_deadline(), start + 91s);
  EXPECT_EQ(t.tick(start + 91s).ask, (std::vector{old, younger, young}));
}

TEST(node_table, a_question_about_one_link_says_nothing_about_another) {
  node_table t("z@z", 60s);
  const remote_link living{peter(10), 1}, ghost{peter(10, 2), 1};
  t.link(living, start);
  t.link(ghost, start);
  EXPECT_TRUE(t.asked_after(living, start + 50s));
  t.heard("peter@laptop", start + 50s);
  EXPECT_EQ(t.tick(start + 60s).ask, std::vector{ghost});
}

TEST(node_table, of_two_nodes_the_one_whose_name_sorts_first_asks_and_the_other_need_not) {
  node_table a("a@x", 60s), b("b@x", 60s);
  const remote_link at_a{{"b@x", 7, 1}, 1}, at_b{{"a@x", 7, 1}, 1};
  a.link(at_a, start);
  b.link(at_b, start);
  for (auto now = start; now < start + 10min; now += 500ms) {
    EXPECT_TRUE(b.tick(now).ask.empty());
    if (a.tick(now).ask.empty()) continue;
    EXPECT_TRUE(b.asked_after(at_b, now));
    a.heard("b@x", now);
    b.heard("a@x", now);
  }
  EXPECT_FALSE(b.asked_after({{"a@x", 7, 2}, 1}, start));  // no such link
}

TEST(node_table, remembers_a_bounded_number_of_nodes_it_is_not_linked_to) {
  node_table t("me@here", 60s);
  t.link({peter(10), 1}, start);
  for (std::size_t i = 0; i < node_table::max_unlinked + 1000; ++i)
    t.nodedown("n" + std::to_string(i) + "@x", 1, start);
  EXPECT_EQ(t.size(), node_table::max_unlinked + 1);
  EXPECT_TRUE(t.may_live({"n0@x", 1, 1}));  // forgotten: rule 8 will settle it
  EXPECT_FALSE(t.may_live({"n66000@x", 1, 1}));
  EXPECT_EQ(t.nodedown("peter@laptop", 10, start).size(), 1U);
}

TEST(node_table, remembers_a_node_it_is_not_linked_to_for_a_day) {
  node_table t("me@here", 60s);
  t.nodedown("peter@laptop", 10, start);
  t.nodedown("james@host", 10, start + 24h);
  EXPECT_FALSE(t.may_live(peter(10)));
  t.nodedown("james@host", 10, start + 24h + 1ns);
  EXPECT_TRUE(t.may_live(peter(1)));  // it may come back with a clock that knows nothing
}

TEST(node_table, losing_the_own_connection_ends_every_link_and_forgets_what_was_known) {
  node_table t("me@here", 60s);
  t.link({peter(10), 1}, start);
  t.link({{"james@host", 3, 1}, 1}, start);
  t.nodedown("fred@host", 5, start);
  EXPECT_EQ(t.disconnect().size(), 2U);
  EXPECT_TRUE(t.disconnect().empty());
  EXPECT_FALSE(t.next_deadline());
  EXPECT_TRUE(t.may_live({"fred@host", 5, 1}));
  EXPECT_EQ(t.size(), 0U);
}
