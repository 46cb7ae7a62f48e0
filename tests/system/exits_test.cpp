// Exit signals for real: deaths of every kind at a real Mosquitto, and what the server makes of each.
#include <csignal>
#include <fstream>

#include "system/programs.hpp"
#include "system/raw_node.hpp"

using namespace testing_system;
using clock_ = std::chrono::steady_clock;

namespace {

struct deaths : testing::Test {
  mosquitto broker;
  program server;

  explicit deaths(const char* ticktime = "60") : server(start_server(broker, {"--net-ticktime", ticktime})) {}
  std::size_t logoffs(const std::string& name = "") {
    return count(server.errors(), "logoff: " + name + (name.empty() ? "" : " was"));
  }
  void expect_off(const std::string& name, const std::string& reason) {
    EXPECT_TRUE(server.says("logoff: " + name + " was")) << server.errors();
    EXPECT_TRUE(server.says("reason " + reason)) << server.errors();
    EXPECT_EQ(logoffs(name), 1U);
  }
  void expect_serving(const std::string& name = "witness") {
    raw_node witness(broker.port(), name + "@w", 1);
    EXPECT_EQ(witness.logon(name), R"(["messenger","logged_on"])");
  }
};

// With a short tick, for what no will tells.
struct exits : deaths {
  static constexpr double net_ticktime = 4;
  exits() : deaths("4") {}

  // Off by the tick: not at once, and within one and a quarter net_ticktime.
  void expect_off_by_tick(const std::string& name, clock_::time_point death) {
    EXPECT_TRUE(server.says("logoff: " + name + " was")) << server.errors();
    const auto took = seconds_since(death);
    EXPECT_GT(took, 0.5) << "by a will?";
    EXPECT_LT(took, 1.25 * net_ticktime + busy);
    EXPECT_EQ(logoffs(name), 1U);
  }
};

}  // namespace

TEST_F(deaths, a_stopped_client_is_off_after_one_and_a_half_keepalives_and_learns_it) {  // case 2
  auto peter = start_user(broker, "peter", {"-k", "4"});
  const auto stopped = clock_::now();
  peter.signal(SIGSTOP);
  ASSERT_TRUE(server.says("logoff: peter was"));
  EXPECT_GE(seconds_since(stopped), 1.5 * 4 - 2.1)
      << "its last packet came up to a second before, and Mosquitto counts whole ones";
  EXPECT_LT(seconds_since(stopped), 1.5 * 4 + 2 + busy);
  peter.signal(SIGCONT);
  EXPECT_EQ(line_of(peter), "exit: noconnection");
  EXPECT_TRUE(eventually([&] { return ask(peter, "/logon peter") == "logged_on"; })) << peter.errors();
  EXPECT_EQ(logoffs("peter"), 1U);
}

TEST_F(exits, a_will_that_comes_before_the_logon_of_its_incarnation_leaves_the_list_as_it_was) {  // case 7
  raw_node(broker.port(), "peter@x", 7).connection.close();
  auto watcher = broker.subscribe(root_topic + "node/peter@x");
  ASSERT_NE(line_of(watcher).find("nodedown"), std::string::npos);
  broker.publish(root_topic + "to/messenger@test/messenger/from/peter@x", R"(["peter@x/7-1","logon","peter"])");
  expect_off("peter", "noproc");
  expect_serving("peter");
}

TEST_F(exits, a_nodedown_that_comes_again_does_nothing) {  // case 8
  raw_node peter(broker.port(), "peter@x", 7);
  ASSERT_EQ(peter.logon("peter"), R"(["messenger","logged_on"])");
  peter.connection.close();
  expect_off("peter", "noconnection");
  raw_node again(broker.port(), "peter@x", 8);
  ASSERT_EQ(again.logon("peter"), R"(["messenger","logged_on"])");
  for (int i = 0; i < 3; ++i)
    broker.publish(root_topic + "node/peter@x", R"(["nodedown","peter@x",7,"noconnection"])", true);
  again.send("messenger", "[\"" + again.pid() + R"(","message_to","peter","still on"])");
  while (again.next().find("sent") == std::string::npos) ASSERT_TRUE(again.connection.is_open());
  EXPECT_EQ(logoffs("peter"), 1U);
}

TEST_F(exits, an_exit_and_then_a_nodedown_or_a_will_is_one_logoff) {  // cases 9, 10, 31
  for (const bool clean : {true, false}) {
    const std::string name = clean ? "clean" : "killed";
    raw_node node(broker.port(), name + "@x", 7);
    ASSERT_EQ(node.logon(name), R"(["messenger","logged_on"])");
    node.send("messenger", "[\"EXIT\",\"" + node.pid() + R"(","normal"])");
    if (clean) {
      node.say_nodedown("normal");
      node.connection.disconnect();
    } else {
      ASSERT_TRUE(server.says("logoff: " + name));
      node.connection.close();
    }
    expect_off(name, "normal");
  }
  expect_serving();  // and the witness is logged off too, sooner or later
  for (const auto* name : {"clean", "killed"}) EXPECT_EQ(logoffs(name), 1U);
}

