// What an operator sees and does: metrics, health, figures, logs, signals. Real programs, real Mosquitto.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "system/deployment.hpp"
#include "system/programs.hpp"
#include "system/raw_node.hpp"

using namespace testing_system;

namespace {

const std::string rooms = root_topic + "room/+/from/messenger@test";

// What `curl` prints, and its code last.
std::string get(const std::string& url, const std::string& method = "GET") {
  program curl("/usr/bin/curl", {"-sS", "-X", method, "-w", "%{http_code}\n", url});
  curl.end();
  std::string all;
  for (const auto& line : curl.rest()) all += line + "\n";
  return all;
}

// Where the program says that its metrics are.
std::string metrics_of(program& node) {
  EXPECT_TRUE(node.says("/healthz"));
  const auto& log = node.errors();
  const auto begin = log.find("metrics: ") + 9;
  return log.substr(begin, log.find("/metrics", begin) - begin);
}

double value(const std::string& metrics, const std::string& name) {
  const auto found = metrics.find("\n" + name + " ");
  return found == std::string::npos ? -1 : std::stod(metrics.substr(found + 2 + name.size()));
}

std::string output(program& p) {
  p.end();
  std::string all;
  for (const auto& line : p.rest()) all += line + "\n";
  return all;
}

}  // namespace

