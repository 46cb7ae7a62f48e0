// One test or more for each of the design's rules 1 to 10.
#include <gtest/gtest.h>

#include <nodelink/simulation/world.hpp>
#include "core/node_core.hpp"

using namespace nodelink;
using namespace std::chrono_literals;
using nodelink::simulation::host;
using nodelink::simulation::world;

namespace {

// `here` has a process that traps exits and is linked to one on `there`. With and without monitor_nodes.
struct rules : testing::TestWithParam<bool> {
  world w{GetParam() ? 1U : 2U};
  host& here = w.start("here@x", GetParam());
  host* there = &w.start("there@x");
  std::vector<std::string> exits;
  std::vector<std::string> got;
  pid watcher, peer;
  using lines = std::vector<std::string>;

  rules() {
    w.advance(10ms);
    watcher = here.node().spawn([this](self me) { return watch(me); });
    here.run();
    peer = spawn_peer();
    link(peer);
  }
  process watch(self me) {
    me.trap_exit(true);
    for (;;)
      co_await me.receive([this](const exit_signal& s) { exits.push_back(brief(s.reason)); },
                          [this, me](const message& m) {
                            if (m.local)
                              me.link(*parse_pid(m.content.get<std::string>()));
                            else
                              got.push_back(encode(m.content));
                          });
  }
  static process waits(self me) {
    co_await me.receive([](const message&) {});
  }
  pid spawn_peer() {
    const pid p = there->node().spawn(waits);
    there->run();
    return p;
  }
  void link(const pid& p) {
    here.node().send(watcher, to_string(p));
    here.run();
    w.advance(10ms);
  }
  void publish(const std::string& topic, const term& content, bool retain = false) {
    w.broker().publish({"nodelink/1/test/" + topic, encode(content), retain});
    w.advance(10ms);
  }
  std::string inbox() { return "to/" + to_string(here.node().core().pid_of(watcher.serial)) + "/from/"; }
  void status(const char* what, const std::string& node, std::uint64_t creation, const term& reason = {}) {
    publish("node/" + node, write_status({std::string("nodeup") == what, node, creation, reason}), true);
  }
  std::string retained(const std::string& node) { return w.broker().retained("nodelink/1/test/node/" + node); }
};
using rule = rules;
INSTANTIATE_TEST_SUITE_P(nodes, rule, testing::Bool(),
                         [](const auto& p) { return p.param ? "monitored" : "watched_one_by_one"; });

}  // namespace

TEST_P(rule, 1_a_signal_whose_pid_is_not_of_the_topics_node_is_forged) {
  publish(inbox() + "mallory@x", write_exit(peer, "forged"));
  publish(inbox() + "mallory@x", write_link(peer));
  publish(inbox() + "mallory@x", write_unlink(peer));
  publish(inbox() + "mallory@x", write_ping(peer));
  publish(inbox() + "mallory@x", write_pong("there@x"));
  EXPECT_EQ(here.node().count(drop::forged), 5U);
  EXPECT_TRUE(exits.empty());
  there->kill();
  w.advance(10ms);
  EXPECT_EQ(exits, lines{"noconnection"});  // the link was untouched
}

TEST_P(rule, 1_a_message_whose_pid_is_not_of_the_topics_node_is_forged) {
  publish(inbox() + "mallory@x", term::array({to_string(peer), "hello"}));
  EXPECT_EQ(here.node().count(drop::forged), 1U);
  publish(inbox() + "there@x", term::array({to_string(peer), "hello"}));
  publish(inbox() + "mallory@x", term::array({"hello", to_string(peer)}));  // text, no identity
  EXPECT_EQ(got.size(), 2U);
}

TEST_P(rule, 1_the_status_of_another_node_is_forged) {
  publish("node/mallory@x", write_status({false, "there@x", peer.creation, "forged"}));
  EXPECT_TRUE(exits.empty());
  EXPECT_EQ(here.node().count(drop::forged), GetParam() ? 1U : 0U);
}

TEST_P(rule, 1_an_exit_from_a_process_one_is_not_linked_to_does_nothing) {
  publish(inbox() + "there@x", write_exit({"there@x", peer.creation, 99}, "invented"));
  EXPECT_TRUE(exits.empty());
}