TEST_F(exits, a_disconnect_without_a_nodedown_is_found_by_the_tick) {  // case 11
  raw_node peter(broker.port(), "peter@x", 7);
  ASSERT_EQ(peter.logon("peter"), R"(["messenger","logged_on"])");
  peter.connection.disconnect();
  expect_off_by_tick("peter", clock_::now());
}

TEST_F(exits, a_second_connect_that_swallows_the_will_is_found_by_the_tick) {  // case 12
  raw_node peter(broker.port(), "peter@x", 7);
  ASSERT_EQ(peter.logon("peter"), R"(["messenger","logged_on"])");
  peter.connection.send(peter.connection.connect_packet("peter@x"));
  expect_off_by_tick("peter", clock_::now());
}

TEST_F(exits, a_disconnect_with_will_is_a_death_like_any_other) {  // case 13
  raw_node peter(broker.port(), "peter@x", 7, true);
  ASSERT_EQ(peter.logon("peter"), R"(["messenger","logged_on"])");
  peter.connection.disconnect(0x04);
  expect_off("peter", "noconnection");
}

TEST_F(exits, malformed_bytes_of_a_user_end_him_and_nobody_else) {  // case 14
  raw_node fred(broker.port(), "fred@x", 7), peter(broker.port(), "peter@x", 7);
  ASSERT_EQ(fred.logon("fred"), R"(["messenger","logged_on"])");
  ASSERT_EQ(peter.logon("peter"), R"(["messenger","logged_on"])");
  peter.connection.send(std::string("\xf7\xff\xff\xff\xff\xff garbage", 14));
  expect_off("peter", "noconnection");
  EXPECT_EQ(logoffs("fred"), 0U);
  expect_serving();
}

TEST(exits_with_acl, a_will_that_is_refused_is_found_by_the_tick) {  // case 15
  const std::string acl = make_folder() + "/acl";
  std::ofstream(acl) << "pattern readwrite messenger/1/messenger/to/#\npattern read messenger/1/messenger/node/#\n"
                        "topic readwrite messenger/1/messenger/to/#\ntopic read messenger/1/messenger/node/#\n"
                        "topic readwrite messenger/1/messenger/node/messenger@test\n";
  mosquitto broker("allow_anonymous true\nacl_file " + acl);
  auto server = start_server(broker, {"--net-ticktime", "4"});
  raw_node peter(broker.port(), "peter@x", 7);
  ASSERT_EQ(peter.logon("peter"), R"(["messenger","logged_on"])");
  const auto death = clock_::now();
  peter.connection.close();
  ASSERT_TRUE(server.says("logoff: peter was"));
  EXPECT_GT(seconds_since(death), 0.5);
  EXPECT_LT(seconds_since(death), 1.25 * 4 + busy);
}

TEST(exits_with_acl, a_node_that_may_not_speak_for_itself_says_so) {
  const std::string acl = make_folder() + "/acl";
  std::ofstream(acl) << "topic readwrite messenger/1/messenger/+/peter@test/#\n";
  mosquitto broker("allow_anonymous true\nacl_file " + acl);
  auto server = start_server(broker);
  EXPECT_TRUE(server.says("has sent back nothing of what node messenger@test says of itself")) << server.errors();
}

TEST_F(exits, a_reset_with_unread_data_is_a_death) {  // case 16
  raw_node peter(broker.port(), "peter@x", 7);
  ASSERT_EQ(peter.logon("peter"), R"(["messenger","logged_on"])");
  for (int i = 0; i < 50; ++i) peter.send("messenger", "[\"" + peter.pid() + R"(","message_to","peter","unread"])");
  peter.connection.close(true);
  expect_off("peter", "noconnection");
  expect_serving();
}

TEST_F(exits, a_link_to_a_process_that_is_no_more_gives_noproc) {  // case 17
  raw_node peter(broker.port(), "peter@x", 7);
  ASSERT_EQ(peter.logon("peter"), R"(["messenger","logged_on"])");
  std::string server_pid = peter.next();  // PROCESS ["LINK","messenger@test/C-S"]
  server_pid = server_pid.substr(server_pid.find('/') + 1);
  const auto creation = server_pid.substr(0, server_pid.find('-'));
  peter.send(creation + "-99", "[\"LINK\",\"" + peter.pid() + "\"]");
  EXPECT_EQ(peter.next(), "7-1 [\"EXIT\",\"messenger@test/" + creation + R"(-99","noproc"])");
}

