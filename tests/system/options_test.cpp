// Options, the environment, and every sentence and exit code of what a user can get wrong.
#include <csignal>
#include <cstring>
#include <fstream>

#include <unistd.h>

#include <sys/stat.h>

#include "system/programs.hpp"

using namespace testing_system;

static program run(const std::string& path, const std::vector<std::string>& arguments,
                   const std::map<std::string, std::string>& environment = {}) {
  program p(path, arguments, environment);
  p.end_input();
  return p;
}

TEST(options, help_and_version_of_both_programs) {
  for (const auto& path : {node_program, client_program}) {
    auto help = run(path, {"--help"});
    EXPECT_EQ(help.end(), 0);
    std::string text;
    for (const auto& line : help.rest()) text += line + "\n";
    for (const auto* option :
         {"--name",        "--cookie",          "-h,--host",      "-p,--port",     "-u,--username",
          "-P,--password", "--password-file",   "--cafile",       "--capath",      "--cert",
          "--key",         "--tls-version",     "--insecure",     "--credentials", "-k,--keepalive",
          "-q,--qos",      "-V,--mqtt-version", "--net-ticktime", "-d,--debug",    "--log-level",
          "--help",        "--version",         "MQTT_HOST",      "MQTT_PORT",     "MQTT_USERNAME",
          "MQTT_PASSWORD"})
      EXPECT_NE(text.find(option), std::string::npos) << option;
    for (const auto* line = text.c_str(); *line;) {
      const auto* end = std::strchr(line, '\n');
      EXPECT_LE(end - line, 120) << std::string(line, end);
      line = end + 1;
    }
    auto version = run(path, {"--version"});
    EXPECT_EQ(version.end(), 0);
    EXPECT_EQ(version.rest(), (lines{path.substr(path.rfind('/') + 1) + " " PROJECT_VERSION,
                                     "License Apache-2.0. There is no warranty, to the extent permitted by law."}));
  }
}

TEST(options, that_are_wrong_are_refused_with_a_sentence_and_exit_code_2) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{"--nonsense"}, ": there is no option --nonsense\n"},
      {{"--keepalife", "5"}, ": there is no option --keepalife; did you mean --keepalive?\n"},
      {{"extra"}, ": there is no command extra\n"},
      {{"-p", "0"}, "--port"},
      {{"-p", "65536"}, "--port"},
      {{"-p", "http"}, "--port"},
      {{"-k", "0"}, "--keepalive"},
      {{"-V", "4"}, "--mqtt-version"},
      {{"-q", "2"}, "--qos"},
      {{"--net-ticktime", "0"}, "--net-ticktime"},
      {{"--log-level", "loud"}, "--log-level"},
      {{"--host", ""}, "the host of the broker"},
      {{"--name", "a/b@c"},
       R"(the node name "a/b@c" (--name) must be name@host, both parts 1 to 64 of the characters)"},
      {{"--name", "a+@c"}, "(--name) must be name@host"},
      {{"--name", "a@b@c"}, "(--name) must be name@host"},
      {{"--name", std::string(65, 'x') + "@c"}, "(--name) must be name@host"},
      {{"--name", ""}, "(--name) must be name@host"},
      {{"--cookie", "choc chip"},
       R"(the cookie "choc chip" (--cookie) must be 1 to 64 of the characters A-Z a-z 0-9 _ -)"},
      {{"--cookie", "#"}, "(--cookie) must be"},
      {{"-P", "secret"}, "a password without a user name"},
      {{"-u", "a", "--password-file", "/nowhere"}, "the password file /nowhere cannot be read"},
      {{"-u", "a", "-P", "b", "--password-file", "/dev/null"}, "--password and --password-file exclude each other"},
  };
  for (const auto& path : {node_program, client_program})
    for (const auto& [arguments, sentence] : wrong) {
      auto p = run(path, arguments);
      EXPECT_EQ(p.end(), 2) << sentence;
      EXPECT_NE(p.errors().find(sentence), std::string::npos) << p.errors();
      EXPECT_NE(p.errors().find("--help' for the options."), std::string::npos) << p.errors();
      EXPECT_EQ(p.rest(), lines{});
    }
  for (const auto& [arguments, sentence] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--server", "a/b"}, "(--server) must be name@host"},
           {{"statsu"}, "there is no command statsu; did you mean status?"},
           {{"bench", "nodes"}, "one command at a time: nodes is another"},
           {{"bench", "--seconds", "nan"}, "--seconds: \"nan\" is no number from 1 to 86400"},
           {{"-c", "/users", "nodes"}, R"("nodes" logs nobody on and reads no commands; leave out --command)"},
           {{"--logon", "peter", "status"}, R"("status" logs nobody on and reads no commands; leave out --logon)"},
           {{"--logon", ""}, R"(the user name "" (--logon) must be 1 to 64 bytes)"}}) {
    auto p = run(client_program, arguments);
    EXPECT_EQ(p.end(), 2) << sentence;
    EXPECT_NE(p.errors().find(sentence), std::string::npos) << p.errors();
  }
  for (const auto& [option, sentence] :
       {std::pair{"--standby-delay", "--standby-delay means something only with --standby"},
        {"--server", "the name of this node is --name"}}) {
    auto p = run(node_program, {option, "1"});
    EXPECT_EQ(p.end(), 2);
    EXPECT_NE(p.errors().find(sentence), std::string::npos) << p.errors();
  }
  auto both = run(node_program, {"--embedded-broker", "-h", "localhost"});
  EXPECT_EQ(both.end(), 2);
  EXPECT_NE(both.errors().find("--embedded-broker is on 127.0.0.1; leave out --host"), std::string::npos)
      << both.errors();
}

