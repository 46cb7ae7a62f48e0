// Where the values of options come from: the command line, the environment, the file, the default, in this order.
#include <filesystem>
#include <fstream>
#include <regex>

#include "system/programs.hpp"

using namespace testing_system;

class configuration : public testing::Test {
 protected:
  configuration() : folder(make_folder()) {}
  ~configuration() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, const std::string& text) const {
    const auto path = std::filesystem::path(folder) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }

  struct checked {
    int code;
    lines printed;
    std::string errors;

    /// The line of an option: its value, and where it came from.
    std::string of(const std::string& option) const {
      for (const auto& line : printed)
        if (line.starts_with(option + " "))
          return std::regex_replace(line.substr(option.size()), std::regex("^ +|(  ) +"), "$1");
      return "(nothing)";
    }
  };
  // Folders a, b and c with a certificate and its key, as credentials of node a@x.
  void make_certificates() const {
    for (const std::string name : {"a", "b", "c"}) {
      const auto path = write(name + "/a@x.password", "secret\n");
      std::filesystem::permissions(path, std::filesystem::perms(0600));
      program("/bin/sh",
              {"-c", "cd " + folder + "/" + name +
                         " && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout a@x.key -out a@x.crt"})
          .end();
    }
  }
  static checked check(const std::string& path, std::vector<std::string> arguments,
                       const std::map<std::string, std::string>& environment = {}) {
    arguments.emplace_back("--check-config");
    program p(path, arguments, environment);
    p.end_input();
    const auto code = p.end();
    return {code.value_or(-1), p.rest(), p.errors()};
  }

  const std::string folder;
};

namespace {
struct option {
  std::string name, variable;
  std::string in_file, in_environment, on_line;  // as TOML, and as text
  std::vector<std::string> with{};               // without which it means nothing
};
const std::vector<option> common{
    {"name", "MESSENGER_NAME", "'a@x'", "b@x", "c@x"},
    {"cookie", "MESSENGER_COOKIE", "'a'", "b", "c"},
    {"net-ticktime", "MESSENGER_NET_TICKTIME", "5", "6", "7"},
    {"host", "MQTT_HOST", "'a'", "b", "c"},
    {"port", "MQTT_PORT", "1", "2", "3"},
    {"url", "MQTT_URL", "'mqtt://a'", "mqtt://b", "ws://c"},
    {"username", "MQTT_USERNAME", "'a'", "b", "c"},
    {"keepalive", "MQTT_KEEPALIVE", "5", "6", "7"},
    {"qos", "MQTT_QOS", "0", "1", "0"},
    {"mqtt-version", "MQTT_VERSION", "'mqttv311'", "mqttv5", "mqttv311"},
    {"log-level", "MESSENGER_LOG_LEVEL", "'off'", "debug", "info"},
    {"log-format", "MESSENGER_LOG_FORMAT", "'json'", "text", "json"},
    {"cafile", "MQTT_CAFILE", "'FOLDER/a/a@x.crt'", "FOLDER/b/a@x.crt", "FOLDER/c/a@x.crt"},
    {"capath", "MQTT_CAPATH", "'FOLDER/a'", "FOLDER/b", "FOLDER/c"},
    {"tls-version", "MQTT_TLS_VERSION", "'tlsv1.3'", "tlsv1.2", "tlsv1.3"},
};
const std::vector<option> of_client{
    {"server", "MESSENGER_SERVER_NODE", "'a@x'", "b@x", "c@x"},
    {"logon", "MESSENGER_NICK", "'a'", "b", "c"},
    {"join", "MESSENGER_JOIN", "'a'", "b", "c"},
    {"command", "MESSENGER_COMMAND", "'a'", "b", "c"},
    {"wait", "MESSENGER_WAIT", "1.5", "2", "3"},
    {"color", "MESSENGER_COLOR", "'never'", "always", "auto"},
};
const std::vector<option> of_node{
    {"idle-timeout", "MESSENGER_IDLE_TIMEOUT", "'5s'", "6s", "7s"},
    {"server", "MESSENGER_SERVER_NODE", "'a@x'", "b@x", "c@x", {"--standby"}},
    {"standby-delay", "MESSENGER_STANDBY_DELAY", "1", "2", "3", {"--standby"}},
    {"names", "MESSENGER_NAMES", "'FOLDER/a.names'", "FOLDER/b.names", "FOLDER/c.names"},
    {"metrics", "MESSENGER_METRICS", "'1'", "h:2", "[::1]:3"},
    {"admin", "MESSENGER_ADMIN", "'a@x'", "b@x", "c@x"},
    {"max-users", "MESSENGER_MAX_USERS", "1", "2", "3"},
    {"max-rooms", "MESSENGER_MAX_ROOMS", "1", "2", "3"},
    {"max-users-per-node", "MESSENGER_MAX_USERS_PER_NODE", "1", "2", "3"},
    {"max-rooms-per-node", "MESSENGER_MAX_ROOMS_PER_NODE", "1", "2", "3"},
    {"max-requests-per-node", "MESSENGER_MAX_REQUESTS_PER_NODE", "1", "2", "3"},
    {"max-list-bytes-per-node", "MESSENGER_MAX_LIST_BYTES_PER_NODE", "1", "2", "3"},
};
const std::vector<std::pair<std::string, std::string>> flags{
    {"debug", node_program},      {"standby", node_program},         {"insecure", node_program},
    {"insecure", client_program}, {"embedded-broker", node_program}, {"replace", node_program},
    {"debug", client_program},    {"rejoin", client_program},        {"json", client_program}};
}  // namespace

