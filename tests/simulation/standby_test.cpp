// Any number of programs stand by to be the server (hard cases 42 to 46). By chance: standbys_by_chance_test.cpp.
#include "standbys.hpp"

namespace nodelink::simulation {
namespace {

TEST_F(standbys, of_several_the_one_with_the_least_delay_becomes_the_server_and_nobody_takes_it_from_him) {
  auto& late = add("late@x", 5s);
  auto& early = add("early@x", 1s);
  auto& last = add("last@x", 10s);
  w.advance(1900ms);
  EXPECT_EQ(count_serving(), 0U);
  w.advance(1h);
  EXPECT_TRUE(early.is_up_as_server());
  EXPECT_EQ(late.terms() + last.terms(), 0);
  EXPECT_EQ(nodeups, 1);
}

TEST_F(standbys, when_the_server_is_killed_the_next_takes_its_name_and_who_rejoins_is_on_again) {
  auto& first = add("first@x", 0s);
  w.advance(3s);
  auto& second = add("second@x", 1s);
  user& ann = add_user("ann");
  user& bob = add_user("bob");
  first.kill();
  w.advance(1500ms);
  EXPECT_TRUE(second.is_up_as_server());
  w.advance(500ms);
  EXPECT_EQ(ann.seen(), (lines{"exit: noconnection", "! rejoining", "logged_on"}));
  EXPECT_EQ(bob.seen(), (lines{"exit: noconnection", "! rejoining", "logged_on"}));
  ann.type("/message bob still there?");
  w.advance(10ms);
  EXPECT_EQ(bob.seen(), lines{R"(Message from ann: "still there?")"});
  // Who comes back waits, though it has less delay.
  first.restart();
  w.advance(1h);
  EXPECT_FALSE(first.serves());
  EXPECT_EQ(second.terms(), 1);
  EXPECT_EQ(nodeups, 2);
}

TEST_F(standbys, a_server_that_stops_in_order_is_followed_too) {
  auto& first = add("first@x", 0s);
  w.advance(3s);
  auto& second = add("second@x", 0s);
  w.advance(3s);
  first.stop();
  w.advance(300ms);
  EXPECT_TRUE(second.is_up_as_server());
  EXPECT_FALSE(first.is_running());
}

TEST_F(standbys, one_that_waits_ends_when_it_is_told_to_and_takes_nothing_with_it) {
  auto& first = add("first@x", 0s);
  w.advance(3s);
  auto& second = add("second@x", 0s);
  w.advance(3s);
  second.stop();
  w.advance(1min);
  EXPECT_FALSE(second.is_running());
  EXPECT_TRUE(first.is_up_as_server());
  EXPECT_EQ(nodeups, 1);
}

// Case 43.
TEST_F(standbys, a_server_that_was_stopped_for_a_while_stands_by_when_it_goes_on_and_nothing_it_sends_takes_effect) {
  auto& first = add("first@x", 0s);
  w.advance(3s);
  auto& second = add("second@x", 0s);
  user& ann = add_user("ann");
  first.freeze();
  w.advance(10min);
  EXPECT_TRUE(second.is_up_as_server());
  const auto seen = ann.seen();  // whoever notices before the standby does may ask in vain
  EXPECT_EQ(seen.front(), "exit: noconnection");
  EXPECT_EQ(seen.back(), "logged_on");
  const int before = nodeups;
  first.thaw();
  w.advance(1h);
  EXPECT_TRUE(second.is_up_as_server());
  EXPECT_FALSE(first.serves());
  ASSERT_TRUE(first.is_running());
  EXPECT_TRUE(first.node().is_up());
  EXPECT_EQ(nodeups, before);
  EXPECT_EQ(ann.seen(), lines{});
}

// Case 46.
TEST_F(standbys, a_server_that_is_cut_off_stands_by_when_its_cable_is_mended) {
  auto& first = add("first@x", 0s);
  w.advance(3s);
  auto& second = add("second@x", 0s);
  user& ann = add_user("ann");
  first.cut();
  w.advance(10min);
  EXPECT_TRUE(second.is_up_as_server());
  const auto seen = ann.seen();  // whoever notices before the standby does may ask in vain
  EXPECT_EQ(seen.front(), "exit: noconnection");
  EXPECT_EQ(seen.back(), "logged_on");
  first.heal();
  w.advance(1h);
  EXPECT_EQ(count_serving(), 1U);
  EXPECT_TRUE(second.is_up_as_server());
  EXPECT_EQ(ann.seen(), lines{});
}

TEST_F(standbys, one_whose_turn_comes_while_it_is_cut_off_looks_who_serves_by_then) {
  auto& first = add("first@x", 0s);
  w.advance(3s);
  auto& second = add("second@x", 10s);
  auto& third = add("third@x", 20s);
  w.advance(3s);
  first.kill();
  w.advance(1s);
  second.cut();
  w.advance(29s);
  EXPECT_TRUE(third.is_up_as_server());
  second.heal();
  w.advance(1h);
  EXPECT_EQ(second.terms(), 0);
  EXPECT_EQ(third.terms(), 1);
}

TEST_F(standbys, a_server_that_dies_together_with_the_word_of_it_is_asked_after) {
  auto& first = add("first@x", 0s, 20s);
  w.advance(3s);
  auto& second = add("second@x", 0s, 20s);
  w.advance(3s);
  first.kill(false);  // its retained status says that it is up
  w.advance(18s);
  EXPECT_FALSE(second.serves());
  w.advance(8s);
  EXPECT_TRUE(second.is_up_as_server());
}

TEST_F(standbys, one_question_that_is_lost_does_no_harm) {
  add("first@x", 0s);
  w.advance(3s);
  auto& second = add("second@x", 0s);
  int lost = 0;
  w.broker().loses = [&](const nodelink::publication& p) {
    return p.payload.find("PING") != std::string::npos && p.topic.find("/to/" + server_node) != std::string::npos &&
           lost++ % 2 == 0;
  };
  w.advance(1h);
  w.broker().loses = nullptr;
  EXPECT_GE(lost, 60);
  EXPECT_EQ(second.terms(), 0);
}

TEST_F(standbys, one_that_does_not_hear_itself_once_asks_again) {
  int lost = 0;
  w.broker().loses = [&](const nodelink::publication& p) {
    return p.payload.find("PONG") != std::string::npos && lost++ == 0;
  };
  auto& first = add("first@x", 0s);
  w.advance(10s);
  w.broker().loses = nullptr;
  EXPECT_GE(lost, 2);
  EXPECT_TRUE(first.is_up_as_server());
}

TEST_F(standbys, the_delay_begins_with_the_connection) {
  w.broker().freeze();
  auto& first = add("first@x", 20s);
  w.advance(2s);
  w.broker().thaw();
  w.advance(20s);
  EXPECT_FALSE(first.serves());
  w.advance(2s);
  EXPECT_TRUE(first.is_up_as_server());
}

TEST_F(standbys, the_delay_begins_with_the_next_connection) {
  auto& first = add("first@x", 20s);
  w.advance(10s);
  w.broker().stop();
  w.advance(1s);
  w.broker().restart();
  w.advance(19s);
  EXPECT_FALSE(first.serves());
  w.advance(6s);
  EXPECT_TRUE(first.is_up_as_server());
}

// Rules 4 and 9: whoever knew the server that was, takes the next for it only if its creation is higher.
TEST_F(standbys, one_whose_clock_is_behind_outranks_the_server_that_was) {
  for (const auto behind : {10s, 3600s}) {
    auto& first = add("first" + std::to_string(behind.count()) + "@x", 0s);
    w.advance(3s);
    auto& second = add("second" + std::to_string(behind.count()) + "@x", 0s);
    auto& third = add("third" + std::to_string(behind.count()) + "@x", 5s);
    w.advance(3s);
    auto ann = std::make_unique<user>(w, "ann" + std::to_string(behind.count()) + "@x");
    ann->rejoin();
    ann->type("/logon ann");
    w.advance(2s);
    EXPECT_EQ(ann->seen(), lines{"logged_on"});
    w.jump_wall_clock(-behind);
    first.kill();
    w.advance(10min);
    EXPECT_TRUE(second.is_up_as_server());
    EXPECT_EQ(second.terms(), 1);
    EXPECT_EQ(third.terms(), 0);
    EXPECT_EQ(ann->seen(), (lines{"exit: noconnection", "! rejoining", "logged_on"}));
    ann->type("/message ann hello");
    w.advance(1s);
    EXPECT_EQ(ann->seen(), (lines{"sent", R"(Message from ann: "hello")"}));
    w.jump_wall_clock(behind);
    ann->type("/logoff");
    w.advance(1s);
    third.kill();
    second.kill();
    w.advance(1s);
  }
}

TEST_F(standbys, while_the_server_answers_it_is_left_alone_though_its_status_is_lost) {
  add("first@x", 0s, 20s);
  w.advance(3s);
  auto& second = add("second@x", 0s, 20s);
  w.advance(3s);
  w.broker().loses = [](const nodelink::publication& p) { return p.topic.ends_with("/node/" + server_node); };
  w.advance(1h);
  w.broker().loses = nullptr;
  EXPECT_EQ(second.terms(), 0);
}

TEST_F(standbys, however_long_its_connection_takes_it_looks_first_who_serves) {
  add("first@x", 0s);
  w.advance(3s);
  w.broker().jitter = 100ms;
  for (auto slow = 0ms; slow < 4s; slow += 40ms) {
    w.broker().freeze();
    auto& late = add("late" + std::to_string(slow.count()) + "@x", 0s);
    w.advance(slow);
    w.broker().thaw();
    w.advance(5s);
    late.kill();
  }
  EXPECT_EQ(nodeups, 1);
}

TEST_F(standbys, after_a_restart_of_the_broker_one_serves_and_the_others_wait) {
  add("first@x", 0s);
  w.advance(3s);
  add("second@x", 1s);
  add("third@x", 2s);
  user& ann = add_user("ann");
  for (const bool is_crash : {false, true})
    for (const auto what_is_retained : {persistence::kept, persistence::none}) {
      is_crash ? w.broker().crash() : w.broker().stop();
      w.advance(5s);
      w.broker().restart(what_is_retained);
      w.advance(30s);
      EXPECT_EQ(count_serving(), 1U);
      w.advance(2min);
      EXPECT_EQ(count_serving(), 1U);
      EXPECT_EQ(ann.seen().back(), "logged_on");
    }
}

}  // namespace
}  // namespace nodelink::simulation