TEST_P(rule, 2_retained_messages_to_a_process_are_ignored) {
  publish(inbox() + "there@x", write_exit(peer, "planted"), true);
  publish("to/here@x/" + std::string("messenger") + "/from/there@x", term::array({"planted"}), true);
  const auto before = exits;
  for (const bool mqtt_5 : {true, false}) {
    w.broker().mqtt_5 = mqtt_5;
    here.restart();  // a new subscription brings what is retained, but for MQTT 5
    w.advance(1s);
    EXPECT_EQ(here.node().count(drop::retained), mqtt_5 ? 0U : 2U);
  }
  EXPECT_EQ(exits, before);
}

TEST_P(rule, 3_nodedown_gives_each_link_one_exit_with_its_reason) {
  const pid second = spawn_peer();
  link(second);
  status("nodedown", "there@x", peer.creation, "powercut");
  EXPECT_EQ(exits, (lines{"powercut", "powercut"}));
  status("nodedown", "there@x", peer.creation, "powercut");
  status("nodedown", "there@x", peer.creation - 1, "older");
  EXPECT_EQ(exits.size(), 2U);
}

TEST_P(rule, 3_an_older_nodedown_leaves_the_links_of_a_newer_incarnation) {
  status("nodedown", "there@x", peer.creation - 1, "noconnection");
  EXPECT_TRUE(exits.empty());
}

TEST_P(rule, 3_the_will_of_a_killed_node_is_its_nodedown) {
  there->kill();
  w.advance(10ms);
  EXPECT_EQ(exits, lines{"noconnection"});
}

TEST_P(rule, 3_a_nodedown_that_says_normal_still_kills_who_does_not_trap_exits) {
  const pid p = here.node().spawn([other = peer](self me) -> process {
    me.link(other);
    co_await waits(me);
  });
  here.run();
  w.advance(10ms);
  status("nodedown", "there@x", peer.creation, "normal");
  EXPECT_EQ(exits, lines{"normal"});
  EXPECT_EQ(here.log.back(), "ended " + std::to_string(p.serial) + R"(: "noconnection")");
}

TEST_P(rule, 4_a_newer_nodeup_ends_the_older_incarnation_and_an_older_one_is_ignored) {
  status("nodeup", "there@x", peer.creation - 1);
  EXPECT_TRUE(exits.empty());
  there->kill();
  w.broker().crash();  // so that no will says it
  w.broker().restart();
  there->restart();
  w.advance(2s);
  EXPECT_EQ(exits, lines{"noconnection"});
}

TEST_P(rule, 4_a_nodeup_alone_ends_every_older_incarnation_once) {
  status("nodeup", "there@x", peer.creation + 1);
  EXPECT_EQ(exits, lines{"noconnection"});
  status("nodeup", "there@x", peer.creation + 2);
  EXPECT_EQ(exits.size(), 1U);
}

TEST_P(rule, 4_a_message_of_a_newer_incarnation_is_its_birth) {
  publish(inbox() + "there@x", term::array({to_string(pid{"there@x", peer.creation + 1, 1}), "hello"}));
  EXPECT_EQ(exits, lines{"noconnection"});
  EXPECT_EQ(got.size(), 1U);
}

TEST_P(rule, 4_a_newer_incarnations_link_stands_when_the_older_ones_will_comes_late) {
  const auto old = peer.creation;
  there->restart();
  w.advance(10ms);
  ASSERT_EQ(exits.size(), 1U);
  peer = spawn_peer();
  link(peer);
  status("nodedown", "there@x", old, "noconnection");
  EXPECT_EQ(exits.size(), 1U);
}

TEST_P(rule, 5_a_link_to_a_dead_incarnation_gives_noproc) {
  there->kill();
  w.advance(10ms);
  exits.clear();
  link({"there@x", peer.creation, 7});
  EXPECT_EQ(exits, lines{"noproc"});
}

TEST_P(rule, 5_a_link_before_the_peers_birth_was_seen_is_allowed) {
  link({"unseen@x", 17, 1});
  EXPECT_TRUE(exits.empty());
  status("nodeup", "unseen@x", 17);
  EXPECT_TRUE(exits.empty());
  status("nodedown", "unseen@x", 17, "noconnection");
  EXPECT_EQ(exits, lines{"noconnection"});
}

TEST_P(rule, 5_a_link_request_to_a_process_that_is_no_more_is_answered_with_noproc) {
  std::vector<std::string> sent;
  w.broker().on_publish = [&](const publication& p) { sent.push_back(p.topic + " " + p.payload); };
  const pid gone{"here@x", here.node().creation(), 99}, older{"here@x", here.node().creation() - 1, 1};
  for (const auto& to : {gone, older}) {
    sent.clear();
    publish("to/" + to_string(to) + "/from/there@x", write_link(peer));
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[1], "nodelink/1/test/to/" + to_string(peer) + "/from/here@x " + encode(write_exit(to, "noproc")));
  }
}