TEST_F(configuration, of_each_option_comes_from_the_line_the_environment_the_file_or_is_the_default) {
  make_certificates();
  for (const std::string list : {"a.names", "b.names", "c.names"}) write(list, "ann@laptop ann\n");
  for (const auto& [path, own] : std::vector{std::pair(client_program, of_client), std::pair(node_program, of_node)}) {
    auto all = common;
    all.insert(all.end(), own.begin(), own.end());
    for (auto o : all) {
      for (auto* text : {&o.in_file, &o.in_environment, &o.on_line})
        *text = std::regex_replace(*text, std::regex("FOLDER"), folder);
      const auto file = write("one.toml", o.name + " = " + o.in_file + "\n");
      std::string in_file = o.in_file;
      std::erase(in_file, '\'');
      const std::map<std::string, std::string> environment{{o.variable, o.in_environment}};
      const auto check = [&, path = path](std::vector<std::string> arguments,
                                          const std::map<std::string, std::string>& variables = {}) {
        arguments.insert(arguments.end(), o.with.begin(), o.with.end());
        return configuration::check(path, arguments, variables);
      };
      EXPECT_TRUE(check({}).of(o.name).ends_with("default")) << o.name;
      EXPECT_EQ(check({"--config", file}).of(o.name), in_file + "  " + file + ":1");
      EXPECT_EQ(check({"--config", file}, environment).of(o.name), o.in_environment + "  " + o.variable);
      const auto line = check({"--config", file, "--" + o.name, o.on_line}, environment);
      EXPECT_EQ(line.of(o.name), o.on_line + "  command line") << line.errors;
      EXPECT_EQ(line.code, 0);
    }
  }
  for (const auto& [name, path] : flags) {
    const auto file = write("one.toml", name + " = true\n");
    EXPECT_TRUE(check(path, {}).of(name).ends_with("default")) << name;
    EXPECT_EQ(check(path, {"--config", file}).of(name), "true  " + file + ":1");
    EXPECT_TRUE(check(path, {"--config", file, "--" + name}).of(name).ends_with("  command line")) << name;
  }
}

// Nothing that --help shows is left out above.
TEST_F(configuration, has_every_option) {
  for (const auto& [path, own] : std::vector{std::pair(client_program, of_client), std::pair(node_program, of_node)}) {
    std::set<std::string> tested{"password", "password-file", "credentials", "cert", "key"};  // below
    for (const auto* some : {&common, &own})
      for (const auto& o : *some) tested.insert(o.name);
    for (const auto& [name, of] : flags)
      if (of == path) tested.insert(name);
    // What is set for one of the two is no mistake of the other's.
    std::map<std::string, std::string> all;
    for (const auto* some : {&common, &of_client, &of_node})
      for (const auto& o : *some)
        if (o.variable.starts_with("MESSENGER_")) all[o.variable] = "x";
    for (const auto& [variable, value] : all) {
      program p(path, {"--check-config"}, {{variable, value}});
      p.end();
      EXPECT_EQ(p.errors().find("there is no variable"), std::string::npos) << p.errors();
    }
    std::set<std::string> there;
    for (const auto& line : check(path, {}).printed) there.insert(line.substr(0, line.find(' ')));
    EXPECT_EQ(there, tested);
  }
}

