#include "paho/outbox.hpp"

#include <gtest/gtest.h>

using nodelink::paho::outbox;

namespace {

// How many leave now.
int leaving(outbox& o) {
  int n = 0;
  while (o.next()) ++n;
  return n;
}

outbox with(int queued, int receive_maximum = 65'535) {
  outbox o;
  o.set_receive_maximum(receive_maximum);
  for (int i = 0; i < queued; ++i) o.put({"t", std::to_string(i)});
  return o;
}

}  // namespace

TEST(an_outbox, lets_one_less_leave_than_the_broker_takes_and_never_more_than_a_hundred) {
  for (const auto& [maximum, wanted] : {std::pair{1, 1}, {2, 1}, {20, 19}, {101, 100}, {65'535, 100}}) {
    auto o = with(300, maximum);
    EXPECT_EQ(leaving(o), wanted);
  }
}

TEST(an_outbox, goes_on_when_some_are_acknowledged) {
  auto o = with(30, 21);
  EXPECT_EQ(o.awaited_acknowledgements(), 0);
  EXPECT_EQ(leaving(o), 20);
  EXPECT_EQ(o.awaited_acknowledgements(), 5);
  o.acknowledged(5);
  EXPECT_EQ(leaving(o), 5);
  o.acknowledged(20);
  EXPECT_EQ(leaving(o), 5);
  EXPECT_EQ(o.awaited_acknowledgements(), 0);
}

TEST(an_outbox, keeps_the_order_but_for_what_is_urgent) {
  auto o = with(2);
  o.put({"t", "now", false, 0, 1, true});
  EXPECT_EQ(o.next()->payload, "now");
  EXPECT_EQ(o.next()->payload, "0");
  EXPECT_EQ(o.next()->payload, "1");
}

TEST(an_outbox, waits_for_each_answer) {
  auto o = with(1);
  o.wait_for(2);
  EXPECT_EQ(leaving(o), 0);
  o.answered();
  EXPECT_EQ(leaving(o), 0);
  o.answered();
  EXPECT_EQ(leaving(o), 1);
}

TEST(an_outbox, is_through_when_all_has_left_and_is_acknowledged) {
  auto o = with(1);
  EXPECT_FALSE(o.is_through());
  o.close();
  EXPECT_FALSE(o.is_through());
  EXPECT_EQ(leaving(o), 1);
  EXPECT_FALSE(o.is_through());
  EXPECT_EQ(o.awaited_acknowledgements(), 1);
  o.acknowledged(1);
  EXPECT_TRUE(o.is_through());
}

TEST(an_outbox, that_waits_for_an_answer_is_not_through) {
  auto o = with(0);
  o.wait_for(1);
  o.close();
  EXPECT_FALSE(o.is_through());
  o.answered();
  EXPECT_TRUE(o.is_through());
}

TEST(an_outbox, is_congested_when_much_waits) {
  auto o = with(100 + 199);
  EXPECT_EQ(leaving(o), 100);
  EXPECT_FALSE(o.is_congested());
  o.put({"t", "one more"});
  EXPECT_TRUE(o.is_congested());
}
