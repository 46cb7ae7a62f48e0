// What goes wrong for real: killed programs, brokers that go and come back, servers that are slow.
#include <csignal>
#include <fstream>

#include "system/old_broker.hpp"
#include "system/programs.hpp"

using namespace testing_system;
using clock_ = std::chrono::steady_clock;

class faults : public testing::TestWithParam<const char*> {
 protected:
  std::vector<std::string> version{"-V", GetParam()};
};
INSTANTIATE_TEST_SUITE_P(mqtt, faults, testing::Values("mqttv5", "mqttv311"), [](const auto& p) { return p.param; });

TEST_P(faults, a_killed_client_is_logged_off_once_and_its_name_free_within_a_second) {  // case 1
  mosquitto broker;
  auto server = start_server(broker, version);
  auto peter = start_user(broker, "peter", version);
  auto fred = start_user(broker, "fred", version);
  const auto killed = clock_::now();
  peter.signal(SIGKILL);
  ASSERT_TRUE(server.says("logoff: peter was"));
  EXPECT_LT(seconds_since(killed), 1 + busy);
  ask(fred, "/logoff");
  EXPECT_EQ(ask(fred, "/logon peter"), "logged_on");
  EXPECT_LT(seconds_since(killed), 1 + busy);
  EXPECT_TRUE(server.says("reason noconnection"));
  EXPECT_EQ(count(server.errors(), "logoff: peter was"), 1U);
}

TEST_P(faults, a_killed_server_ends_every_client_once_and_a_new_one_serves) {  // case 29
  mosquitto broker;
  auto server = start_server(broker, version);
  auto peter = start_user(broker, "peter", version);
  auto fred = start_user(broker, "fred", version);
  server.signal(SIGKILL);
  EXPECT_EQ(line_of(peter), "exit: noconnection");
  EXPECT_EQ(line_of(fred), "exit: noconnection");
  EXPECT_EQ(ask(peter, "/message fred x"), "not_logged_on");
  auto next = start_server(broker, version);
  EXPECT_EQ(ask(peter, "/logon peter"), "logged_on");
  EXPECT_EQ(ask(fred, "/logon fred"), "logged_on");
  EXPECT_EQ(ask(peter, "/message fred again"), "sent");
  EXPECT_EQ(line_of(fred), R"(Message from peter: "again")");
}

// The library gives up a silent broker with DISCONNECT, which would discard the will.
TEST_P(faults, a_node_that_gives_up_a_silent_broker_and_dies_is_known_to_be_down) {
  mosquitto broker;
  auto with_keepalive = version;
  with_keepalive.insert(with_keepalive.end(), {"-k", "1"});
  auto server = start_server(broker, with_keepalive);
  broker.signal(SIGSTOP);
  ASSERT_TRUE(server.says("was lost")) << server.errors();
  server.signal(SIGKILL);
  ASSERT_EQ(server.end(), -SIGKILL);
  broker.signal(SIGCONT);
  auto status = broker.subscribe("messenger/1/messenger/node/messenger@test");
  std::string seen;
  while (const auto line = status.next_line(2s)) seen = *line;
  EXPECT_TRUE(seen.find("nodedown") != std::string::npos) << seen;
}

TEST(silent_broker, is_said_to_be_silent_after_a_second) {
  const old_broker nobody(old_broker::manner::silent, 0);
  const auto began = clock_::now();
  program server(node_program, {"-h", "127.0.0.1", "-p", std::to_string(nobody.port())});
  EXPECT_TRUE(server.says("has not answered for a second; waiting")) << server.errors();
  EXPECT_LT(seconds_since(began), 1 + busy);
  nap(2s);
  EXPECT_EQ(count(server.errors(), "has not answered"), 1U) << server.errors();
}

TEST(a_broker_of_mqtt_3_1_1, is_spoken_to_as_it_speaks_unless_told_otherwise) {
  mosquitto broker;
  for (const auto how : {old_broker::manner::says_so, old_broker::manner::closes}) {
    const old_broker old(how, broker.port());
    const std::vector<std::string> where{"-h",     "127.0.0.1",     "-p", std::to_string(old.port()),
                                         "--name", "messenger@test"};
    program server(node_program, where);
    EXPECT_TRUE(server.says("does not speak this version of MQTT; the next try is MQTT 3.1.1")) << server.errors();
    EXPECT_TRUE(server.says("node messenger@test is up")) << server.errors();
    auto only_5 = where;
    only_5.insert(only_5.end(), {"-V", "mqttv5", "--replace"});
    program stubborn(node_program, only_5);
    EXPECT_TRUE(stubborn.says("does not speak this version of MQTT; give the other one with -V, or none"))
        << stubborn.errors();
    nap(1s);
    EXPECT_FALSE(stubborn.says("is up", 0s));
  }
}