// A certificate and its key go together, wherever they come from.
TEST_F(configuration, of_credentials_comes_from_each_place_too) {
  make_certificates();
  const auto file =
      write("own.toml", "name = 'a@x'\ncert = '" + folder + "/a/a@x.crt'\nkey = '" + folder + "/a/a@x.key'\n");
  const std::map<std::string, std::string> environment{{"MQTT_CERT", folder + "/b/a@x.crt"},
                                                       {"MQTT_KEY", folder + "/b/a@x.key"}};
  const lines on_line{"--config", file, "--cert", folder + "/c/a@x.crt", "--key", folder + "/c/a@x.key"};
  for (const auto& path : {client_program, node_program})
    for (const std::string option : {"cert", "key"}) {
      const auto end = option == "cert" ? "/a@x.crt" : "/a@x.key";
      EXPECT_TRUE(check(path, {}).of(option).ends_with("default"));
      EXPECT_EQ(check(path, {"--config", file}).of(option),
                folder + "/a" + end + "  " + file + (option == "cert" ? ":2" : ":3"));
      EXPECT_EQ(check(path, {"--config", file}, environment).of(option),
                folder + "/b" + end + "  MQTT_" + (option == "cert" ? "CERT" : "KEY"));
      EXPECT_EQ(check(path, on_line, environment).of(option), folder + "/c" + end + "  command line");
    }

  const auto folders = write("folder.toml", "name = 'a@x'\ncredentials = '" + folder + "/a'\n");
  const std::map<std::string, std::string> variable{{"MQTT_CREDENTIALS", folder + "/b"}};
  for (const auto& path : {client_program, node_program}) {
    EXPECT_TRUE(check(path, {}).of("credentials").ends_with("default"));
    EXPECT_EQ(check(path, {"--config", folders}).of("credentials"), folder + "/a  " + folders + ":2");
    EXPECT_EQ(check(path, {"--config", folders}, variable).of("credentials"), folder + "/b  MQTT_CREDENTIALS");
    const auto line = check(path, {"--config", folders, "--credentials", folder + "/c"}, variable);
    EXPECT_EQ(line.of("credentials"), folder + "/c  command line");
    EXPECT_EQ(line.of("port"), "8883  default");
  }
}

TEST_F(configuration, file_is_the_first_there_is_of_those_named_the_users_and_the_machines) {
  const auto home = write("home/.config/messenger/messenger-client.toml", "port = 1\n");
  const auto xdg = write("xdg/messenger/messenger-client.toml", "port = 2\n");
  const auto variable = write("by-variable.toml", "port = 3\n");
  const auto option = write("by-option.toml", "port = 4\n");
  std::map<std::string, std::string> environment{{"HOME", folder + "/home"}, {"XDG_CONFIG_HOME", ""}};
  const auto port = [&](const std::vector<std::string>& arguments = {}) {
    return check(client_program, arguments, environment).of("port");
  };
  EXPECT_EQ(port(), "1  " + home + ":1");
  environment["XDG_CONFIG_HOME"] = folder + "/xdg";
  EXPECT_EQ(port(), "2  " + xdg + ":1");
  environment["MESSENGER_CONFIG"] = variable;
  EXPECT_EQ(port(), "3  " + variable + ":1");
  EXPECT_EQ(port({"--config", option}), "4  " + option + ":1");
}

