#include "runtime/node_table.hpp"

#include <gtest/gtest.h>

using namespace runtime;
using namespace std::chrono_literals;

static const instant start{};
static pid peter(std::uint64_t creation, std::uint64_t serial = 1) { return {"peter@laptop", creation, serial}; }

TEST(node_table, nodedown_ends_links_up_to_its_creation_once) {
  node_table t(60s);
  t.link({peter(10), 1}, start);
  t.link({peter(20), 1}, start);
  EXPECT_EQ(t.nodedown("peter@laptop", 15), (std::vector<remote_link>{{peter(10), 1}}));
  EXPECT_TRUE(t.nodedown("peter@laptop", 15).empty());
  EXPECT_TRUE(t.nodedown("peter@laptop", 9).empty());
  EXPECT_EQ(t.nodedown("peter@laptop", 20).size(), 1U);
}

TEST(node_table, nodeup_ends_links_to_every_older_incarnation_and_none_to_its_own) {
  node_table t(60s);
  t.link({peter(10), 1}, start);
  t.link({peter(20), 1}, start);
  EXPECT_TRUE(t.nodeup("peter@laptop", 10).empty());
  EXPECT_EQ(t.nodeup("peter@laptop", 20), (std::vector<remote_link>{{peter(10), 1}}));
  EXPECT_TRUE(t.nodeup("peter@laptop", 10).empty());  // an older one is ignored
}

TEST(node_table, a_dead_incarnation_stays_dead) {
  node_table t(60s);
  EXPECT_TRUE(t.may_live(peter(10)));
  t.nodedown("peter@laptop", 10);
  EXPECT_FALSE(t.may_live(peter(10)));
  EXPECT_FALSE(t.may_live(peter(9)));
  EXPECT_TRUE(t.may_live(peter(11)));
  t.nodeup("peter@laptop", 10);  // late, after its nodedown
  EXPECT_FALSE(t.may_live(peter(10)));
  t.nodeup("peter@laptop", 20);
  EXPECT_FALSE(t.may_live(peter(19)));
}

TEST(node_table, a_silent_node_is_pinged_after_net_ticktime_and_dead_a_quarter_later) {
  node_table t(60s);
  t.link({peter(10), 1}, start);
  EXPECT_TRUE(t.tick(start + 60s - 1ns).ping.empty());
  EXPECT_EQ(t.tick(start + 60s).ping, std::vector<std::string>{"peter@laptop"});
  EXPECT_TRUE(t.tick(start + 75s - 1ns).dead.empty());
  EXPECT_EQ(t.tick(start + 75s).dead, (std::vector<remote_link>{{peter(10), 1}}));
  EXPECT_FALSE(t.next_deadline());
  EXPECT_TRUE(t.may_live(peter(10)));  // no tombstone: it was only silent
}

TEST(node_table, a_sign_of_life_before_or_after_the_ping_keeps_the_links) {
  node_table t(60s);
  t.link({peter(10), 1}, start);
  t.heard("peter@laptop", start + 30s);
  EXPECT_TRUE(t.tick(start + 60s).ping.empty());
  EXPECT_TRUE(t.tick(start + 90s - 1ns).ping.empty());
  EXPECT_EQ(t.tick(start + 90s).ping.size(), 1U);
  t.heard("peter@laptop", start + 100s);
  EXPECT_TRUE(t.tick(start + 105s).dead.empty());
  EXPECT_TRUE(t.tick(start + 160s - 1ns).ping.empty());
  EXPECT_EQ(t.tick(start + 160s).ping.size(), 1U);
  EXPECT_TRUE(t.tick(start + 175s - 1ns).dead.empty());
  EXPECT_EQ(t.tick(start + 175s).dead.size(), 1U);
}

TEST(node_table, every_link_is_repeated_after_three_quarters_of_net_ticktime_however_lively_its_node) {
  node_table t(60s);
  const std::vector<remote_link> both{{peter(10), 1}, {peter(10, 2), 1}};
  for (const auto& l : both) t.link(l, start);
  t.heard("peter@laptop", start + 44s);
  EXPECT_EQ(t.next_deadline(), start + 45s);
  EXPECT_TRUE(t.tick(start + 45s - 1ns).repeat.empty());
  EXPECT_EQ(t.tick(start + 45s).repeat, both);
  EXPECT_TRUE(t.tick(start + 90s - 1ns).repeat.empty());
  EXPECT_EQ(t.tick(start + 90s).repeat, both);
}

TEST(node_table, a_link_that_this_side_ended_is_remembered_until_this_side_makes_it_anew) {
  node_table t(60s);
  const remote_link idle{peter(10), 1}, silent{peter(10, 2), 1};
  t.link(idle, start);
  t.link(silent, start);
  t.end(idle, "idle");
  t.tick(start + 60s);
  EXPECT_EQ(t.tick(start + 75s).dead, std::vector{silent});
  ASSERT_TRUE(t.ended_with(idle) && t.ended_with(silent));
  EXPECT_EQ(*t.ended_with(idle), "idle");
  EXPECT_EQ(*t.ended_with(silent), "noconnection");
  t.link(idle, start + 80s);
  EXPECT_FALSE(t.ended_with(idle));
  t.disconnect();  // the pids of this side are others now
  EXPECT_FALSE(t.ended_with(silent));
}

TEST(node_table, remembers_a_bounded_number_of_links_it_ended) {
  node_table t(60s);
  for (std::uint64_t i = 1; i <= node_table::max_ended + 1; ++i) {
    t.link({peter(10, i), 1}, start);
    t.end({peter(10, i), 1}, "idle");
  }
  EXPECT_FALSE(t.ended_with({peter(10, 1), 1}));
  EXPECT_TRUE(t.ended_with({peter(10, 2), 1}));
}

TEST(node_table, remembers_a_bounded_number_of_nodes_it_is_not_linked_to) {
  node_table t(60s);
  t.link({peter(10), 1}, start);
  for (std::size_t i = 0; i < node_table::max_unlinked + 1000; ++i) t.nodedown("n" + std::to_string(i) + "@x", 1);
  EXPECT_EQ(t.size(), node_table::max_unlinked + 1);
  EXPECT_TRUE(t.may_live({"n0@x", 1, 1}));  // forgotten: rule 8 will settle it
  EXPECT_FALSE(t.may_live({"n66000@x", 1, 1}));
  EXPECT_EQ(t.nodedown("peter@laptop", 10).size(), 1U);
}

TEST(node_table, losing_the_own_connection_ends_every_link_and_keeps_the_tombstones) {
  node_table t(60s);
  t.link({peter(10), 1}, start);
  t.link({{"james@host", 3, 1}, 1}, start);
  t.nodedown("fred@host", 5);
  EXPECT_EQ(t.disconnect().size(), 2U);
  EXPECT_TRUE(t.disconnect().empty());
  EXPECT_FALSE(t.may_live({"fred@host", 5, 1}));
}