TEST_P(faults, an_http_proxy_in_the_environment_is_nothing_to_a_node) {
  mosquitto broker;
  auto options = version;
  options.insert(options.end(), {"-h", "127.0.0.1", "-p", broker.port_text()});
  program server(node_program, options, {{"http_proxy", "http://127.0.0.1:9"}});
  EXPECT_TRUE(server.says("is up")) << server.errors();
}

TEST_P(faults, a_broker_that_restarts_ends_every_client_and_all_log_on_anew) {  // cases 34, 36
  for (const bool crash : {false, true}) {
    mosquitto broker;
    auto server = start_server(broker, version);
    auto peter = start_user(broker, "peter", version);
    crash ? broker.kill() : broker.stop();
    EXPECT_EQ(line_of(peter), "exit: noconnection");
    EXPECT_TRUE(server.says("logoff: peter was"));
    broker.start();
    EXPECT_TRUE(eventually([&] { return count(server.errors(), "is up") == 2; })) << server.errors();
    EXPECT_TRUE(eventually([&] { return ask(peter, "/logon peter") == "logged_on"; })) << peter.errors();
    EXPECT_EQ(ask(peter, "/message peter back"), "sent");
  }
}

TEST_P(faults, a_server_paused_for_four_seconds_answers_in_time_and_for_six_too_late) {  // cases 25, 26, 28
  for (const auto& [pause, reply, on_the_list] :
       {std::tuple{4s, "logged_on", true}, {6s, "No response from server", false}}) {
    mosquitto broker;
    auto server = start_server(broker, version);
    auto peter = start_client(broker, "peter", version);
    EXPECT_EQ(ask(peter, "/message x y"), "not_logged_on");  // it is up
    server.signal(SIGSTOP);
    peter.type("/logon peter");
    nap(pause);
    server.signal(SIGCONT);
    EXPECT_EQ(line_of(peter), reply);
    if (on_the_list) {
      EXPECT_EQ(ask(peter, "/logoff"), "logged_off");
    } else {
      EXPECT_TRUE(server.says("reason timeout, 0 on the list")) << server.errors();
      EXPECT_EQ(ask(peter, "/logon peter"), "logged_on") << server.errors();
    }
    EXPECT_EQ(peter.rest(), lines{});
  }
}

TEST_P(faults, without_a_server_there_is_no_response_and_no_hang) {  // case 30
  mosquitto broker;
  auto peter = start_client(broker, "peter", version);
  const auto asked = clock_::now();
  EXPECT_EQ(ask(peter, "/logon peter"), "No response from server");
  EXPECT_GE(seconds_since(asked), 5.0);
  EXPECT_EQ(ask(peter, "/message fred x"), "not_logged_on");
}

TEST_P(faults, a_second_program_under_the_same_name_replaces_the_first_which_says_so) {  // case 42
  mosquitto broker;
  auto first = start_server(broker, version);
  auto and_replace = version;
  and_replace.push_back("--replace");
  auto second = start_server(broker, and_replace);
  EXPECT_EQ(first.end(), 1);
  EXPECT_NE(first.errors().find("has replaced this one; this one stops"), std::string::npos) << first.errors();
  auto peter = start_client(broker, "peter", version);
  EXPECT_TRUE(eventually([&] {  // the last of the first may end what the second has
    peter.rest();
    ask(peter, "/logon peter");
    return ask(peter, "/message peter x") == "sent";
  })) << second.errors();
}

TEST_P(faults, programs_that_start_before_the_broker_wait_for_it) {  // case 38
  mosquitto broker;
  broker.stop();
  program server(node_program,
                 {"--name", "messenger@test", "-h", "127.0.0.1", "-p", broker.port_text(), "-V", GetParam()});
  auto peter = start_client(broker, "peter", version);
  EXPECT_TRUE(server.says("no MQTT broker answers at 127.0.0.1:" + broker.port_text() +
                          ": Connection refused; trying again in "));
  EXPECT_TRUE(peter.says("no MQTT broker answers at 127.0.0.1:" + broker.port_text() +
                         ": Connection refused; trying again in "));
  broker.start();
  EXPECT_TRUE(server.says("is up"));
  EXPECT_TRUE(eventually([&] { return ask(peter, "/logon peter") == "logged_on"; }));
}