TEST_P(rule, 6_a_process_that_ends_sends_exit_to_its_links) {
  std::vector<std::string> sent;
  w.broker().on_publish = [&](const publication& p) { sent.push_back(p.topic + " " + p.payload); };
  there->node().send(peer, term::array({"stop"}));
  there->run();
  w.advance(10ms);
  const pid linked = here.node().core().pid_of(watcher.serial);
  EXPECT_EQ(sent,
            lines{"nodelink/1/test/to/" + to_string(linked) + "/from/there@x " + encode(write_exit(peer, "normal"))});
  EXPECT_EQ(exits, lines{"normal"});
}

TEST_P(rule, 7_losing_the_own_connection_gives_noconnection_for_every_link_once) {
  link(spawn_peer());
  const auto creation = here.node().creation();
  w.broker().stop();
  w.advance(10ms);
  EXPECT_EQ(exits, (lines{"noconnection", "noconnection"}));
  w.broker().restart();
  w.advance(10s);
  EXPECT_EQ(exits.size(), 2U);
  EXPECT_TRUE(here.node().is_up());
  EXPECT_GT(here.node().creation(), creation);
}

TEST_P(rule, 7_linking_without_a_connection_gives_noconnection) {
  w.broker().stop();
  w.advance(10ms);
  exits.clear();
  link(peer);
  EXPECT_EQ(exits, lines{"noconnection"});
}

TEST_P(rule, 7_nothing_from_before_is_replayed) {
  w.broker().stop();
  w.advance(10ms);
  here.node().send(peer, term::array({"while away"}));
  here.run();
  EXPECT_EQ(here.node().count(drop::unsent), 1U);
  std::vector<std::string> sent;
  w.broker().on_publish = [&](const publication& p) { sent.push_back(p.payload); };
  w.broker().restart();
  w.advance(10s);
  for (const auto& s : sent) EXPECT_TRUE(s.starts_with(R"(["node)")) << s;
}

TEST_P(rule, 8_a_silent_node_counts_as_down_after_one_and_a_quarter_net_ticktime) {
  // Its will never comes: the broker lets go of it without a word.
  there->cut();
  w.broker().keepalive = 1h;
  w.advance(75s - 100ms);
  EXPECT_TRUE(exits.empty());
  w.advance(200ms);
  EXPECT_EQ(exits, lines{"noconnection"});
}

TEST_P(rule, 8_a_node_that_answers_is_never_taken_for_dead) {
  w.advance(10min);
  EXPECT_TRUE(exits.empty());
}

TEST_P(rule, 8_both_sides_agree_that_a_link_is_over) {
  there->freeze();
  w.broker().keepalive = 1h;
  w.advance(76s);
  EXPECT_EQ(exits, lines{"noconnection"});
  there->thaw();
  w.advance(1s);
  EXPECT_EQ(there->node().core().processes().find(peer.serial), nullptr);
  EXPECT_EQ(there->log.back(), "ended " + std::to_string(peer.serial) + R"(: "noconnection")");
  peer = spawn_peer();  // and it may link again
  link(peer);
  EXPECT_EQ(exits.size(), 1U);
}

TEST_P(rule, 8_net_kernel_answers_ping) {
  std::vector<std::string> sent;
  w.broker().on_publish = [&](const publication& p) { sent.push_back(p.topic + " " + p.payload); };
  publish("to/here@x/net_kernel/from/there@x", write_ping(peer));
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[1], "nodelink/1/test/to/" + to_string(peer) + R"(/from/here@x ["PONG","here@x"])");
}

TEST_P(rule, 9_a_node_that_was_replaced_stops_for_good) {
  status("nodeup", "here@x", here.node().creation() + 1);
  EXPECT_EQ(std::count(here.log.begin(), here.log.end(), "replaced"), 1);
  EXPECT_EQ(exits, lines{"noconnection"});
  w.advance(5min);
  EXPECT_FALSE(w.broker().is_connected("here@x"));
  EXPECT_TRUE(retained("here@x").starts_with(R"(["nodeup")"));  // the other's birth stands
}