TEST(options, a_variable_that_is_nearly_one_is_said_and_others_are_left_alone) {
  for (const auto& path : {node_program, client_program}) {
    program p(
        path, {"--check-config"},
        {{"MESSENGER_COKIE", "x"}, {"MESSENGER_HEALTH_NAME", "health1@cluster"}, {"MESSENGER_SERVER_NODE", "a@b"}});
    EXPECT_EQ(p.end(), 0);
    EXPECT_NE(p.errors().find(": there is no variable MESSENGER_COKIE; did you mean MESSENGER_COOKIE?\n"),
              std::string::npos);
    EXPECT_EQ(count(p.errors(), "\n"), 1U) << p.errors();
    const auto printed = p.rest();
    const auto is_named = [&](const std::string& name) {
      return std::count(printed.begin(), printed.end(), "# " + name + " is set, and no option of this program");
    };
    EXPECT_EQ(is_named("MESSENGER_COKIE"), 1);
    EXPECT_EQ(is_named("MESSENGER_HEALTH_NAME"), 1);
    EXPECT_EQ(is_named("MESSENGER_SERVER_NODE"), 0);
    program by_rule(path, {"--check-config"}, {{"MESSENGER_SERVER", "a@b"}});
    EXPECT_EQ(by_rule.end(), 0);
    EXPECT_NE(by_rule.errors().find("no variable MESSENGER_SERVER; did you mean MESSENGER_SERVER_NODE?"),
              std::string::npos);
  }
}

TEST(options, an_idle_timeout_is_a_length_of_time) {
  for (const std::string wrong : {"", "0", "0s", "5x", "1.5h", "-3", "366d", "99999999999s", "s"}) {
    program node(node_program, {"--idle-timeout", wrong});
    EXPECT_EQ(node.end(), 2) << wrong;
    EXPECT_NE(
        node.errors().find("--idle-timeout: \"" + wrong + "\" is no length of time; write like 90s, 10m, 8h or 2d"),
        std::string::npos)
        << node.errors();
  }
  for (const std::string right : {"90", "90s", "10m", "8h", "365d"}) {
    program node(node_program, {"--idle-timeout", right, "-h", "127.0.0.1", "-p", "1"});
    EXPECT_TRUE(node.says("no MQTT broker answers")) << right << node.errors();
  }
}

TEST(options, a_flag_beats_the_environment_and_the_environment_beats_the_default) {
  mosquitto broker;
  auto server = start_server(broker);
  const std::map<std::string, std::string> right{
      {"MQTT_HOST", "127.0.0.1"}, {"MQTT_PORT", broker.port_text()}, {"MESSENGER_SERVER_NODE", "messenger@test"}};
  program by_environment(client_program, {"--name", "peter@test"}, right);
  EXPECT_EQ(ask(by_environment, "/logon peter"), "logged_on");
  const std::map<std::string, std::string> wrong{
      {"MQTT_HOST", "no-such-host.invalid"}, {"MQTT_PORT", "1"}, {"MESSENGER_SERVER_NODE", "nobody@test"}};
  program by_flag(client_program,
                  {"--name", "fred@test", "-h", "127.0.0.1", "-p", broker.port_text(), "--server", "messenger@test"},
                  wrong);
  EXPECT_EQ(ask(by_flag, "/logon fred"), "logged_on");
}

TEST(options, a_name_without_a_host_gets_the_short_host_name) {
  mosquitto broker;
  program server(node_program, {"-h", "127.0.0.1", "-p", broker.port_text()});
  ASSERT_TRUE(server.says("is up"));
  program peter(client_program, {"--name", "peter", "-h", "127.0.0.1", "-p", broker.port_text()});
  EXPECT_EQ(ask(peter, "/logon peter"), "logged_on");
  char host[256];
  ::gethostname(host, sizeof host);
  const std::string name(host);
  const auto short_name = name.substr(0, name.find('.'));
  EXPECT_TRUE(server.says("node messenger@" + short_name + " is up"));
  EXPECT_TRUE(server.says("logon: peter is peter@" + short_name + "/"));
}