TEST_F(exits, nodes_that_die_together_are_logged_off_each_once) {  // cases 18, 19
  constexpr int many = 500;
  std::vector<raw_node> nodes;
  nodes.reserve(many);
  for (int i = 0; i < many; ++i) {
    nodes.emplace_back(broker.port(), "node" + std::to_string(i) + "@x", 7);
    ASSERT_EQ(nodes.back().logon("user" + std::to_string(i)), R"(["messenger","logged_on"])") << i << "\n"
                                                                                              << server.errors();
  }
  raw_node survivor(broker.port(), "survivor@x", 7);
  ASSERT_EQ(survivor.logon("survivor"), R"(["messenger","logged_on"])");
  const auto death = clock_::now();
  for (auto& n : nodes) n.connection.close();
  ASSERT_TRUE(server.says("reason noconnection (its node died), 1 on the list")) << logoffs();
  std::printf("%d logoffs %.0f ms after the first of as many deaths\n", many, 1000 * seconds_since(death));
  EXPECT_EQ(logoffs(), static_cast<std::size_t>(many));
  EXPECT_EQ(logoffs("survivor"), 0U);
}

TEST_F(exits, a_name_that_reconnects_twenty_times_a_second_ends_as_its_last_incarnation) {  // cases 5, 6, 20
  std::unique_ptr<raw_node> peter;
  constexpr std::uint64_t times = 60;
  for (std::uint64_t i = 1; i <= times; ++i) {
    auto next = std::make_unique<raw_node>(broker.port(), "peter@x", i);  // takes the name over: the will of the last
    ASSERT_EQ(next->logon("peter"), R"(["messenger","logged_on"])") << i << "\n" << server.errors();
    peter = std::move(next);
    nap(50ms);
  }
  EXPECT_TRUE(eventually([&] { return logoffs("peter") == times - 1; }));
  peter->send("messenger", "[\"" + peter->pid() + R"(","message_to","peter","last"])");
  std::string seen;
  while (seen.find("message_from") == std::string::npos) ASSERT_FALSE((seen = peter->next()).empty());
  EXPECT_TRUE(seen.starts_with(std::to_string(times) + "-1 ")) << seen;
  EXPECT_EQ(logoffs("peter"), times - 1);
}

TEST_F(deaths, a_name_on_a_half_open_connection_is_taken_until_the_exit_comes) {  // case 22
  auto peter = start_user(broker, "peter", {"-k", "2"});
  peter.signal(SIGSTOP);
  raw_node other(broker.port(), "other@x", 7);
  EXPECT_EQ(other.logon("peter", 1), R"(["messenger","stop","user_exists_at_other_node"])");
  ASSERT_TRUE(server.says("logoff: peter was"));
  EXPECT_EQ(other.logon("peter", 2), R"(["messenger","logged_on"])");
  EXPECT_TRUE(eventually([&] { return count(server.errors(), "logon: peter is") == 2; })) << server.errors();
}

TEST_F(exits, messages_to_and_from_who_dies_hang_nobody) {  // cases 23, 24
  auto peter = start_user(broker, "peter"), fred = start_user(broker, "fred");
  fred.signal(SIGKILL);
  const auto reply = ask(peter, "/message fred are you there?");
  EXPECT_TRUE(reply == "sent" || reply == "receiver_not_found") << reply;
  server.signal(SIGSTOP);
  peter.type("/message peter who asks?");
  nap(100ms);
  peter.signal(SIGKILL);
  server.signal(SIGCONT);
  EXPECT_TRUE(server.says("logoff: peter was"));
  expect_serving();
}

TEST_F(exits, a_logon_that_comes_twice_is_answered_the_same) {  // case 32
  raw_node peter(broker.port(), "peter@x", 7);
  EXPECT_EQ(peter.logon("peter"), R"(["messenger","logged_on"])");
  EXPECT_EQ(peter.logon("peter"), R"(["messenger","logged_on"])");
  peter.connection.close();
  expect_off("peter", "noconnection");
  EXPECT_EQ(count(server.errors(), "logon: peter is"), 1U);
}

TEST_F(exits, who_dies_while_the_broker_is_away_is_off_the_list) {  // case 35
  auto peter = start_user(broker, "peter"), fred = start_user(broker, "fred");
  broker.kill();
  peter.signal(SIGKILL);
  EXPECT_EQ(line_of(fred), "exit: noconnection");
  EXPECT_TRUE(server.says("logoff: peter was"));
  broker.start();
  EXPECT_TRUE(eventually([&] { return ask(fred, "/logon peter") == "logged_on"; })) << fred.errors();
}

