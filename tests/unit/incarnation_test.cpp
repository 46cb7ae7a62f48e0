// Two programs of one name, and the own will: moments that no schedule hits by chance.
#include "core/incarnation.hpp"

#include <gtest/gtest.h>

using namespace nodelink;
using namespace std::chrono_literals;

namespace {

struct silent_transport final : transport {
  void connect(const std::string&, const publication&, transport_events&) override {}
  void subscribe(const std::vector<subscription>&) override {}
  void unsubscribe(const std::vector<std::string>&) override {}
  void publish(publication p) override { said.push_back(p.payload); }
  void close() override {}
  void abort() override {}
  void withdraw() override {}

  std::vector<std::string> said;
};

class established : public testing::Test {
 protected:
  explicit established(int patience = node_settings::usual_patience) : patience(patience) {
    node.start();
    come_up();
    hear({true, "me@x", node.creation(), {}});
  }

  void come_up() {
    node.connected();
    node.subscribed();
  }
  void hear(node_status s) { node.own_status(std::move(s)); }
  void lose_connection() { node.disconnected({connection_loss::kind::lost, "cut"}); }
  // The next connection takes the name from somebody else.
  void find_rival() {
    time += 1s;
    node.run();
    come_up();
    hear({false, "me@x", node.creation() - 1, "noconnection"});
  }

  const int patience;
  instant time{};
  std::uint64_t clock = 1'000;
  int replaced = 0, unheard = 0, stopped = 0;
  std::vector<connection_loss::kind> losses;
  silent_transport via;
  topics where{"nodelink/1", "test"};
  incarnation node{
      "me@x",
      patience,
      where,
      {.now = [this] { return time; }, .unix_time_ms = [this] { return clock += 100; }, .random = [] { return 0; }},
      via,
      {},
      {.up = [] {},
       .down = [] {},
       .lost = [this](const connection_loss& loss, duration) { losses.push_back(loss.what); },
       .replaced = [this](std::uint64_t) { ++replaced; },
       .unheard = [this] { ++unheard; },
       .stopped = [this] { ++stopped; },
       .received = [](auto, auto, bool) {}}};
};

class giving_way : public established {
 protected:
  giving_way() {
    lose_connection();
    find_rival();  // once
    lose_connection();
    find_rival();  // twice
  }
};

class replacing : public established {
 protected:
  replacing() : established(8) {}

  // How often it finds the other before it gives way.
  int finds() {
    int found = 0;
    for (; !via.said.back().ends_with(R"("normal"])") && found < 20; ++found) {
      lose_connection();
      find_rival();
    }
    return found;
  }
};

}  // namespace

// The broker has given up the connection, and says so to everybody before it closes it.
TEST_F(established, has_lost_its_connection_when_it_hears_its_own_will) {
  hear({false, "me@x", node.creation(), "noconnection"});
  EXPECT_EQ(losses, std::vector{connection_loss::kind::lost});
}

TEST_F(established, is_outranked_by_a_higher_creation_that_is_down) {
  const auto before = node.creation();
  hear({false, "me@x", before + 1'000, "noconnection"});
  EXPECT_EQ(losses, std::vector{connection_loss::kind::outranked});
  time += 1s;
  node.run();
  EXPECT_GT(node.creation(), before + 1'000);
}

TEST_F(established, says_once_that_it_hears_nothing_of_itself) {
  const auto wait = [this](duration d) {
    time += d;
    node.run();
  };
  wait(1h);
  EXPECT_EQ(unheard, 0);
  lose_connection();
  wait(1s);
  come_up();
  wait(incarnation::longest_echo - 1ms);
  EXPECT_EQ(unheard, 0);
  wait(1ms);
  EXPECT_EQ(unheard, 1);
  wait(1h);
  EXPECT_EQ(unheard, 1);
  EXPECT_TRUE(node.is_up());
}

TEST_F(established, backs_off_from_a_broker_that_is_gone_though_its_name_was_contested) {
  lose_connection();
  find_rival();
  duration longest{};
  for (int i = 0; i < 6; ++i) {
    node.disconnected({connection_loss::kind::unreachable, "nobody there"});
    longest = std::max(longest, *node.next_deadline() - time);
    time = *node.next_deadline();
    node.run();
  }
  EXPECT_GE(longest, 2s);
}

TEST_F(replacing, gives_way_only_when_the_other_does_not) { EXPECT_EQ(finds(), patience); }

TEST_F(replacing, is_over_when_the_connection_has_stood) {
  time += incarnation::uncontested_after;
  EXPECT_EQ(finds(), node_settings::usual_patience);
}

TEST_F(giving_way, is_over_when_the_last_word_is_acknowledged) {
  EXPECT_TRUE(via.said.back().ends_with(R"("normal"])")) << via.said.back();
  EXPECT_EQ(replaced, 0);
  node.closed();
  EXPECT_EQ(replaced, 1);
  EXPECT_EQ(stopped, 1);
}

TEST_F(giving_way, is_no_more_when_the_connection_is_lost_before) {
  lose_connection();
  EXPECT_EQ(stopped, 0);
  time += 1s;
  node.run();
  come_up();
  hear({false, "me@x", node.creation() - 1, "normal"});  // of the other, who has given way
  EXPECT_TRUE(node.is_up());
  EXPECT_EQ(replaced, 0);
}

TEST_F(giving_way, ends_whoever_is_told_to_stop_whatever_becomes_of_the_last_word) {
  node.stop();
  lose_connection();
  EXPECT_EQ(stopped, 1);
  EXPECT_EQ(replaced, 0);
}