TEST(options, nodes_with_different_cookies_do_not_meet) {
  mosquitto broker;
  auto server = start_server(broker, {"--cookie", "chocolate-chip"});
  auto peter = start_client(broker, "peter", {"--cookie", "chocolate-chip"});
  EXPECT_EQ(ask(peter, "/logon peter"), "logged_on");
  auto stranger = start_client(broker, "stranger");
  EXPECT_EQ(ask(stranger, "/logon peter"), "No response from server");
}

TEST(no_broker, configured_or_at_the_default_address_is_said_with_the_way_out_and_exit_code_1) {
  if (program probe("mosquitto_pub", {"-t", "x", "-m", "x"}); probe.end() == 0)
    GTEST_SKIP() << "there is a broker at the default address";
  auto node = run(node_program, {});
  EXPECT_EQ(node.end(), 1);
  EXPECT_NE(
      node.errors().find(
          "no MQTT broker answers at localhost:1883: Connection refused; start one, say where one is with -h and -p, "
          "or let this program start one: --embedded-broker"),
      std::string::npos)
      << node.errors();
  auto client = run(client_program, {});
  EXPECT_EQ(client.end(), 1);
  EXPECT_NE(client.errors().find("messenger-node --embedded-broker"), std::string::npos) << client.errors();
}

TEST(no_broker, ever_still_gives_every_command_its_reply) {
  program client(client_program, {"-h", "127.0.0.1", "-p", std::to_string(free_port())});
  client.type_raw("/logon peter\n/message fred x\n");
  client.end_input();
  EXPECT_EQ(client.end(), 0);
  EXPECT_EQ(client.rest(), (lines{"No response from server", "not_logged_on"}));
}

TEST(no_broker, a_signal_ends_the_wait) {
  program client(client_program, {"-h", "127.0.0.1", "-p", std::to_string(free_port())});
  EXPECT_TRUE(client.says("trying again"));
  client.signal(SIGINT);
  EXPECT_EQ(client.end(), 130);
}

class credentials : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(mqtt, credentials, testing::Values("mqttv5", "mqttv311"),
                         [](const auto& p) { return p.param; });

TEST_P(credentials, are_taken_from_flags_file_and_environment_and_wrong_ones_end_with_exit_code_5) {
  const auto folder = make_folder();
  program("mosquitto_passwd", {"-b", "-c", folder + "/passwd", "peter", "secret"}).end();
  program("chmod", {"644", folder + "/passwd"}).end();
  mosquitto broker("allow_anonymous false\npassword_file " + folder + "/passwd");
  std::ofstream(folder + "/secret") << "secret\n";
  std::ofstream(folder + "/wrong") << "wrong\n";
  for (const char* file : {"/secret", "/wrong"}) ::chmod((folder + file).c_str(), 0600);
  const std::vector<std::string> base{"--name",           "peter@test", "-h",       "127.0.0.1",   "-p",
                                      broker.port_text(), "-V",         GetParam(), "--log-level", "info"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return more;
  };
  const std::map<std::string, std::string> environment{{"MQTT_USERNAME", "peter"}, {"MQTT_PASSWORD", "secret"}};
  const std::map<std::string, std::string> wrong_environment{{"MQTT_USERNAME", "peter"}, {"MQTT_PASSWORD", "wrong"}};
  for (const auto& path : {node_program, client_program}) {
    program flags(path, with({"-u", "peter", "-P", "secret"}), wrong_environment);
    EXPECT_TRUE(flags.says("is up")) << flags.errors();
    program file(path, with({"-u", "peter", "--password-file", folder + "/secret"}), wrong_environment);
    EXPECT_TRUE(file.says("is up")) << file.errors();
    program env(path, with({}), environment);
    EXPECT_TRUE(env.says("is up")) << env.errors();
    const std::vector<std::pair<std::vector<std::string>, std::map<std::string, std::string>>> refused{
        {{"-u", "peter", "-P", "wrong"}, environment},
        {{}, wrong_environment},
        {{}, {}},
        {{"-u", "peter", "--password-file", folder + "/wrong"}, {}}};
    for (const auto& [arguments, e] : refused) {
      auto p = run(path, with(arguments), e);
      EXPECT_EQ(p.end(), 5);
      EXPECT_NE(p.errors().find("the broker at 127.0.0.1:" + broker.port_text() +
                                " refused the credentials of node peter@test"),
                std::string::npos)
          << p.errors();
    }
  }
}