TEST_F(exits, a_stopped_broker_makes_clients_time_out_and_nothing_stale_takes_effect) {  // case 37
  auto fred = start_user(broker, "fred");
  auto peter = start_client(broker, "peter");
  ASSERT_EQ(ask(peter, "/logoff"), "not_logged_on");
  nap(100ms);
  broker.signal(SIGSTOP);
  EXPECT_EQ(ask(peter, "/logon peter"), "No response from server");
  EXPECT_EQ(ask(fred, "/message fred x"), "No response from server");
  nap(2s);
  broker.signal(SIGCONT);
  EXPECT_TRUE(server.says("logoff: fred was")) << server.errors();
  EXPECT_TRUE(server.says("logoff: peter was")) << "the late logon of a process that gave up";
  EXPECT_EQ(ask(peter, "/logon peter"), "logged_on");
  EXPECT_EQ(ask(fred, "/logon fred"), "logged_on");
  EXPECT_EQ(peter.rest(), lines{});
  EXPECT_EQ(fred.rest(), lines{}) << "the old message does not come";
}

TEST_F(exits, a_will_that_the_broker_drops_from_a_full_queue_is_made_good_by_the_tick) {  // case 40
  raw_node peter(broker.port(), "peter@x", 7), flood(broker.port(), "flood@x", 7);
  ASSERT_EQ(peter.logon("peter"), R"(["messenger","logged_on"])");
  server.signal(SIGSTOP);
  for (int i = 0; i < 1'200; ++i) flood.send("messenger", R"(["flood@x/7-1","message_to","nobody","x"])");
  flood.connection.subscribe("none");  // through
  peter.connection.close();
  nap(300ms);
  const auto goes_on = clock_::now();
  server.signal(SIGCONT);
  ASSERT_TRUE(server.says("logoff: peter was")) << server.errors();
  EXPECT_GT(seconds_since(goes_on), 0.5) << "the will was not dropped";
  EXPECT_LT(seconds_since(goes_on), 1.25 * net_ticktime + busy);
  EXPECT_EQ(logoffs("peter"), 1U);
  expect_serving("peter");
}

TEST_F(exits, of_an_old_server_that_was_stopped_nothing_takes_effect_and_it_ends) {  // cases 43, 44
  auto peter = start_user(broker, "peter");
  server.signal(SIGSTOP);
  auto next = start_server(broker, {"--net-ticktime", "4"});
  EXPECT_EQ(line_of(peter), "exit: noconnection");
  EXPECT_EQ(ask(peter, "/logon peter"), "logged_on");
  nap(1s);  // with the time before, longer than a contest
  server.signal(SIGCONT);
  EXPECT_EQ(server.end(), 1);
  EXPECT_NE(server.errors().find("has replaced this one; this one stops"), std::string::npos) << server.errors();
  // What it did to find out ended the connection of the new one, once.
  EXPECT_EQ(line_of(peter), "exit: noconnection");
  EXPECT_TRUE(eventually([&] { return ask(peter, "/logon peter") == "logged_on"; }));
  EXPECT_EQ(ask(peter, "/message peter hello"), "sent");
}

TEST_F(exits, nodes_that_are_retained_and_gone_are_not_on_the_list_of_a_new_server) {  // case 45
  {
    raw_node gone(broker.port(), "gone@x", 7);
    gone.logon("gone");
    gone.connection.disconnect();
  }  // nodeup stays retained
  server.signal(SIGKILL);
  server.end();
  auto next = start_server(broker);
  raw_node other(broker.port(), "other@x", 7);
  EXPECT_EQ(other.logon("gone"), R"(["messenger","logged_on"])");
  EXPECT_TRUE(next.says("logon: gone is other@x"));
  EXPECT_EQ(count(next.errors(), "on the list"), 1U);
}

TEST_F(deaths, after_a_broker_that_was_killed_everybody_comes_back) {  // case 39
  std::vector<program> users;
  for (int i = 0; i < 30; ++i) users.push_back(start_user(broker, "user" + std::to_string(i), {"--rejoin"}));
  broker.kill();
  for (auto& u : users) EXPECT_EQ(line_of(u), "exit: noconnection");
  broker.start();
  for (auto& u : users) {
    std::string line;
    while ((line = line_of(u)) != "logged_on") ASSERT_FALSE(line.starts_with("(nothing")) << line;
  }
  EXPECT_TRUE(server.says("30 on the list"));
}

TEST_F(deaths, everything_is_sent_with_one_qos) {  // case 41
  auto peter = start_user(broker, "peter");
  EXPECT_EQ(ask(peter, "/message peter to myself"), "sent");
  EXPECT_EQ(line_of(peter), R"(Message from peter: "to myself")");  // case 33
  EXPECT_EQ(ask(peter, "/logoff"), "logged_off");
  EXPECT_GE(count(broker.log(), ", q1, "), 10U);
  EXPECT_EQ(count(broker.log(), ", q0, "), 0U) << broker.log();
}
