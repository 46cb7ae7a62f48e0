// States: what a node says of itself and the broker keeps (topics.md, R/state).
#include <gtest/gtest.h>

#include <nodelink/simulation/world.hpp>

using namespace nodelink::simulation;
using namespace std::chrono_literals;
using nodelink::message;
using nodelink::term;
using lines = std::vector<std::string>;

class states_test : public testing::Test, public world {
 protected:
  // Hears the state `door` of node a@b.
  std::shared_ptr<lines> listener(host& at) {
    auto heard = std::make_shared<lines>();
    at.node().spawn([heard](nodelink::self me) -> nodelink::process {
      me.listen(nodelink::state_of("door", "a@b"));
      for (;;)
        co_await me.receive([&](const message& m) {
          heard->push_back((m.is_state ? m.channel + " of " + m.from + " " : "?") + nodelink::to_json(m.content));
        });
    });
    at.run();
    advance(10ms);
    return heard;
  }
  void set(host& at, term content) {
    at.node().spawn([content](nodelink::self me) -> nodelink::process {
      me.set_state("door", content);
      co_return;
    });
    at.run();
    advance(10ms);
  }
};

TEST_F(states_test, are_heard_by_who_listens_and_by_who_comes_later) {
  auto& a = start("a@b");
  auto& c = start("c@d");
  advance(10ms);
  const auto early = listener(c);
  set(a, term::array({"open"}));
  set(a, term::array({"shut"}));
  EXPECT_EQ(*early, (lines{R"(door of a@b ["open"])", R"(door of a@b ["shut"])"}));
  EXPECT_EQ(*listener(start("e@f")), lines{R"(door of a@b ["shut"])"});
  EXPECT_EQ(*listener(c), lines{R"(door of a@b ["shut"])"}) << "the second on a node hears the latest too";
}

TEST_F(states_test, may_be_set_without_a_connection_and_stand_over_new_ones) {
  auto& a = start("a@b");
  advance(10ms);
  set(a, term::array({"open"}));
  broker().stop();
  advance(1s);
  ASSERT_FALSE(a.node().is_up());
  set(a, term::array({"shut"}));
  broker().restart();
  advance(1min);
  EXPECT_EQ(*listener(start("c@d")), lines{R"(door of a@b ["shut"])"});
  broker().crash();
  advance(1s);
  broker().restart(persistence::none);
  advance(1min);
  EXPECT_EQ(*listener(start("e@f")), lines{R"(door of a@b ["shut"])"})
      << "a broker that has forgotten it is told again";
}

TEST_F(states_test, can_be_cleared) {
  auto& a = start("a@b");
  auto& c = start("c@d");
  advance(10ms);
  const auto heard = listener(c);
  set(a, term::array({"open"}));
  set(a, nullptr);
  EXPECT_EQ(heard->back(), "door of a@b null");
  EXPECT_EQ(*listener(start("e@f")), lines{});
}

TEST_F(states_test, that_are_no_payload_are_counted_and_not_said) {
  auto& a = start("a@b");
  advance(10ms);
  set(a, "text");
  set(a, term::array({std::string(70'000, 'x')}));
  EXPECT_EQ(a.node().count(nodelink::drop::unsent), 2U);
  EXPECT_EQ(*listener(start("e@f")), lines{});
}