TEST(embedded_broker, serves_says_its_url_and_ends_with_the_node_however_that_ends) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    program server(node_program, {"--embedded-broker", "--name", "messenger@test"},
                   {{"MQTT_HOST", "no-such-host.invalid"}, {"MQTT_PORT", "1"}});
    const auto url = line_of(server);
    ASSERT_TRUE(url.starts_with("mqtt://127.0.0.1:")) << url;
    EXPECT_TRUE(server.says("embedded broker: " + url));
    const auto port = url.substr(url.rfind(':') + 1);
    program peter(client_program, {"--name", "peter@test", "--server", "messenger@test", "-p", port});
    EXPECT_EQ(ask(peter, "/logon peter"), "logged_on") << server.errors();
    server.signal(signal);
    EXPECT_EQ(server.end(), signal == SIGTERM ? 0 : -SIGKILL);
    EXPECT_EQ(line_of(peter), "exit: noconnection");
    EXPECT_TRUE(peter.says("no MQTT broker answers")) << "the broker has ended too";
  }
}

static pid_t child_of(const program& p) {
  const auto pid = std::to_string(p.pid());
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  pid_t child = 0;
  if (!(children >> child)) throw std::runtime_error("no child");
  return child;
}

// 64
TEST(embedded_broker, is_started_again_on_its_port_when_it_dies_and_everybody_is_on_again) {
  program server(node_program, {"--embedded-broker", "--name", "messenger@test"});
  ASSERT_TRUE(server.says("is up at the broker"));
  const auto begin = server.errors().find("mqtt://127.0.0.1:") + 17;
  const auto port = server.errors().substr(begin, server.errors().find_first_not_of("0123456789", begin) - begin);
  program ann(client_program,
              {"-p", port, "--name", "ann@test", "--server", "messenger@test", "--logon", "ann", "--rejoin"});
  EXPECT_EQ(line_of(ann), "logged_on");
  for (int deaths = 1; deaths <= 3; ++deaths) {
    ::kill(child_of(server), SIGKILL);
    EXPECT_EQ(line_of(ann), "exit: noconnection");
    EXPECT_EQ(line_of(ann), "logged_on");
    EXPECT_TRUE(server.says("embedded broker: mqtt://127.0.0.1:" + port + ", started again"));
  }
  ::kill(child_of(server), SIGKILL);
  EXPECT_EQ(server.end(), 1);
  EXPECT_TRUE(server.says("the embedded broker ends again and again; stopping"));
}

TEST(embedded_broker, serves_the_port_that_is_asked_for_or_says_that_it_is_taken) {
  const auto port = std::to_string(free_port());
  program server(node_program, {"--embedded-broker", "-p", port, "--name", "messenger@test"});
  EXPECT_TRUE(server.says("embedded broker: mqtt://127.0.0.1:" + port));
  EXPECT_TRUE(server.says("is up at the broker"));
  program other(node_program, {"--embedded-broker", "-p", port, "--name", "messenger@test"});
  EXPECT_EQ(other.end(), 1);
  EXPECT_TRUE(other.says("somebody else serves port " + port + " of 127.0.0.1"));
}

// 63
TEST(second_server, is_refused_while_the_first_answers_and_replaces_it_when_that_is_wanted) {
  const mosquitto broker("allow_anonymous true");
  auto first = start_server(broker);
  auto ann = start_user(broker, "ann");
  program second(node_program, {"-p", broker.port_text(), "--name", "messenger@test"});
  EXPECT_EQ(second.end(), 6);
  EXPECT_TRUE(second.says("a server runs as messenger@test already, and answers. Stop it first;")) << second.errors();
  EXPECT_EQ(ask(ann, "/message ann hello"), "sent");
  EXPECT_EQ(line_of(ann), "Message from ann: \"hello\"");
  program third(node_program, {"-p", broker.port_text(), "--name", "messenger@test", "--replace"});
  EXPECT_TRUE(third.says("is up at the broker"));
  EXPECT_EQ(line_of(ann), "exit: noconnection");
  EXPECT_EQ(first.end(), 1);
  EXPECT_TRUE(first.says("another program runs as node messenger@test"));
}
