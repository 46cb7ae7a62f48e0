// What people do with the two programs.
#include <csignal>

#include "system/programs.hpp"
#include "system/raw_node.hpp"

using namespace testing_system;

class conversation : public testing::TestWithParam<const char*> {
 protected:
  std::vector<std::string> version{"-V", GetParam()};
};
INSTANTIATE_TEST_SUITE_P(mqtt, conversation, testing::Values("mqttv5", "mqttv311"),
                         [](const auto& p) { return p.param; });

TEST_P(conversation, of_the_tutorial) {
  mosquitto broker;
  auto server = start_server(broker, version);
  auto peter = start_user(broker, "peter", version);
  auto james = start_user(broker, "james", version);
  auto fred = start_user(broker, "fred", version);
  EXPECT_EQ(ask(peter, "/message fred hello"), "sent");
  EXPECT_EQ(line_of(fred), R"(Message from peter: "hello")");
  EXPECT_EQ(ask(fred, "/message peter go away, I'm busy"), "sent");
  EXPECT_EQ(line_of(peter), R"(Message from fred: "go away, I'm busy")");
  EXPECT_EQ(ask(fred, "/message james fred says hello"), "sent");
  EXPECT_EQ(line_of(james), R"(Message from fred: "fred says hello")");
  EXPECT_EQ(ask(james, "/message nobody x"), "receiver_not_found");
  EXPECT_EQ(ask(peter, "/logon peter"), "already_logged_on");
  EXPECT_EQ(ask(peter, "/logoff"), "logged_off");
  EXPECT_EQ(ask(peter, "/message fred x"), "not_logged_on");
  EXPECT_EQ(ask(peter, "/logon fred"), "user_exists_at_other_node");
  EXPECT_EQ(ask(james, "/message peter are you there?"), "receiver_not_found");
  for (auto* client : {&peter, &james, &fred}) {
    client->end_input();
    EXPECT_EQ(client->end(), 0);
  }
  EXPECT_EQ(james.rest(), lines{"logged_off"});
  EXPECT_TRUE(server.says("0 on the list"));
  server.signal(SIGTERM);
  EXPECT_EQ(server.end(), 0);
}

TEST_P(conversation, typed_all_at_once_is_answered_line_by_line) {
  mosquitto broker;
  auto server = start_server(broker, version);
  auto peter = start_client(broker, "peter", version);
  peter.type_raw(
      "/message a b\n/logon peter\n/logoff\n/logon peter\n/logoff\n/logon Peter\n/message Peter me\n\n/message nobody "
      "x");
  peter.end_input();
  EXPECT_EQ(peter.end(), 0) << peter.errors();
  EXPECT_EQ(peter.rest(), (lines{"not_logged_on", "logged_on", "logged_off", "logged_on", "logged_off", "logged_on",
                                 "sent", R"(Message from Peter: "me")", "receiver_not_found", "logged_off"}));
}

TEST_P(conversation, of_more_than_a_socket_takes_arrives_whole_and_in_order) {
  constexpr int messages = 40;
  mosquitto broker("max_inflight_messages 0\nmax_queued_messages 10000");
  auto server = start_server(broker, version);
  raw_node sender(broker.port(), "sender@test", 1'795'000'000'000),
      receiver(broker.port(), "receiver@test", 1'795'000'000'000);
  ASSERT_EQ(sender.logon("sender"), R"(["messenger","logged_on"])");
  ASSERT_EQ(receiver.logon("receiver"), R"(["messenger","logged_on"])");
  for (auto* node : {&sender, &receiver}) ASSERT_TRUE(node->next().find("LINK") != std::string::npos);
  const std::string filler(60'000, '.');
  const auto text = [&filler](int i) { return std::to_string(i) + filler; };
  server.signal(SIGSTOP);  // so that all of it is there at once
  for (int i = 0; i < messages; ++i)
    sender.send("messenger", "[\"" + sender.pid() + R"(","message_to","receiver",")" + text(i) + "\"]");
  server.signal(SIGCONT);
  for (int i = 0; i < messages; ++i) {
    const auto message = receiver.next(patience);
    ASSERT_TRUE(message.find("\"sender\",\"" + text(i)) != std::string::npos) << i << ": " << message.substr(0, 100);
  }
  for (int i = 0; i < messages; ++i) EXPECT_TRUE(sender.next().find("\"sent\"") != std::string::npos) << i;
}

TEST_P(conversation, with_qos_0_has_it_on_all_that_goes_to_an_inbox_and_on_nothing_else) {
  mosquitto broker;
  auto qos_0 = version;
  qos_0.insert(qos_0.end(), {"-q", "0"});
  auto server = start_server(broker, qos_0);
  auto peter = start_user(broker, "peter", qos_0);
  EXPECT_EQ(ask(peter, "/message peter hello"), "sent");
  EXPECT_EQ(line_of(peter), R"(Message from peter: "hello")");
  EXPECT_EQ(ask(peter, "/logoff"), "logged_off");
  EXPECT_TRUE(server.says("0 on the list"));
  const auto log = broker.log();
  for (const std::string node : {"messenger@test", "peter@test"}) {
    const std::string received = "Received PUBLISH from " + node + " (d0, q";
    EXPECT_EQ(count(log, received + "1, r1"), node == "peter@test" ? 1U : 2U) << "its nodeup; and the server's figures";
    EXPECT_GE(count(log, received + "0, r0"), 3U) << "logon, message_to, EXIT; or LINK and replies";
    EXPECT_EQ(count(log, received + "1, r0"), 0U);
  }
}

TEST_P(conversation, a_thousand_messages_arrive_in_order_and_once) {
  mosquitto broker;
  auto server = start_server(broker, version);
  auto fred = start_user(broker, "fred", version);
  auto peter = start_user(broker, "peter", version);
  std::string script;
  for (int i = 0; i < 1000; ++i) script += "/message fred " + std::to_string(i) + "\n";
  peter.type_raw(script);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(line_of(peter), "sent");
    ASSERT_EQ(line_of(fred), "Message from peter: \"" + std::to_string(i) + "\"");
  }
}

TEST_P(conversation, text_is_text_whatever_is_in_it) {
  mosquitto broker;
  auto server = start_server(broker, version);
  auto peter = start_user(broker, "peter", version);
  EXPECT_EQ(ask(peter, "/message peter \"quotes\" \\ \xc3\xbc \xf0\x9f\x90\xa7 [1,{\"a\":2}] \x1b[31m"), "sent");
  EXPECT_EQ(line_of(peter),
            "Message from peter: \"\\\"quotes\\\" \\\\ \xc3\xbc \xf0\x9f\x90\xa7 [1,{\\\"a\\\":2}] \\e[31m\"");
  const std::string long_text(60'000, 'x');
  EXPECT_EQ(ask(peter, "/message peter " + long_text), "sent");
  EXPECT_EQ(line_of(peter), "Message from peter: \"" + long_text + "\"");
}

TEST_P(conversation, names_may_have_spaces_and_letters_of_any_language) {
  mosquitto broker;
  auto server = start_server(broker, version);
  auto client = start_client(broker, "peter", version);
  EXPECT_EQ(ask(client, "/logon \"Anna L\xc3\xa9na\""), "logged_on");
  EXPECT_EQ(ask(client, "/message \"Anna L\xc3\xa9na\" hi"), "sent");
  EXPECT_EQ(line_of(client), "Message from Anna L\xc3\xa9na: \"hi\"");
}

TEST(client, logs_on_at_the_start_when_told_to) {
  mosquitto broker;
  auto server = start_server(broker);
  auto peter = start_client(broker, "peter", {"--logon", "Peter Pan"});
  EXPECT_EQ(line_of(peter), "logged_on");
  EXPECT_TRUE(server.says("logon: Peter Pan is peter@test/"));
}

TEST(client, leaves_in_order_at_the_end_of_input) {
  mosquitto broker;
  auto server = start_server(broker);
  auto peter = start_user(broker, "peter");
  peter.end_input();
  EXPECT_EQ(peter.end(), 0);
  EXPECT_TRUE(
      eventually([&] { return broker.log().find("Received DISCONNECT from peter@test") != std::string::npos; }));
  auto watcher = broker.subscribe("messenger/1/messenger/node/peter@test");
  EXPECT_TRUE(line_of(watcher).ends_with(R"(,"normal"])"));
}

TEST(client, ends_after_a_last_line_that_is_too_long_and_without_standard_input) {
  mosquitto broker;
  auto peter = start_client(broker, "peter");
  for (int i = 0; i < 5; ++i) peter.type_raw(std::string(16'000, 'x'));
  peter.end_input();
  EXPECT_EQ(peter.end(), 0);
  program closed(
      "sh", {"-c", "exec " + client_program + " --name closed@test -h 127.0.0.1 -p " + broker.port_text() + " <&-"});
  EXPECT_EQ(closed.end(), 0);
}

TEST(client, ends_with_exit_code_1_when_nobody_reads_what_it_prints) {
  mosquitto broker;
  auto server = start_server(broker);
  program sh("bash", {"-c", "set -o pipefail; (echo /logon peter; sleep 0.5; yes /message nobody x) | " +
                                client_program + " --name peter@test --server messenger@test -h 127.0.0.1 -p " +
                                broker.port_text() + " | head -n 1; echo ${PIPESTATUS[1]}"});
  EXPECT_EQ(line_of(sh), "logged_on");
  EXPECT_EQ(line_of(sh), "1");
  EXPECT_TRUE(sh.says("nobody reads standard output any more"));
}

TEST(client, stops_cleanly_on_signals) {
  mosquitto broker;
  auto server = start_server(broker);
  for (const auto& [signal, code] : {std::pair{SIGTERM, 0}, {SIGINT, 130}, {SIGHUP, 0}}) {
    auto peter = start_user(broker, "peter");
    const std::string root = "messenger/1/messenger/";
    auto watcher = broker.subscribe(root + "#", {"-T", root + "state/#", "-T", root + "room/#", "-T",
                                                 root + "to/messenger@test/+/from/messenger@test"});
    // The three retained statuses: the server has asked whether its name is free.
    for (int i = 0; i < 3; ++i) ASSERT_NE(watcher.next_line(), std::nullopt);
    peter.signal(signal);
    EXPECT_EQ(peter.end(), code);
    const auto exit = line_of(watcher), down = line_of(watcher);
    EXPECT_NE(exit.find(R"(/from/peter@test ["EXIT","peter@test/)"), std::string::npos) << exit;
    EXPECT_TRUE(exit.ends_with(R"(,"normal"])")) << exit;
    EXPECT_TRUE(down.starts_with(R"(messenger/1/messenger/node/peter@test ["nodedown","peter@test",)")) << down;
    EXPECT_TRUE(down.ends_with(R"(,"normal"])")) << down;
    const auto more = watcher.next_line(100ms);
    EXPECT_FALSE(more) << *more;  // no will
    EXPECT_TRUE(
        eventually([&] { return broker.log().find("Received DISCONNECT from peter@test") != std::string::npos; }));
  }
  EXPECT_EQ(count(server.errors(), "logoff: peter was"), 3U);
}

TEST(client, that_nohup_started_goes_on_when_its_terminal_hangs_up) {
  mosquitto broker;
  const auto server = start_server(broker);
  const auto before = std::signal(SIGHUP, SIG_IGN);
  auto peter = start_client(broker, "peter");
  std::signal(SIGHUP, before);
  peter.signal(SIGHUP);
  EXPECT_EQ(ask(peter, "/logon peter"), "logged_on");
}

TEST(server, stops_cleanly_on_signals) {
  for (const auto& [signal, code] : {std::pair{SIGTERM, 0}, {SIGINT, 130}}) {
    mosquitto broker;
    auto server = start_server(broker);
    auto peter = start_user(broker, "peter");
    server.signal(signal);
    EXPECT_EQ(server.end(), code);
    EXPECT_EQ(line_of(peter), "exit: noconnection");
    EXPECT_FALSE(peter.next_line(100ms));
    auto watcher = broker.subscribe("messenger/1/messenger/node/messenger@test");
    EXPECT_TRUE(line_of(watcher).ends_with(R"(,"normal"])"));
  }
}

TEST(server, logs_who_comes_and_goes_and_the_list_at_debug) {
  mosquitto broker;
  auto server = start_server(broker, {"-d"});
  auto peter = start_user(broker, "peter");
  ask(peter, "/message nobody x");
  EXPECT_TRUE(server.says("list is now: [{peter@test/"));
  ask(peter, "/logoff");
  EXPECT_TRUE(server.says("info    logon: peter is peter@test/"));
  EXPECT_TRUE(server.says(", reason normal, 0 on the list"));
}
