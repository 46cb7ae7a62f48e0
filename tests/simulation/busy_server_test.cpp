// A server that has read more than it has looked at.
#include "messenger_world.hpp"

using namespace nodelink::simulation;

using busy_server = messenger_world;

TEST_F(busy_server, a_new_incarnation_gets_its_name_though_the_logon_of_the_one_before_is_unread) {  // case 59
  user& bob = add_user("bob@host");
  for (int i = 0; i < 3; ++i) {
    server().freeze();  // busy, or stopped
    bob.type("/logon bob");
    advance(10ms);
    bob.restart();
    advance(10ms);
    bob.type("/logon bob");
    advance(10ms);
    server().thaw();
    advance(10ms);
    EXPECT_EQ(bob.seen(), lines{"logged_on"});
    EXPECT_EQ(count_logged("1 on the list"), 2U);
    bob.restart();
    advance(10ms);
  }
}

TEST_F(busy_server, what_one_node_floods_waits_up_to_a_bound_and_takes_nobody_elses_turn) {  // case 60
  user& bob = logged_on("bob");
  broker().max_queued = 10'000;
  server().freeze();
  for (int i = 0; i < 1'500; ++i)
    publish("to/" + server_node + "/messenger/from/mallory@x", R"(["mallory@x/7-1","message_to","bob","flood"])");
  bob.type("/message bob hello");
  advance(10ms);
  server().thaw();
  advance(100ms);
  EXPECT_EQ(bob.seen(), (lines{"sent", "Message from bob: \"hello\""}));
  EXPECT_EQ(server().node().count(nodelink::drop::overrun), 500U);
  publish("to/" + server_node + "/messenger/from/mallory@x", R"(["mallory@x/7-1","logon","mallory"])");
  advance(10ms);
  EXPECT_EQ(count_logged("logon: mallory"), 1U);  // its share is free again
}

TEST_F(busy_server, a_reply_behind_a_flooded_room_is_heard) {
  user& ann = logged_on("ann");
  std::uint64_t latest = 0;
  broker().on_publish = [&](const publication& p) {
    std::string why;
    if (p.topic.find("/room/") != std::string::npos)
      latest = nodelink::decode(p.payload, why).value()[2].get<std::uint64_t>();
  };
  ann.type("/join");
  advance(10ms);
  ann.seen();
  broker().on_publish = {};
  broker().max_queued = 10'000;
  server().freeze();
  ann.type("/rooms");
  constexpr std::size_t flood = 1'500;
  for (std::size_t i = 0; i < flood; ++i)
    publish("room/lobby/from/" + server_node,
            R"(["said","lobby",)" + std::to_string(latest + 1 + i) + R"(,"bob","x"])");
  advance(10ms);
  server().thaw();
  advance(100ms);
  const auto seen = ann.seen();
  ASSERT_EQ(seen.size(), flood + 1);
  EXPECT_EQ(seen.front(), "rooms: lobby 1");
}

TEST_F(busy_server, what_waits_to_be_sent_holds_up_requests_and_no_time_out) {
  user& bob = logged_on("bob");
  server().congest(true);
  bob.type("/message bob hello");
  advance(1s);
  EXPECT_EQ(bob.seen(), lines{});
  server().congest(false);
  advance(10ms);
  EXPECT_EQ(bob.seen(), (lines{"sent", "Message from bob: \"hello\""}));
  bob.host().congest(true);
  server().freeze();
  bob.type("/message bob hello");
  advance(100ms);
  bob.host().congest(false);
  advance(100ms);
  bob.host().congest(true);
  advance(5s);
  EXPECT_EQ(bob.seen(), lines{"No response from server"});
}