TEST(operation, counters_are_what_somebody_else_has_counted) {
  const mosquitto broker;
  auto server = start_server(broker, {"--metrics", "0"});
  const auto url = metrics_of(server);
  // Somebody who listens to everything and counts for himself.
  raw_client outside(broker.port());
  outside.connect("outside");
  for (const auto* part : {"to/messenger@test/+/from/+", "to/+/+/from/messenger@test", "room/+/from/+"})
    outside.subscribe(root_topic + part);
  raw_node ann(broker.port(), "ann@test", 1'000), bob(broker.port(), "bob@test", 1'000),
      eve(broker.port(), "eve@test", 1'000);
  for (auto [node, name] : {std::pair{&ann, "ann"}, {&bob, "bob"}, {&eve, "eve"}}) node->logon(name);
  const auto request = [](raw_node& from, const std::string& rest) {
    from.send("messenger", "[\"" + from.pid() + "\"," + rest + "]");
  };
  for (int i = 0; i < 7; ++i) request(ann, R"("message_to","bob","hi")");
  for (int i = 0; i < 3; ++i) request(ann, R"("message_to","nobody","hi")");
  for (auto* each : {&ann, &bob, &eve}) request(*each, R"("join","lobby")");
  for (int i = 0; i < 5; ++i) request(bob, R"("say","lobby","hello")");
  request(eve, R"("leave","nowhere")");
  request(eve, R"("logon","other")");
  for (std::string last; last.find("already_logged_on") == std::string::npos;) ASSERT_NE(last = eve.next(), "");
  eve.connection.close();
  std::map<std::string, int> seen;
  while (auto m = outside.next(1s)) {
    const auto& p = m->payload;
    const auto has = [&](const char* text) { return p.find(text) != std::string::npos; };
    const bool is_request = m->topic.find("/to/messenger@test/messenger/") != std::string::npos && !has("\"LINK\"");
    seen["requests"] += is_request;
    seen["messages"] += has("[\"message_from\"");
    seen["joined"] += has("[\"joined\"");
    seen["said"] += has("[\"said\"");
    seen["left"] += has("[\"left\"");
    seen["on"] += has("[\"logged_on\"");
    seen["off"] += has("\"noconnection\",\"node_died\"]");
    seen["no receiver"] += has("receiver_not_found");
    seen["not in room"] += has("not_in_room");
    seen["already"] += has("already_logged_on");
  }
  EXPECT_EQ(seen["off"], 1);
  const auto metrics = get(url + "/metrics");
  EXPECT_EQ(value(metrics, "messenger_users"), 2);
  EXPECT_EQ(value(metrics, "messenger_rooms"), 1);
  EXPECT_EQ(value(metrics, "messenger_room_members"), 2);
  EXPECT_EQ(value(metrics, "messenger_logons_total"), seen["on"]);
  EXPECT_EQ(value(metrics, R"(messenger_logoffs_total{reason="noconnection",cause="node_died"})"), seen["off"]);
  EXPECT_EQ(value(metrics, "messenger_messages_total"), seen["messages"]);
  for (const auto* event : {"joined", "said", "left"})
    EXPECT_EQ(value(metrics, "messenger_room_events_total{event=\"" + std::string(event) + "\"}"), seen[event])
        << event;
  EXPECT_EQ(value(metrics, R"(messenger_refusals_total{reply="receiver_not_found"})"), seen["no receiver"]);
  EXPECT_EQ(value(metrics, R"(messenger_refusals_total{reply="not_in_room"})"), seen["not in room"]);
  EXPECT_EQ(value(metrics, R"(messenger_refusals_total{reply="already_logged_on"})"), seen["already"]);
  double requests = 0;
  for (const auto* word : {"logon", "message_to", "join", "leave", "say"})
    requests += value(metrics, "messenger_requests_total{request=\"" + std::string(word) + "\"}");
  EXPECT_EQ(requests, seen["requests"]);
  EXPECT_EQ(value(metrics, "nodelink_links"), 2);
  EXPECT_EQ(value(metrics, "nodelink_up"), 1);
  EXPECT_GT(value(metrics, "process_resident_memory_bytes"), 1e6);

  std::ofstream(testing::TempDir() + "metrics." + std::to_string(::getpid()))
      << metrics.substr(0, metrics.rfind('\n', metrics.size() - 2) + 1);
  program promtool("/bin/sh",
                   {"-c", "promtool check metrics < " + testing::TempDir() + "metrics." + std::to_string(::getpid()) +
                              "; echo $?; rm " + testing::TempDir() + "metrics." + std::to_string(::getpid())});
  EXPECT_EQ(output(promtool), "0\n") << promtool.errors();
}

TEST(operation, health_is_of_a_program_that_serves_or_stands_by) {
  mosquitto broker;
  auto server = start_server(broker, {"--metrics", "0"});
  program standby(node_program, {"-p", std::to_string(broker.port()), "--standby", "--name", "two@test", "--server",
                                 "messenger@test", "--metrics", "0"});
  const auto of_server = metrics_of(server), of_standby = metrics_of(standby);
  EXPECT_TRUE(eventually([&] { return get(of_server + "/healthz") == "serving\nnode messenger@test\n200\n"; }));
  EXPECT_TRUE(eventually([&] { return get(of_standby + "/healthz") == "standing by\nnode two@test\n200\n"; }));
  EXPECT_EQ(value(get(of_standby + "/metrics"), "messenger_serving"), 0);
  EXPECT_EQ(get(of_server + "/other"), "nothing here\n404\n");
  EXPECT_EQ(get(of_server + "/metrics", "POST"), "only GET\n405\n");
  server.signal(SIGTERM);
  server.end();
  EXPECT_TRUE(eventually([&] { return get(of_standby + "/healthz") == "serving\nnode messenger@test\n200\n"; }));
  EXPECT_EQ(value(get(of_standby + "/metrics"), "messenger_serving"), 1);
  broker.stop();
  EXPECT_TRUE(eventually([&] { return get(of_standby + "/healthz").find("no connection to the broker\n") == 0; }));
  EXPECT_EQ(get(of_standby + "/livez"), "alive\n200\n");
}

TEST(operation, metrics_answer_again_after_more_connections_than_there_are_places) {
  const mosquitto broker;
  auto server = start_server(broker, {"--metrics", "0"});
  const auto url = metrics_of(server);
  const int port = std::stoi(url.substr(url.rfind(':') + 1));
  for (const std::string request : {"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /metr", ""}) {
    {
      std::vector<raw_client> many;
      for (int i = 0; i < 300; ++i) {
        many.emplace_back(port);
        many.back().send(request);
      }
      nap(300ms);
    }
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(get(url + "/healthz"), "serving\nnode messenger@test\n200\n") << request;
    EXPECT_LT(seconds_since(start), 2 + busy) << request;
  }
}

TEST(operation, an_address_for_metrics_that_is_taken_is_a_sentence) {
  const mosquitto broker;
  program node(node_program, {"-p", std::to_string(broker.port()), "--metrics", std::to_string(broker.port())});
  EXPECT_EQ(node.end(), 1);
  EXPECT_NE(node.errors().find("cannot be listened at: Address already in use; choose another with --metrics"),
            std::string::npos)
      << node.errors();
}

TEST(operation, status_needs_no_logon) {
  const mosquitto broker;
  auto server = start_server(broker);
  auto ann = start_user(broker, "ann");
  const std::vector<std::string> at{"-p", std::to_string(broker.port()), "--server", "messenger@test"};
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), at.begin(), at.end());
    return program(client_program, more);
  };
  auto status = run({"status"});
  const auto text = output(status);
  EXPECT_EQ(text.rfind("server   messenger@test, up, version " PROJECT_VERSION ", running for ", 0), 0U) << text;
  auto json = run({"--json", "status"});
  const auto object = output(json);
  EXPECT_NE(object.find(R"("type":"status","node":"messenger@test","up":true)"), std::string::npos) << object;
  EXPECT_NE(object.find(R"("messenger_serving":1)"), std::string::npos) << object;
  auto watch = run({"status", "--watch"});
  EXPECT_TRUE(watch.next_line());
  EXPECT_TRUE(eventually(
      [&] {
        for (auto line = watch.next_line(1s); line; line = watch.next_line(1s))
          if (line->rfind("now      1 users", 0) == 0) return true;
        return false;
      },
      60s));
  watch.signal(SIGTERM);
  EXPECT_EQ(watch.end(), 0);
  auto nobody = program(client_program, {"-p", std::to_string(broker.port()), "--server", "nobody@test", "status"});
  EXPECT_EQ(nobody.end(), 1);
  EXPECT_EQ(output(nobody), "no figures of nobody@test, which is not known to the broker\n");
}

