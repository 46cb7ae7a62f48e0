// Input that nobody who belongs sends, with mosquitto_pub, to the real server.
#include <csignal>
#include <fstream>
#include <sstream>

#include "system/programs.hpp"

using namespace testing_system;

static long resident_kilobytes(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  return 0;
}

struct hostile : testing::Test {
  mosquitto broker;
  program server = start_server(broker, {"-d"});
  program peter = start_user(broker, "peter");
  const std::string root = "messenger/1/messenger/";
  const std::string server_inbox = root + "to/messenger@test/messenger/from/mallory@x";

  void expect_unharmed() {
    EXPECT_EQ(ask(peter, "/message peter still served"), "sent");
    EXPECT_EQ(line_of(peter), R"(Message from peter: "still served")");
    EXPECT_EQ(server.errors().find("logoff"), std::string::npos) << server.errors();
  }
};

TEST_F(hostile, tuples_of_no_known_form_get_one_warning_each_with_a_count) {  // case 58
  broker.publish(server_inbox, R"(["mallory@x/7-1","logof"])");
  EXPECT_TRUE(server.says(R"(dropped (unexpected, 1 so far), from mallory@x: ["mallory@x/7-1","logof"])"))
      << server.errors();
  broker.publish(server_inbox, R"(["mallory@x/7-1","logon",{"a":1}])");
  EXPECT_TRUE(server.says("dropped (unexpected, 2 so far), from mallory@x"));
  broker.publish(server_inbox, "not json \x1b[2J");
  EXPECT_TRUE(server.says("dropped (malformed, 1 so far), from mallory@x: not JSON in UTF-8"));
  broker.publish(server_inbox, R"(["mallory@x/7-1","logon","a"],1)");
  EXPECT_TRUE(server.says("dropped (malformed, 2 so far)"));
  EXPECT_EQ(server.errors().find('\x1b'), std::string::npos);
  broker.publish(server_inbox, R"(["mallory@x/7-1","logon","peter"])");
  EXPECT_TRUE(server.says("info    refused (1 so far), from mallory@x: logon as peter: user_exists_at_other_node"));
  expect_unharmed();
}

TEST_F(hostile, forged_pids_do_nothing) {  // cases 47, 48
  auto watcher = broker.subscribe(root + "node/peter@test");
  const auto status = line_of(watcher);  // ... ["nodeup","peter@test",CREATION]
  const auto comma = status.rfind(',');
  const auto creation = status.substr(comma + 1, status.size() - comma - 2);
  const auto pid = "peter@test/" + creation + "-2";
  broker.publish(server_inbox, "[\"" + pid + R"(","message_to","peter","not from peter"])");
  EXPECT_TRUE(server.says("dropped (forged, 1 so far), from mallory@x: a message with the pid " + pid))
      << server.errors();
  broker.publish(server_inbox, "[\"EXIT\",\"" + pid + R"(","forged"])");
  EXPECT_TRUE(server.says("dropped (forged, 2 so far), from mallory@x: a signal with the pid " + pid));
  broker.publish(root + "node/mallory@x", R"(["nodedown","peter@test",)" + creation + R"(,"forged"])");
  EXPECT_TRUE(server.says("dropped (forged, 3 so far), from mallory@x: the status of another node"));
  expect_unharmed();
}

TEST_F(hostile, what_is_planted_retained_is_no_command) {  // case 53
  broker.publish(server_inbox, R"(["mallory@x/7-1","logon","mallory"])", true);
  broker.publish(root + "to/messenger@test/messenger/from/eve@x", R"(["eve@x/7-1","logon","eve"])", true);
  EXPECT_TRUE(server.says("dropped (retained, 2 so far)")) << "MQTT 5 says it even of one published while subscribed";
  server.signal(SIGTERM);
  server.end();
  auto next = start_server(broker, {"-d"});
  EXPECT_EQ(next.errors().find("dropped"), std::string::npos) << "MQTT 5 does not even send it";
  EXPECT_EQ(next.errors().find("logon"), std::string::npos);
  next.signal(SIGTERM);
  next.end();
  auto last = start_server(broker, {"-d", "-V", "mqttv311"});
  EXPECT_TRUE(last.says("dropped (retained, 2 so far)"));
  EXPECT_EQ(last.errors().find("logon"), std::string::npos);
}

TEST_F(hostile, a_cleared_status_is_said_again) {  // case 53
  broker.publish(root + "node/messenger@test", "", true);
  auto watcher = broker.subscribe(root + "node/messenger@test");
  EXPECT_TRUE(line_of(watcher).find("nodeup") != std::string::npos);
  expect_unharmed();
}

