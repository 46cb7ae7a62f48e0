// The messenger of the seeds: every reply, time-out and exit, on the virtual clock.
#include "core/node_core.hpp"
#include "messenger_world.hpp"

using namespace nodelink::simulation;

using nodelink::encode;
using messenger_test = messenger_world;

static const std::string is_up_but_silent = "! node messenger@super is up, but does not answer";

TEST_F(messenger_test, the_tutorials_conversation) {
  user& peter = logged_on("peter");
  user& james = logged_on("james");
  user& fred = logged_on("fred");
  peter.type("/message fred hello");
  advance(10ms);
  EXPECT_EQ(peter.seen(), lines{"sent"});
  EXPECT_EQ(fred.seen(), lines{R"(Message from peter: "hello")"});
  fred.type("/message peter go away, I'm busy");
  fred.type("/message james fred says hello");
  advance(10ms);
  EXPECT_EQ(fred.seen(), (lines{"sent", "sent"}));
  EXPECT_EQ(james.seen(), lines{R"(Message from fred: "fred says hello")"});
  EXPECT_EQ(peter.seen(), lines{R"(Message from fred: "go away, I'm busy")"});
  peter.type("/logoff");
  advance(10ms);
  EXPECT_EQ(peter.seen(), lines{"logged_off"});
  james.type("/message peter are you there?");
  advance(10ms);
  EXPECT_EQ(james.seen(), lines{"receiver_not_found"});
}

TEST_F(messenger_test, a_name_that_is_taken_is_refused_and_its_owner_unaffected) {  // case 21
  user& peter = logged_on("peter");
  user& other = add_user("other@host");
  other.type("/logon peter");
  other.type("/message peter are you me?");
  advance(10ms);
  EXPECT_EQ(other.seen(), (lines{"user_exists_at_other_node", "not_logged_on"}));
  peter.type("/message peter still me");
  advance(10ms);
  EXPECT_EQ(peter.seen(), (lines{"sent", R"(Message from peter: "still me")"}));  // case 33
}

TEST_F(messenger_test, commands_without_a_logon_and_twice_are_answered_at_the_node) {
  user& peter = add_user("peter@host");
  peter.type("/message fred hello");
  peter.type("/logoff");
  peter.type("/logon peter");
  peter.type("/logon fred");
  advance(10ms);
  EXPECT_EQ(peter.seen(), (lines{"not_logged_on", "not_logged_on", "logged_on", "already_logged_on"}));
}

TEST_F(messenger_test, one_can_log_off_and_on_again_at_once) {
  user& peter = logged_on("peter");
  for (int i = 0; i < 5; ++i) {
    peter.type("/logoff");
    peter.type("/logon peter");
  }
  advance(100ms);
  EXPECT_EQ(peter.seen(), (lines{"logged_off", "logged_on", "logged_off", "logged_on", "logged_off", "logged_on",
                                 "logged_off", "logged_on", "logged_off", "logged_on"}));
}

TEST_F(messenger_test, a_user_whose_node_is_killed_is_logged_off_once_and_the_name_is_free) {  // case 1
  user& peter = logged_on("peter");
  user& fred = logged_on("fred");
  logged();
  peter.host().kill();
  advance(10ms);
  EXPECT_EQ(count_logged("logoff: peter"), 1U);
  fred.type("/message peter hello");
  fred.type("/logoff");
  fred.type("/logon peter");
  advance(10ms);
  EXPECT_EQ(fred.seen(), (lines{"receiver_not_found", "logged_off", "logged_on"}));
  advance(5min);
  EXPECT_EQ(count_logged("logoff: peter"), 0U);
}

TEST_F(messenger_test, a_half_open_connection_holds_its_name_until_the_exit_comes) {  // cases 3, 22
  broker().keepalive = 60s;
  user& peter = logged_on("peter");
  peter.host().cut();
  user& other = add_user("other@host");
  advance(74s);
  other.type("/logon peter");
  advance(10ms);
  EXPECT_EQ(other.seen(), lines{"user_exists_at_other_node"});
  advance(20s);
  other.type("/logon peter");
  advance(10ms);
  EXPECT_EQ(other.seen(), lines{"logged_on"});
  EXPECT_EQ(count_logged("logoff: peter"), 1U);
}

TEST_F(messenger_test, a_short_cut_loses_neither_user_nor_message) {  // case 4
  user& peter = logged_on("peter");
  user& fred = logged_on("fred");
  logged();
  fred.host().cut();
  peter.type("/message fred hello");
  advance(30s);
  EXPECT_EQ(peter.seen(), lines{"sent"});
  EXPECT_EQ(fred.seen(), lines{});
  fred.host().heal();
  advance(1s);
  EXPECT_EQ(fred.seen(), lines{R"(Message from peter: "hello")"});
  EXPECT_EQ(count_logged("logoff"), 0U);
}

TEST_F(messenger_test, the_server_being_killed_ends_every_client_with_noconnection_once) {  // case 29
  user& peter = logged_on("peter");
  user& fred = logged_on("fred");
  server().kill();
  advance(10ms);
  EXPECT_EQ(peter.seen(), lines{"exit: noconnection"});
  EXPECT_EQ(fred.seen(), lines{"exit: noconnection"});
  advance(5min);
  EXPECT_EQ(peter.seen(), lines{});
  peter.type("/message fred hello");
  advance(10ms);
  EXPECT_EQ(peter.seen(), lines{"not_logged_on"});
  boot_server();
  advance(1s);
  peter.type("/logon peter");
  advance(10ms);
  EXPECT_EQ(peter.seen(), lines{"logged_on"});
}

TEST_F(messenger_test, the_server_stopping_cleanly_ends_every_client_with_noconnection_once) {
  user& peter = logged_on("peter");
  user& fred = logged_on("fred");
  user& james = add_user("james@host");
  fred.type("/logoff");
  advance(10ms);
  EXPECT_EQ(fred.seen(), lines{"logged_off"});
  for (const bool is_stopped : {true, false}) {
    is_stopped ? server().node().stop() : server().kill();
    server().run();
    advance(1s);
    lines expected{"exit: noconnection"};
    if (is_stopped) expected.emplace_back("! the server's node messenger@super was stopped by whoever runs it");
    EXPECT_EQ(peter.seen(), expected);
    EXPECT_EQ(fred.seen(), lines{});
    EXPECT_EQ(james.seen(), lines{});
    boot_server();
    advance(10ms);
    peter.type("/logon peter");
    advance(10ms);
    EXPECT_EQ(peter.seen(), lines{"logged_on"});
  }
}

TEST_F(messenger_test, without_a_server_there_is_no_response_after_five_seconds) {  // case 30
  server().kill();
  user& peter = add_user("peter@host");
  peter.type("/logon peter");
  advance(4999ms);
  EXPECT_EQ(peter.seen(), lines{});
  advance(1ms);
  EXPECT_EQ(peter.seen(), lines{"No response from server"});
  EXPECT_EQ(peter.host().log.back(), R"(ended 3: "timeout")");
}

TEST_F(messenger_test, what_is_known_of_a_server_that_does_not_answer_is_said) {
  start("messenger@lab", true);
  const auto logon_at = [&](const std::string& name) {
    user& u = add_user(name + "@host");
    u.type("/logon " + name);
    advance(6s);
    return u.seen();
  };
  const std::string lab = "; up are messenger@lab: see --server";
  server().freeze();
  EXPECT_EQ(logon_at("a"), (lines{"No response from server", is_up_but_silent + lab}));
  server().kill();
  EXPECT_EQ(logon_at("b"), (lines{"No response from server", "! node messenger@super is down" + lab}));
  broker().publish({"nodelink/1/test/node/" + server_node, "", true});
  EXPECT_EQ(logon_at("c"), (lines{"No response from server",
                                  "! this broker knows nothing of a node messenger@super: was the server ever started "
                                  "here?" +
                                      lab}));
  user& cut = add_user("d@host");
  cut.host().cut();
  cut.type("/logon d");
  advance(200s);
  EXPECT_EQ(cut.seen(), (lines{"No response from server", "! the broker does not answer either"}));
}

TEST_F(messenger_test, a_reply_at_4900_ms_counts_and_at_5100_ms_the_client_has_ended) {  // cases 25, 28
  for (const auto& [pause, expected] :
       {std::pair{4900ms, lines{"logged_on"}}, {5100ms, lines{"No response from server", is_up_but_silent}}}) {
    user& peter = add_user("peter" + std::to_string(pause.count()) + "@host");
    server().freeze();
    peter.type("/logon peter");
    advance(pause);
    server().thaw();
    advance(100ms);
    EXPECT_EQ(peter.seen(), expected);
    peter.type("/logoff");
    advance(100ms);
  }
}

TEST_F(messenger_test, no_logon_of_a_client_that_gave_up_stays) {  // case 28
  user& peter = add_user("peter@host");
  server().freeze();
  peter.type("/logon peter");
  advance(6s);
  server().thaw();
  advance(100ms);
  EXPECT_EQ(peter.seen(), (lines{"No response from server", is_up_but_silent}));
  EXPECT_EQ(count_logged("reason timeout, 0 on the list"), 1U);
  peter.type("/logon peter");
  advance(100ms);
  EXPECT_EQ(peter.seen(), lines{"logged_on"});  // case 26: the late reply went to the old pid
}

TEST_F(messenger_test, a_logon_whose_node_has_died_ends_in_noproc_and_leaves_the_list_unchanged) {  // case 7
  user& peter = add_user("peter@host");
  const auto creation = peter.host().node().creation();
  peter.host().kill();
  advance(10ms);
  publish("to/messenger@super/messenger/from/peter@host",
          encode(messenger::logon{{"peter@host", creation, 2}, "peter"}.write()));
  advance(10ms);
  EXPECT_EQ(count_logged("reason noproc, 0 on the list"), 1U);
}

TEST_F(messenger_test, a_new_incarnations_logon_survives_the_late_will_of_the_old) {  // case 5
  user& peter = logged_on("peter");
  const auto old = peter.host().node().creation();
  peter.restart();
  advance(10ms);
  peter.type("/logon peter");
  advance(10ms);
  EXPECT_EQ(peter.seen(), lines{"logged_on"});
  logged();
  publish("node/peter@peter-host", encode(nodelink::write_status({false, "peter@peter-host", old, "noconnection"})),
          true);
  advance(1s);
  EXPECT_EQ(count_logged("logoff"), 0U);
}

TEST_F(messenger_test, a_client_whose_link_is_on_its_way_when_all_ends_is_not_left_behind) {
  for (const bool broker_goes : {false, true}) {
    user& peter = add_user(broker_goes ? "peter@host" : "james@host");
    server().freeze();
    peter.type("/logon peter");
    advance(1ms);
    // Only the reply gets through; the LINK after it never does.
    publish("to/" + to_string(nodelink::pid{peter.host().node().name(), peter.host().node().creation(), 3}) + "/from/" +
                server_node,
            R"(["messenger","logged_on"])");
    advance(10ms);
    EXPECT_EQ(peter.seen(), lines{"logged_on"});
    broker_goes ? broker().stop() : server().kill();
    advance(10ms);
    EXPECT_EQ(peter.seen(), lines{"exit: noconnection"});
    if (!broker_goes) boot_server();
    advance(10ms);
  }
}

TEST_F(messenger_test, a_client_that_waits_keeps_messages_and_shows_them_after_the_reply) {
  user& peter = logged_on("peter");
  user& fred = logged_on("fred");
  // The server is slow with fred's request: peter's message comes first.
  broker().latency = 1ms;
  peter.type("/message fred first");
  advance(3500us);
  fred.type("/message nobody x");
  advance(1s);
  EXPECT_EQ(fred.seen(), (lines{"receiver_not_found", R"(Message from peter: "first")"}));
}

TEST_F(messenger_test, a_reply_nobody_waits_for_is_not_taken_for_the_next_one) {
  user& peter = logged_on("peter");
  publish("to/" + to_string(peter.client()) + "/from/" + server_node, R"(["messenger","sent"])");
  advance(10ms);
  peter.type("/message nobody x");
  advance(10ms);
  EXPECT_EQ(peter.seen(), lines{"receiver_not_found"});
}

TEST_F(messenger_test, the_end_of_input_finishes_logs_off_and_ends) {
  user& peter = logged_on("peter");
  peter.type("/message peter last words");
  peter.end_of_input();
  advance(10ms);
  EXPECT_EQ(peter.seen(), (lines{"sent", R"(Message from peter: "last words")", "logged_off"}));
  EXPECT_TRUE(peter.has_ended());
  EXPECT_EQ(count_logged("logoff: peter was"), 1U);
}

TEST_F(messenger_test, a_broker_restart_ends_every_client_and_all_log_on_anew) {  // cases 34, 46
  user& peter = logged_on("peter");
  user& fred = logged_on("fred");
  broker().stop();
  advance(1s);
  EXPECT_EQ(peter.seen(), lines{"exit: noconnection"});
  EXPECT_EQ(fred.seen(), lines{"exit: noconnection"});
  EXPECT_EQ(count_logged("reason noconnection"), 2U);
  broker().restart();
  advance(40s);
  for (auto* u : {&peter, &fred}) {
    u->type(u == &peter ? "/logon peter" : "/logon fred");
    advance(10ms);
    EXPECT_EQ(u->seen(), lines{"logged_on"});
  }
}

TEST_F(messenger_test, a_ghost_without_a_will_is_gone_within_one_and_a_quarter_net_ticktime) {  // cases 11, 35
  user& peter = logged_on("peter");
  user& fred = logged_on("fred");
  // The node goes with DISCONNECT and without a nodedown: no will, no exit.
  broker().on_publish = [&](const nodelink::publication& p) {
    EXPECT_FALSE(p.topic.ends_with("node/peter@peter-host")) << p.payload;
  };
  peter.host().cut();
  broker().keepalive = 24h;
  logged();
  advance(75s);
  EXPECT_EQ(count_logged("logoff: peter"), 1U);
  fred.type("/message peter x");
  advance(10ms);
  EXPECT_EQ(fred.seen(), lines{"receiver_not_found"});
}

TEST_F(messenger_test, a_hundred_users_killed_at_once_are_a_hundred_logoffs) {  // cases 18, 19
  std::vector<user*> users;
  for (int i = 0; i < 100; ++i) users.push_back(&logged_on("user" + std::to_string(i)));
  user& witness = logged_on("witness");
  logged();
  for (auto* u : users) u->host().kill();
  advance(100ms);
  EXPECT_EQ(count_logged("logoff: user"), 100U);
  witness.type("/message witness still here");
  advance(10ms);
  EXPECT_EQ(witness.seen().front(), "sent");
}

TEST_F(messenger_test, a_name_that_reconnects_again_and_again_ends_as_its_last_incarnation) {  // case 20
  user& peter = logged_on("peter");
  for (int i = 0; i < 100; ++i) {
    peter.restart();
    advance(50ms);
    peter.type("/logon peter");
  }
  advance(1s);
  user& fred = logged_on("fred");
  fred.type("/message peter are you there");
  advance(10ms);
  EXPECT_EQ(fred.seen(), lines{"sent"});
  EXPECT_EQ(peter.seen().back(), R"(Message from fred: "are you there")");
}

TEST_F(messenger_test, a_thousand_users_are_all_on_again_after_the_broker_crashed) {  // case 39
  std::vector<user*> users;
  for (int i = 0; i < 1'000; ++i) {
    users.push_back(&add_user("node" + std::to_string(i) + "@host"));
    users.back()->rejoin();
    users.back()->type("/logon user" + std::to_string(i));
  }
  broker().max_queued = 10'000;
  advance(1s);
  broker().crash();
  advance(5s);
  broker().restart(persistence::none);
  advance(2min);
  for (auto* u : users) ASSERT_EQ(u->seen().back(), "logged_on") << u->host().name();
}

TEST_F(messenger_test, a_user_who_does_nothing_costs_two_messages_each_seven_eighths_of_net_ticktime) {
  logged_on("peter");
  const auto before = broker().publications();
  advance(10h);
  EXPECT_EQ(broker().publications() - before, 1'370U) << "137 an hour: PING and PONG";
}

TEST_F(messenger_test, the_wall_clock_jumping_changes_no_wait) {  // case 27
  user& peter = add_user("peter@host");
  server().freeze();
  peter.type("/logon peter");
  jump_wall_clock(3'600'000ms);
  advance(4s);
  jump_wall_clock(-7'200'000ms);
  server().thaw();
  advance(100ms);
  EXPECT_EQ(peter.seen(), lines{"logged_on"});
}

TEST_F(messenger_test, a_client_frozen_while_its_reply_arrives_takes_the_reply) {
  user& peter = add_user("peter@host");
  peter.type("/logon peter");
  peter.host().freeze();
  advance(6s);
  peter.host().thaw();
  EXPECT_EQ(peter.seen(), lines{"logged_on"});
}

TEST_F(messenger_test, a_pid_that_is_logged_on_gets_its_name_again_and_no_other) {  // case 32
  std::vector<std::string> replies;
  broker().on_publish = [&](const nodelink::publication& p) {
    if (p.topic.find("/to/stranger@x/") != std::string::npos) replies.push_back(p.payload);
  };
  const auto say = [&](const nodelink::term& t) {
    publish("to/messenger@super/messenger/from/stranger@x", encode(t));
    advance(10ms);
  };
  const nodelink::pid stranger{"stranger@x", 7, 1};
  say(messenger::logon{stranger, "stranger"}.write());
  say(messenger::logon{stranger, "stranger"}.write());
  say(messenger::logon{stranger, "other"}.write());
  say(messenger::message_to{stranger, "stranger", "hi"}.write());
  say(messenger::message_to{{"stranger@x", 7, 2}, "stranger", "hi"}.write());
  EXPECT_EQ(replies, (lines{R"(["messenger","logged_on"])",
                            R"(["LINK","messenger@super/)" + std::to_string(server().node().creation()) + R"(-2"])",
                            R"(["messenger","logged_on"])", R"(["messenger","stop","already_logged_on"])",
                            R"(["message_from","stranger","hi"])", R"(["messenger","sent"])",
                            R"(["messenger","stop","you_are_not_logged_on"])"}));
}

TEST_F(messenger_test, the_list_is_logged_when_it_changes_at_debug_as_far_as_a_line_has_room) {
  spdlog::set_level(spdlog::level::debug);
  user& peter = logged_on("peter");
  EXPECT_EQ(logged().back(), "list is now: [{" + to_string(peter.client()) + ", peter}]");
  peter.type("/message nobody x");
  advance(10ms);
  EXPECT_EQ(logged(), lines{});
  for (int i = 0; i < 10; ++i) logged_on("user" + std::to_string(i));
  EXPECT_TRUE(logged().back().ends_with("}, ...]"));
}