TEST(operation, logs_for_machines_are_an_object_a_line) {
  const mosquitto broker;
  auto server = start_server(broker, {"--log-format", "json"});
  {
    auto ann = start_user(broker, "ann");
    ann.signal(SIGKILL);
    ann.end();
  }
  ASSERT_TRUE(server.says("\"event\":\"logoff\""));
  const auto log = server.errors();
  std::istringstream text(log);
  for (std::string line; std::getline(text, line);) {
    EXPECT_EQ(line.front(), '{') << line;
    EXPECT_EQ(line.back(), '}') << line;
    EXPECT_NE(line.find("Z\",\"level\":\""), std::string::npos) << line;
  }
  EXPECT_NE(log.find(R"("event":"node_up","message":"node messenger@test is up)"), std::string::npos) << log;
  EXPECT_NE(log.find(R"("user":"ann","node":"ann@test","pid":"ann@test/)"), std::string::npos) << log;
  EXPECT_NE(log.find(R"("reason":"noconnection","cause":"node_died","count":0})"), std::string::npos) << log;
}

TEST(operation, a_hangup_reloads_and_does_not_stop_the_server) {
  const mosquitto broker;
  const auto file = testing::TempDir() + "reload." + std::to_string(::getpid()) + ".toml";
  std::ofstream(file) << "log-level = \"info\"\n";
  auto server =
      program(node_program, {"-p", std::to_string(broker.port()), "--name", "messenger@test", "--config", file});
  ASSERT_TRUE(server.says("is up at the broker"));
  auto ann = start_user(broker, "ann");
  std::ofstream(file) << "log-level = \"debug\"\nkeepalive = 7\n";
  server.signal(SIGHUP);
  EXPECT_TRUE(
      server.says("SIGHUP: the log level is debug; the password file and the certificates are read at each "
                  "connection; not before the next start: keepalive"));
  std::ofstream(file) << "log-level = \"loud\"\n";
  server.signal(SIGHUP);
  EXPECT_TRUE(server.says("SIGHUP: nothing was changed: messenger-node: " + file + ":1: "));
  EXPECT_EQ(ask(ann, "/users"), "users: ann");
  server.signal(SIGTERM);
  EXPECT_EQ(server.end(), 0);
  std::remove(file.c_str());
}

TEST(operation, a_password_that_was_changed_is_read_at_the_next_connection) {
  deployment at({"ann@test"});
  auto server = program(node_program, at.as("messenger@test"));
  ASSERT_TRUE(server.says("is up at the broker"));
  at.stop();
  at.provision({"add", "new@test"});  // whose password the server is to have from now on, under its own name
  std::ofstream(at.credentials("messenger@test") + "/messenger@test.password")
      << first_line(at.credentials("new@test") + "/new@test.password") << "\n";
  program hash("/bin/sh", {"-c", "sed -i \"s,^messenger@test:.*,$(sed -n 's/^new@test:/messenger@test:/p' " +
                                     at.folder() + "/broker/passwords),\" " + at.folder() + "/broker/passwords"});
  ASSERT_EQ(hash.end(), 0);
  at.start();
  EXPECT_TRUE(eventually([&] {
    const auto& log = server.errors();
    return log.find("is up at the broker", log.find("is up at the broker") + 1) != std::string::npos;
  })) << server.errors();
}

TEST(operation, a_service_manager_hears_when_it_is_ready_that_it_lives_and_when_it_stops) {
  const mosquitto broker;
  const auto path = broker.folder() + "/notify";
  const int manager = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(manager, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const auto next = [&]() -> std::string {
    pollfd p{manager, POLLIN, 0};
    char text[1'000];
    const auto n = ::poll(&p, 1, 10'000) > 0 ? ::recv(manager, text, sizeof text, 0) : 0;
    return {text, static_cast<std::size_t>(n)};
  };
  program server(node_program, {"-p", broker.port_text(), "--name", "messenger@test"},
                 {{"NOTIFY_SOCKET", path}, {"WATCHDOG_USEC", "300000"}});
  std::vector<std::string> heard;
  for (int alive = 0; alive < 5;) {
    heard.push_back(next());
    ASSERT_NE(heard.back(), "");
    alive += heard.back() == "WATCHDOG=1";
  }
  std::erase(heard, "WATCHDOG=1");
  EXPECT_EQ(heard, (lines{"STATUS=waiting for the broker", "READY=1\nSTATUS=serving as messenger@test"}));
  server.signal(SIGSTOP);  // it hangs
  pollfd p{manager, POLLIN, 0};
  while (::poll(&p, 1, 500) > 0) next();
  server.signal(SIGCONT);
  EXPECT_EQ(next(), "WATCHDOG=1");
  server.signal(SIGTERM);
  EXPECT_EQ(server.end(), 0);
  heard.clear();
  while (::poll(&p, 1, 0) > 0) heard.push_back(next());
  std::erase(heard, "WATCHDOG=1");
  EXPECT_EQ(heard, lines{"STOPPING=1\nSTATUS=stopping"});
  ::close(manager);
}

TEST(operation, everything_is_logged_for_a_minute_after_SIGUSR1) {
  const mosquitto broker;
  auto server = start_server(broker);
  server.signal(SIGUSR1);
  EXPECT_TRUE(server.says("SIGUSR1: everything is logged for a minute"));
  raw_client stranger(broker.port());
  stranger.connect("x@y");
  stranger.publish(root_topic + "to/messenger@test/nobody/from/x@y", R"(["hello"])");
  EXPECT_TRUE(server.says("dropped (no process, 1 so far), from x@y"));
}

// Whatever the moment.
TEST(provisioning, that_was_interrupted_is_taken_up_again) {
  for (int i = 1; i <= 8; ++i) {
    const auto folder = make_folder();
    const auto provision = [&](std::vector<std::string> arguments) {
      arguments.insert(arguments.begin(), folder + "/made");
      return program(SOURCE_FOLDER "/broker/provision", arguments);
    };
    const auto interrupted = [&](const std::vector<std::string>& arguments) {
      {
        auto first = provision(arguments);
        nap(i * 15ms);
        first.signal(SIGKILL);
        first.end();
      }
      auto second = provision(arguments);
      EXPECT_TRUE(second.end()) << "it goes on for ever";
      return second.errors();
    };
    const auto passwords = [&] {
      std::set<std::string> of;
      std::ifstream file(folder + "/made/broker/passwords");
      for (std::string line; std::getline(file, line);) of.insert(line.substr(0, line.find(':')));
      return of;
    };
    interrupted({"init", "--server", "messenger@hub", "ann@x+bob@x"});
    EXPECT_EQ(passwords(), (std::set<std::string>{"messenger@hub", "ann@x", "bob@x"})) << i;
    interrupted({"add", "one@x+two@x"});
    EXPECT_EQ(passwords(), (std::set<std::string>{"messenger@hub", "ann@x", "bob@x", "one@x", "two@x"})) << i;
    EXPECT_NE(first_line(folder + "/made/nodes/one@x/two@x.password"), "") << i;
    interrupted({"revoke", "one@x", "two@x"});
    EXPECT_EQ(passwords(), (std::set<std::string>{"messenger@hub", "ann@x", "bob@x", "provision"})) << i;
    std::filesystem::remove_all(folder);
  }
}

TEST(operation, a_load_is_put_on_a_server_and_what_came_of_it_is_said) {
  const mosquitto broker;
  auto server = start_server(broker, {"--max-users", "7", "--max-requests-per-node", "20"});
  const auto bench = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"bench", "--json", "--seconds", "1"});
    auto client = start_client(broker, "load", more);
    const auto code = client.end(60s);
    return std::pair(code.value_or(-1), nlohmann::json::parse(client.rest().back()));
  };
  const auto [code, load] = bench({"--users", "7", "--rate", "50"});
  EXPECT_EQ(code, 0) << load;
  EXPECT_EQ(load["users"], 7);
  EXPECT_EQ(load["sent"], 50);
  EXPECT_EQ(load["delivered"], 50);
  EXPECT_EQ(load["lost"], 0);
  for (const auto* of : {"delivery_ms", "reply_ms", "round_trip_ms"}) {
    EXPECT_GT(load[of]["p50"], 0);
    EXPECT_GE(load[of]["p99"], load[of]["p50"]);
    EXPECT_GE(load[of]["max"], load[of]["p99"]);
  }
  EXPECT_TRUE(server.says("logoff: load-7 was"));
  EXPECT_EQ(server.errors().find("noconnection"), std::string::npos) << "they log off";
  EXPECT_EQ(count(server.errors(), "logon: load-"), 7U);

  nap(3s);
  const auto [refused_code, refused] = bench({"--users", "9", "--rate", "500"});
  EXPECT_EQ(refused_code, 1);
  EXPECT_EQ(refused["refusals"]["too_many_users"], 2) << refused;
  EXPECT_GT(refused["refusals"]["too_many_requests"], 100) << refused;
  EXPECT_EQ(refused["ended"], nullptr);

  // What ends it before its time.
  for (const std::string how : {"interrupted", "server dies"}) {
    auto client = start_client(broker, "load", {"bench", "--json", "--seconds", "100", "--users", "3", "--rate", "10"});
    ASSERT_TRUE(eventually([&] { return client.next_line()->find("sent") != std::string::npos; }));
    if (how == "interrupted")
      client.signal(SIGINT);
    else
      server.signal(SIGKILL);
    EXPECT_EQ(client.end(), 1) << how;
    const auto said = nlohmann::json::parse(client.rest().back());
    EXPECT_EQ(said["users"], 3);
    EXPECT_EQ(said["ended"].get<std::string>().find(
                  how == "interrupted" ? "stopped after" : "the server's node messenger@test died after"),
              0U)
        << said;
  }
  auto unanswered = start_client(broker, "load", {"bench", "--users", "2"});
  EXPECT_EQ(unanswered.end(), 1);
  const auto said = unanswered.rest();
  ASSERT_EQ(said.size(), 2U);
  EXPECT_EQ(said[0].find("0 users, logged on in "), 0U) << said[0];
  EXPECT_EQ(said[1], "2 logons had no answer");
  EXPECT_NE(unanswered.errors().find("node messenger@test is down"), std::string::npos) << unanswered.errors();
}

TEST(operation, an_operator_kicks_and_drains_where_the_broker_says_who_one_is) {
  deployment at({"ann@test", "ann2@test", "op@test"}, {"--names", "open"});
  auto server = program(node_program, at.as("messenger@test", {"--admin", "op@test"}));
  ASSERT_TRUE(server.says("is up at the broker"));
  auto ann = program(client_program, at.as("ann@test", {"--logon", "ann"}));
  EXPECT_EQ(line_of(ann), "logged_on");
  const auto as_op = [&](const std::vector<std::string>& what) {
    return program(client_program, at.as("op@test", what));
  };
  EXPECT_EQ(ask(ann, "/kick ann"), "not_allowed");
  auto kick = as_op({"admin", "kick", "ann"});
  EXPECT_EQ(output(kick), "kicked\n");
  EXPECT_EQ(line_of(ann), "exit: kicked");
  EXPECT_TRUE(server.says("kick: ann by op@test/"));
  auto status = as_op({"status"});
  EXPECT_EQ(output(status).find("server   messenger@test, up, "), 0U) << "the broker lets the server say its figures";
  auto odd = program(client_program, at.as("ann2@test", {"--logon", "an \"odd\" name"}));
  EXPECT_EQ(line_of(odd), "logged_on");
  auto kick_odd = as_op({"admin", "kick", "an \"odd\" name"});
  EXPECT_EQ(output(kick_odd), "kicked\n");
  auto nobody = as_op({"admin", "kick", "nobody"});
  EXPECT_EQ(output(nobody), "receiver_not_found\n");
  EXPECT_EQ(nobody.end(), 1);
  auto drain = as_op({"admin", "drain"});
  EXPECT_EQ(output(drain), "draining\n");
  EXPECT_EQ(server.end(), 0);
}