TEST_P(rule, 9_of_two_programs_with_one_name_the_later_goes_on_and_the_earlier_stops) {
  host& second = w.start("here@x", GetParam());
  w.advance(5min);
  EXPECT_EQ(std::count(here.log.begin(), here.log.end(), "replaced"), 1);
  EXPECT_EQ(std::count(second.log.begin(), second.log.end(), "replaced"), 0);
  EXPECT_TRUE(second.node().is_up());
  EXPECT_TRUE(here.node().is_stopped());
  EXPECT_LE(std::count(second.log.begin(), second.log.end(), "up"), 3) << "no flip-flop";
  EXPECT_EQ(retained("here@x"), encode(write_status({true, "here@x", second.node().creation(), {}})));
}

// 62: to lose the connection is no defeat.
TEST_P(rule, 9_who_has_won_a_name_goes_on_after_a_cut_and_after_the_brokers_death) {
  for (const bool is_cut : {true, false}) {
    auto& one = w.start("twice@x", GetParam());
    w.advance(1s);
    auto& two = w.start("twice@x", GetParam());
    w.advance(10s);
    ASSERT_TRUE(one.node().is_stopped());
    if (is_cut) {
      two.cut();
      w.advance(3min);
      two.heal();
    } else {
      w.broker().crash();
      w.broker().restart();
    }
    w.advance(2min);
    EXPECT_TRUE(two.node().is_up());
    two.kill();
  }
}

// 62: nobody gives way to whom he has not found again.
TEST_P(rule, 9_who_finds_another_goes_on_when_that_dies) {
  auto& one = w.start("twice@x", GetParam());
  w.advance(1s);
  auto& two = w.start("twice@x", GetParam());
  w.advance(1ms);
  ASSERT_TRUE(two.node().is_up());
  while (!one.node().is_up()) w.advance(1ms);  // has taken it back
  two.kill();
  w.broker().crash();
  w.broker().restart();
  w.advance(2min);
  EXPECT_TRUE(one.node().is_up());
  EXPECT_EQ(std::count(one.log.begin(), one.log.end(), "replaced"), 0);
  one.kill();
}

TEST_P(rule, 9_its_own_stale_nodedown_is_answered_with_a_fresh_nodeup) {
  const auto creation = here.node().creation();
  status("nodedown", "here@x", creation - 1, "noconnection");
  EXPECT_EQ(retained("here@x"), encode(write_status({true, "here@x", creation, {}})));
  publish("node/here@x", "", true);
  EXPECT_EQ(here.node().creation(), creation);
  EXPECT_TRUE(exits.empty());
}

TEST_P(rule, 9_a_cleared_status_is_published_again) {
  w.broker().publish({"nodelink/1/test/node/here@x", "", true});
  w.advance(10ms);
  EXPECT_EQ(retained("here@x"), encode(write_status({true, "here@x", here.node().creation(), {}})));
}

TEST_P(rule, 9_a_node_that_all_others_take_for_dead_comes_back_as_a_new_incarnation) {
  const auto creation = here.node().creation();
  status("nodedown", "here@x", creation, "noconnection");
  w.advance(1s);
  EXPECT_GT(here.node().creation(), creation);
  EXPECT_TRUE(here.node().is_up());
  EXPECT_EQ(exits, lines{"noconnection"});
}

TEST_P(rule, 9_a_status_from_near_the_end_of_all_creations_does_no_harm) {
  for (const auto creation : {max_number, max_number - 1, max_number - 999, max_number - 1'000}) {
    const auto before = w.broker().publications();
    status("nodedown", "here@x", creation, "noconnection");
    w.advance(10s);
    EXPECT_LT(w.broker().publications() - before, 20U);
    EXPECT_TRUE(here.node().is_up());
  }
}

TEST_P(rule, 10_a_clean_stop_sends_the_exits_then_nodedown_normal_then_disconnects) {
  std::vector<std::string> sent;
  w.broker().on_publish = [&](const publication& p) { sent.push_back(p.payload); };
  const auto creation = there->node().creation();
  there->node().stop();
  there->run();
  w.advance(1s);
  EXPECT_EQ(sent, (lines{encode(write_exit(peer, "noconnection")),
                         encode(write_status({false, "there@x", creation, "normal"}))}));
  EXPECT_EQ(there->log.back(), "stopped");
  EXPECT_EQ(exits, lines{"noconnection"});
  EXPECT_FALSE(w.broker().is_connected("there@x"));
}