TEST_F(configuration, that_is_wrong_is_an_error_with_its_line) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"prot = 1883", "there is no option \"prot\"; --help lists them"},
      {"help = true", "there is no option \"help\""},
      {"config = 'x'", "there is no option \"config\""},
      {"port = 'x'", "--port: Value x not in range"},
      {"port = 70000", "--port: Value 70000 not in range"},
      {"port = [1, 2]", "\"port\" has one value"},
      {"port = {a = 1}", "\"port\" is a string, a number, true or false"},
      {"port = 2026-01-01", "\"port\" is a string, a number, true or false"},
      {"debug = 'perhaps'", "\"debug\" is true or false"},
      {"qos = 2", "--qos: 2 not in {0,1}"},
      {"port = ", "expected value"},
      {"port = 1\nport = 2", "cannot redefine"},
  };
  for (const auto& [text, sentence] : wrong) {
    const auto file = write("wrong.toml", "# a comment\n\n" + text + "\n");
    for (const auto& path : {client_program, node_program}) {
      const auto c = check(path, {"--config", file});
      EXPECT_EQ(c.code, 2) << text;
      const std::string line = text.find("\nport") == std::string::npos ? ":3: " : ":4: ";
      EXPECT_NE(c.errors.find(file + line), std::string::npos) << c.errors;
      EXPECT_NE(c.errors.find(sentence), std::string::npos) << c.errors;
    }
  }
  const auto nowhere = check(client_program, {"--config", "/nowhere/x.toml"});
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_NE(nowhere.errors.find("the configuration file /nowhere/x.toml cannot be read"), std::string::npos);
  const auto variable = check(client_program, {}, {{"MQTT_QOS", "7"}});
  EXPECT_EQ(variable.code, 2);
  EXPECT_NE(variable.errors.find("MQTT_QOS: "), std::string::npos) << variable.errors;
}

TEST_F(configuration, of_a_flag_can_be_taken_back) {
  const auto file = write("flag.toml", "rejoin = true\ndebug = true\n");
  EXPECT_EQ(check(client_program, {"--config", file}, {{"MESSENGER_REJOIN", "0"}}).of("rejoin"),
            "false  MESSENGER_REJOIN");
  EXPECT_EQ(check(client_program, {"--config", file, "--rejoin=false"}).of("rejoin"), "false  command line");
  EXPECT_EQ(check(client_program, {"--config", file}).of("log-level"), "debug  default");
  EXPECT_EQ(check(client_program, {"--config", file, "--log-level", "error"}).of("log-level"), "error  command line");
}

TEST_F(configuration, check_shows_no_secret) {
  const auto file = write("secret.toml", "password = 'geheim'\nusername = 'a'\n");
  const auto c = check(client_program, {"--config", file, "-L", "mqtt://b:geheim@c"});
  EXPECT_EQ(c.code, 0) << c.errors;
  EXPECT_EQ(c.of("host"), "c  default");
  for (const auto& line : c.printed) EXPECT_EQ(line.find("geheim"), std::string::npos) << line;
  EXPECT_EQ(c.of("password"), "(not shown)  " + file + ":1");
  EXPECT_EQ(c.of("url"), "mqtt://b:(not shown)@c  command line");
}

TEST_F(configuration, of_the_broker_by_url_counts_where_nothing_nearer_says_otherwise) {
  mosquitto broker;
  auto server = start_server(broker);
  const auto file = write("file.toml", "url = 'mqtt://nobody@no-such-host.invalid:1'\nserver = 'messenger@test'\n");
  const auto pong = [](program p) { return p.end() == 0 && line_of(p).starts_with("pong"); };
  const std::string url = "mqtt://127.0.0.1:" + broker.port_text();
  EXPECT_TRUE(pong({client_program, {"-L", url, "ping", "messenger@test"}}));
  EXPECT_TRUE(pong({client_program, {"-L", url, "--config", file, "ping", "messenger@test"}}));
  EXPECT_TRUE(pong({client_program, {"--config", file, "ping", "messenger@test"}, {{"MQTT_URL", url}}}));
  EXPECT_TRUE(pong({client_program,
                    {"-h", "127.0.0.1", "-p", broker.port_text(), "ping", "messenger@test"},
                    {{"MQTT_URL", "mqtt://no-such-host.invalid:1"}}}));
  EXPECT_EQ(check(client_program, {"-L", "mqtt://a@b"}, {{"MQTT_PASSWORD", "x"}}).code, 0);
  EXPECT_EQ(check(client_program, {}, {{"MQTT_PASSWORD", "x"}, {"MQTT_URL", "mqtt://a@b"}}).code, 0);
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{"-L", "http://x"}, "does not begin with mqtt://"},
      {{"-L", "localhost"}, "does not begin with mqtt://"},
      {{"-L", "mqtt://"}, "has no host"},
      {{"-L", "mqtt://x:0"}, "has no port between 1 and 65535"},
      {{"-L", "mqtt://x:1a"}, "has no port between 1 and 65535"},
      {{"-L", "mqtt://[::1"}, "has a [ without a ]"},
      {{"-L", "mqtt://x/y"}, "has a path"},
      {{"-L", "mqtt://a%zz@x"}, "has a % without two hexadecimal digits"},
      {{"-L", "mqtt://x", "-h", "y"}, "--url and --host exclude each other"},
      {{"-L", "mqtt://x", "-p", "1"}, "--url and --port exclude each other"},
      {{"-L", "mqtt://a@x", "-u", "b"}, "--url and --username exclude each other"},
  };
  for (const auto& [arguments, sentence] : wrong) {
    const auto c = check(client_program, arguments);
    EXPECT_EQ(c.code, 2) << sentence;
    EXPECT_NE(c.errors.find(sentence), std::string::npos) << c.errors;
  }
}

