// What stands on exit signals: the supervisor, the idle time-out, --rejoin.
#include <csignal>

#include "system/programs.hpp"
#include "system/raw_node.hpp"

using namespace testing_system;

TEST(supervision, a_server_that_crashes_is_started_again_and_ends_with_exit_code_70_when_it_does_so_too_often) {
  mosquitto broker;
  program server(BIN_FOLDER "/messenger-node-that-crashes",
                 {"--name", "messenger@test", "-h", "127.0.0.1", "-p", broker.port_text()});
  ASSERT_TRUE(server.says("is up"));
  for (int i = 1; i <= 3; ++i) {
    raw_node peter(broker.port(), "peter@x", static_cast<std::uint64_t>(i)), crash(broker.port(), "crash@x", 7);
    ASSERT_EQ(peter.logon("peter"), R"(["messenger","logged_on"])");
    ASSERT_NE(peter.next().find("LINK"), std::string::npos);
    crash.send("messenger", "[\"" + crash.pid() + R"(","logon","crash"])");
    EXPECT_NE(peter.next().find(R"(,["error","somebody is called crash"]])"), std::string::npos);
  }
  EXPECT_EQ(server.end(), 70);
  EXPECT_EQ(count(server.errors(), R"(crashed: ["error","somebody is called crash"])"), 3U) << server.errors();
  EXPECT_EQ(count(server.errors(), "the server process has crashed too often; stopping"), 1U) << server.errors();
}

TEST(idle_timeout, logs_off_who_does_nothing_and_the_client_shows_why) {
  mosquitto broker;
  auto server = start_server(broker, {"--idle-timeout", "2s"});
  auto peter = start_user(broker, "peter");
  EXPECT_EQ(line_of(peter), "exit: idle_timeout");
  EXPECT_TRUE(server.says("reason idle_timeout, 0 on the list"));
  EXPECT_EQ(ask(peter, "/logon peter"), "logged_on");
}

TEST(rejoin, logs_on_again_after_the_server_and_after_the_broker_came_back) {
  mosquitto broker;
  auto server = start_server(broker);
  auto peter = start_user(broker, "peter", {"--rejoin"});
  server.signal(SIGKILL);
  EXPECT_EQ(line_of(peter), "exit: noconnection");
  EXPECT_TRUE(peter.says("logging on again when the server is back; /logoff gives that up"));
  auto next = start_server(broker);
  std::string line;
  while ((line = line_of(peter)) != "logged_on") ASSERT_FALSE(line.starts_with("(nothing")) << line;
  EXPECT_EQ(ask(peter, "/message peter hello"), "sent");
  EXPECT_EQ(line_of(peter), R"(Message from peter: "hello")");
  broker.kill();
  EXPECT_EQ(line_of(peter), "exit: noconnection");
  broker.start();
  while ((line = line_of(peter)) != "logged_on") ASSERT_FALSE(line.starts_with("(nothing")) << line;
}

TEST(rejoin, ends_when_the_name_is_taken) {
  mosquitto broker;
  auto server = start_server(broker);
  auto peter = start_user(broker, "peter", {"--rejoin"});
  server.signal(SIGKILL);
  EXPECT_EQ(line_of(peter), "exit: noconnection");
  peter.signal(SIGSTOP);
  auto next = start_server(broker);
  raw_node other(broker.port(), "other@x", 7);
  ASSERT_EQ(other.logon("peter"), R"(["messenger","logged_on"])");
  peter.signal(SIGCONT);
  std::string line;
  while ((line = line_of(peter)) != "user_exists_at_other_node") ASSERT_FALSE(line.starts_with("(nothing")) << line;
  EXPECT_EQ(ask(peter, "/logoff"), "not_logged_on");
}