TEST_F(hostile, huge_deep_and_binary_payloads_cost_nobody_anything) {  // case 54
  [[maybe_unused]] const auto before = resident_kilobytes(server.pid());
  for (int i = 0; i < 20; ++i) {
    broker.publish(server_inbox, std::string(1'000'000, '['));
    broker.publish(server_inbox, "[\"" + std::string(1'000'000, 'x') + "\"]");
    std::string binary;
    for (int n = 0; n < 100'000; ++n) binary += static_cast<char>(n * 31 + i);
    broker.publish(server_inbox, binary);
  }
  // Each is logged, or, when they come fast, counted in a line for many.
  const auto logged = [&](const char* text) { return server.errors().find(text) != std::string::npos; };
  EXPECT_TRUE(eventually([&] { return logged("malformed, 60 so far") || logged("more inputs"); })) << server.errors();
  expect_unharmed();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they keep what was freed
  EXPECT_LT(resident_kilobytes(server.pid()) - before, 50'000);
#endif
}

TEST_F(hostile, a_flood_leaves_everybody_elses_deadline_met_and_the_log_readable) {  // case 55
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)  // which make the server slow, and not the flood
  const std::string number = "4000";
#else
  const std::string number = "20000";
#endif
  program flood(
      "sh", {"-c", "yes '[\"mallory@x/7-1\",\"nonsense\"]' | head -n " + number + " | mosquitto_pub -h 127.0.0.1 -p " +
                       broker.port_text() + " -q 0 -l -t '" + server_inbox + "'"});
  for (int i = 0; i < 20; ++i) {
    const auto asked = std::chrono::steady_clock::now();
    EXPECT_EQ(ask(peter, "/message nobody x"), "receiver_not_found");
    EXPECT_LT(std::chrono::steady_clock::now() - asked, 5s);
  }
  EXPECT_EQ(flood.end(60s), 0);
  EXPECT_EQ(ask(peter, "/message nobody x"), "receiver_not_found");
  EXPECT_LT(count(server.errors(), "dropped (unexpected"), 2'000U);
}

TEST_F(hostile, nobody_but_its_server_talks_to_a_client) {
  auto watcher = broker.subscribe(root + "node/peter@test");
  const auto status = line_of(watcher);
  const auto creation = status.substr(status.rfind(',') + 1, status.size() - status.rfind(',') - 2);
  const auto inbox = root + "to/peter@test/" + creation + "-2/from/mallory@x";
  broker.publish(inbox, R"(["message_from","fred","I am not fred"])");
  broker.publish(inbox, R"(["messenger","stop","get out"])");
  broker.publish(root + "to/peter@test/shell/from/mallory@x", R"(["line","/quit"])");
  expect_unharmed();
}

TEST_F(hostile, a_text_that_does_not_fit_any_more_when_passed_on_is_refused) {
  std::string name;  // twice as long in JSON as it is
  for (int i = 0; i < 64; ++i) name += "\\\"";
  broker.publish(server_inbox, R"(["mallory@x/7-1","logon",")" + name + "\"]");
  EXPECT_TRUE(server.says("2 on the list"));
  auto watcher = broker.subscribe(root + "to/mallory@x/7-1/from/+");
  broker.publish(server_inbox, R"(["mallory@x/7-1","message_to","peter",")" + std::string(65'480, 'x') + "\"]");
  EXPECT_TRUE(line_of(watcher).ends_with(R"(["messenger","text_too_long"])"));
  expect_unharmed();
}

TEST_F(hostile, lines_that_are_no_commands_are_told_and_lose_nothing) {
  peter.type("hello");
  EXPECT_TRUE(peter.says("you are in no room; /join takes you into one"));
  peter.type("/hello");
  EXPECT_TRUE(peter.says("there is no command /hello; /help lists them"));
  peter.type("/logon");
  EXPECT_TRUE(peter.says("usage: /logon NAME"));
  peter.type("/message peter \xff\xfe");
  EXPECT_TRUE(peter.says("the text is not UTF-8; it was not sent"));
  for (int i = 0; i < 5; ++i) peter.type_raw(std::string(16'000, 'x'));
  peter.type("");
  EXPECT_TRUE(peter.says("a line longer than 65536 bytes was left out"));
  peter.type("/message peter " + std::string(65'500, 'x'));
  EXPECT_TRUE(peter.says("the text is too long: the message has ")) << peter.errors();
  peter.type_raw("/message peter " + std::string("a\0b", 3) + "\n");
  EXPECT_EQ(line_of(peter), "sent");
  EXPECT_EQ(line_of(peter), R"(Message from peter: "a\x{0}b")");
  expect_unharmed();
}