class broker_url : public testing::TestWithParam<std::tuple<const char*, const char*>> {};
INSTANTIATE_TEST_SUITE_P(all, broker_url,
                         testing::Combine(testing::Values("mqtt", "mqtts", "ws", "wss"),
                                          testing::Values("mqttv5", "mqttv311")),
                         [](const auto& p) { return std::string(std::get<0>(p.param)) + "_" + std::get<1>(p.param); });

// A conversation over each kind of connection, with more in it than one record or frame; and a death.
TEST_P(broker_url, leads_to_the_broker) {
  const auto& [scheme, version] = GetParam();
  const auto folder = make_folder();
  const auto make = [&](const std::string& command) {
    program sh("sh", {"-c", "cd " + folder + " && " + command});
    EXPECT_EQ(sh.end(), 0) << sh.errors();
  };
  make(
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost "
      "-keyout key -out certificate && chmod 644 key");
  const int port = free_port();
  const std::string s = scheme;
  mosquitto broker(
      "listener " + std::to_string(port) + " 127.0.0.1\n" + (s[0] == 'w' ? "protocol websockets\n" : "") +
      (s.ends_with("s") && s != "ws" ? "certfile " + folder + "/certificate\nkeyfile " + folder + "/key\n" : ""));
  const std::map<std::string, std::string> trust{{"SSL_CERT_FILE", folder + "/certificate"}};
  const std::string url = s + "://localhost:" + std::to_string(port);
  const auto start = [&](const std::string& path, const std::string& name) {
    return program(path, {"--name", name, "-L", url, "-V", version, "--log-level", "info"}, trust);
  };
  auto server = start(node_program, "messenger@test");
  EXPECT_TRUE(server.says("is up")) << server.errors();
  const auto start_user = [&](const std::string& name) {
    program user(client_program, {"--name", name + "@test", "--server", "messenger@test", "-L", url, "-V", version},
                 trust);
    EXPECT_EQ(ask(user, "/logon " + name), "logged_on") << user.errors();
    return user;
  };
  auto ann = start_user("ann");
  auto bob = start_user("bob");
  EXPECT_EQ(ask(bob, "/join"), "joined lobby: bob");
  EXPECT_EQ(ask(ann, "/join"), "joined lobby: ann, bob");
  EXPECT_EQ(line_of(bob), "lobby: ann joined");
  // Mosquitto sends 4 KB of a WebSocket every 100 ms.
  const std::string long_text(s[0] == 'w' ? 5'000 : 60'000, 'x');
  for (int i = 0; i < 10; ++i) ann.type("/message bob " + std::to_string(i) + long_text);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(line_of(ann), "sent");
    EXPECT_EQ(line_of(bob), "Message from ann: \"" + std::to_string(i) + long_text + "\"");
  }
  ann.signal(SIGKILL);
  EXPECT_EQ(line_of(bob), "lobby: ann left: noconnection");
  bob.type("/quit");
  EXPECT_EQ(bob.end(), 0);
  EXPECT_TRUE(server.says("reason normal, 0 on the list")) << server.errors();
  server.signal(SIGTERM);
  EXPECT_EQ(server.end(), 0) << server.errors();
  std::filesystem::remove_all(folder);
}
