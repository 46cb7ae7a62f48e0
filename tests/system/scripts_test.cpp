// What scripts rely on: -c, -W, --json, nodes, ping, and the exit codes.
#include <nlohmann/json.hpp>

#include "system/programs.hpp"
#include "system/raw_node.hpp"

using namespace testing_system;
using json = nlohmann::json;

class scripts : public testing::Test {
 protected:
  // A client that ends by itself: its exit code; what it printed is in `printed`.
  int run(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {}) {
    arguments.insert(arguments.begin(), {"-h", "127.0.0.1", "-p", broker.port_text()});
    environment.emplace("MESSENGER_SERVER_NODE", "messenger@test");
    program client(client_program, arguments, environment);
    const auto code = client.end();
    printed = client.rest();
    errors = client.errors();
    EXPECT_TRUE(code) << "it goes on";
    return code.value_or(-1);
  }

  mosquitto broker;
  program server = start_server(broker);
  lines printed;
  std::string errors;
};

TEST_F(scripts, commands_are_done_one_after_the_other_and_then_it_ends) {
  EXPECT_EQ(run({"-c", "/logon robot", "-c", "/join", "-c", "hello, all", "-c", "/users lobby", "--command", "/leave"}),
            0);
  EXPECT_EQ(printed,
            (lines{"logged_on", "joined lobby: robot", "sent", "users in lobby: robot", "left lobby", "logged_off"}));
  EXPECT_EQ(run({"--logon", "robot", "--join", "dev", "-c", "/rooms"}), 0);
  EXPECT_EQ(printed, (lines{"logged_on", "joined dev: robot", "rooms: dev 1", "logged_off"}));
  EXPECT_EQ(run({"-c", "/help"}), 0);
  EXPECT_EQ(printed, lines{});
  EXPECT_NE(errors.find("/message NAME TEXT"), std::string::npos);
}

TEST_F(scripts, exit_codes_say_what_went_wrong) {
  auto ann = start_user(broker, "ann");
  EXPECT_EQ(run({"--logon", "ann", "-c", "/users"}), 3);
  EXPECT_EQ(printed, lines{"user_exists_at_other_node"});
  EXPECT_EQ(run({"--logon", "Server"}), 3);
  EXPECT_EQ(printed, lines{"nick_not_allowed"});
  EXPECT_EQ(run({}, {{"MESSENGER_NICK", "ann"}}), 3);
  EXPECT_EQ(run({"--logon", "robot", "-c", "/message nobody x"}), 1);
  EXPECT_EQ(printed, (lines{"logged_on", "receiver_not_found", "logged_off"}));
  EXPECT_EQ(run({"-c", "/leave"}), 1);
  EXPECT_EQ(run({"-c", "/frob"}), 2);
  EXPECT_NE(errors.find("there is no command /frob"), std::string::npos);
  EXPECT_EQ(run({"--server", "nobody@test", "--logon", "robot", "-c", "/users"}), 1);
  EXPECT_EQ(printed, (lines{"No response from server", "not_logged_on"}));
}

TEST_F(scripts, give_up_after_their_time) {
  const auto start = std::chrono::steady_clock::now();
  program client(client_program,
                 {"--server", "nobody@test", "-h", "127.0.0.1", "-p", broker.port_text(), "--logon", "x", "-W", "0.5"});
  EXPECT_EQ(client.end(), 27);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s) << "before the server's time is over";
  // One that is logged on logs off first.
  auto ann = start_user(broker, "ann");
  program robot(client_program, {"--name", "robot@test", "--server", "messenger@test", "-h", "127.0.0.1", "-p",
                                 broker.port_text(), "--logon", "robot", "--wait", "1"});
  EXPECT_EQ(line_of(robot), "logged_on");
  EXPECT_EQ(robot.end(), 27);
  EXPECT_TRUE(server.says("logoff: robot was robot@test/"));
  EXPECT_NE(server.errors().find("reason normal"), std::string::npos) << server.errors();
}

TEST_F(scripts, ping_and_nodes_are_fit_for_a_health_check) {
  EXPECT_EQ(run({"ping", "messenger@test"}), 0);
  ASSERT_EQ(printed.size(), 1U);
  EXPECT_TRUE(printed[0].starts_with("pong ")) << printed[0];
  EXPECT_EQ(run({"ping", "nobody@test"}), 1);
  EXPECT_EQ(printed, lines{"pang: unknown"});
  EXPECT_EQ(run({"ping", "messenger@test", "--cookie", "other"}), 1);
  EXPECT_EQ(printed, lines{"pang: unknown"});
  EXPECT_EQ(run({"ping", "a b"}), 2);
  EXPECT_EQ(run({"ping"}), 2);
  EXPECT_EQ(run({"--name", "checker@test", "nodes"}), 0);
  ASSERT_EQ(printed.size(), 2U);
  EXPECT_TRUE(printed[0].starts_with("node checker@test up since 20")) << printed[0];
  EXPECT_TRUE(printed[1].starts_with("node messenger@test up since 20")) << printed[1];
  EXPECT_EQ(run({"nodes", "--json", "--name", "checker@test"}), 0);
  ASSERT_EQ(printed.size(), 1U);
  const auto nodes = json::parse(printed[0]).at("nodes");
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[1].at("node"), "messenger@test");
  server.signal(SIGKILL);
  server.end();
  EXPECT_EQ(run({"ping", "messenger@test"}), 1);
  EXPECT_EQ(printed, lines{"pang: down"});
  broker.stop();
  EXPECT_EQ(run({"ping", "messenger@test"}), 1);
  EXPECT_EQ(printed, lines{"pang: no connection to the broker"});
}

TEST_F(scripts, ping_of_a_node_that_has_stopped_is_no_answer) {
  EXPECT_EQ(run({"ping", "messenger@test"}), 0);  // it has said that it is up
  server.signal(SIGSTOP);
  EXPECT_EQ(run({"ping", "messenger@test"}), 1);
  EXPECT_EQ(printed, lines{"pang: no answer"});
  server.signal(SIGCONT);
  EXPECT_EQ(run({"ping", "messenger@test"}), 0);
}

// Every kind of object, with every member that client/README.md says it has.
TEST_F(scripts, json_is_one_object_a_line_for_all_that_happens) {
  auto ann = start_client(broker, "ann", {"--json"});
  const auto next = [](program& p) {
    auto o = json::parse(line_of(p));
    EXPECT_GT(o.at("time").get<std::uint64_t>(), 1'700'000'000'000U) << o;
    o.erase("time");
    return o;
  };
  const auto ask_ann = [&](const std::string& line) {
    ann.type(line);
    return next(ann);
  };
  EXPECT_EQ(ask_ann("/message bob x"), (json{{"type", "reply"}, {"reply", "not_logged_on"}}));
  EXPECT_EQ(ask_ann("/frob").at("type"), "mistake");
  EXPECT_EQ(ask_ann("/help").at("type"), "note");
  EXPECT_EQ(ask_ann("/logon server"), (json{{"type", "refused"}, {"reason", "nick_not_allowed"}}));
  EXPECT_EQ(ask_ann("/logon ann"), (json{{"type", "reply"}, {"reply", "logged_on"}}));
  auto joined = ask_ann("/join dev");
  const auto seq = joined.at("seq").get<std::uint64_t>();
  EXPECT_EQ(joined, (json{{"type", "joined"}, {"room", "dev"}, {"seq", seq}, {"users", {"ann"}}}));
  auto bob = start_user(broker, "bob");
  ask(bob, "/join dev");
  EXPECT_EQ(next(ann),
            (json{{"type", "user_joined"}, {"room", "dev"}, {"seq", seq + 1}, {"user", "bob"}, {"own", false}}));
  ask(bob, "say \"what\"\\");
  EXPECT_EQ(next(ann), (json{{"type", "said"},
                             {"room", "dev"},
                             {"seq", seq + 2},
                             {"user", "bob"},
                             {"own", false},
                             {"text", "say \"what\"\\"}}));
  ask(bob, "/message ann psst");
  EXPECT_EQ(next(ann), (json{{"type", "message"}, {"from", "bob"}, {"text", "psst"}}));
  ann.type("mine");
  json own[] = {next(ann), next(ann)};  // the event and the reply
  if (own[0].at("type") == "reply") std::swap(own[0], own[1]);
  EXPECT_EQ(
      own[0],
      (json{{"type", "said"}, {"room", "dev"}, {"seq", seq + 3}, {"user", "ann"}, {"own", true}, {"text", "mine"}}));
  EXPECT_EQ(own[1], (json{{"type", "reply"}, {"reply", "sent"}}));
  EXPECT_EQ(ask_ann("/users dev"), (json{{"type", "users"}, {"room", "dev"}, {"users", {"ann", "bob"}}}));
  EXPECT_EQ(ask_ann("/users"), (json{{"type", "users"}, {"users", {"ann", "bob"}}}));
  EXPECT_EQ(ask_ann("/rooms"), (json{{"type", "rooms"}, {"rooms", {{{"room", "dev"}, {"users", 2}}}}}));
  const auto nodes = ask_ann("/nodes");
  EXPECT_EQ(nodes.at("type"), "nodes");
  EXPECT_EQ(nodes.at("nodes")[0].at("node"), "ann@test");
  EXPECT_EQ(nodes.at("nodes")[0].at("since").get<std::string>().size(), 20U);
  EXPECT_GT(nodes.at("nodes")[0].at("creation").get<std::uint64_t>(), 1'700'000'000'000U);
  const auto pong = ask_ann("/ping bob@test");
  EXPECT_EQ(pong.at("type"), "pong");
  EXPECT_EQ(pong.at("node"), "bob@test");
  EXPECT_GT(pong.at("ms").get<double>(), 0);
  EXPECT_EQ(ask_ann("/ping nobody@test"), (json{{"type", "pang"}, {"node", "nobody@test"}, {"reason", "unknown"}}));
  bob.signal(SIGKILL);
  EXPECT_EQ(next(ann), (json{{"type", "user_left"},
                             {"room", "dev"},
                             {"seq", seq + 4},
                             {"user", "bob"},
                             {"own", false},
                             {"reason", "noconnection"}}));
  // As if some events had been lost.
  raw_client forger(broker.port());
  forger.connect("forger");
  forger.publish(root_topic + "room/dev/from/messenger@test",
                 R"(["joined","dev",)" + std::to_string(seq + 9) + R"(,"cid"])");
  EXPECT_EQ(next(ann).at("type"), "user_joined");
  EXPECT_EQ(next(ann), (json{{"type", "joined_again"}, {"room", "dev"}, {"seq", seq + 4}, {"users", {"ann"}}}));
  EXPECT_EQ(ask_ann("/leave"), (json{{"type", "left"}, {"room", "dev"}}));
  server.signal(SIGKILL);
  EXPECT_EQ(next(ann), (json{{"type", "exit"}, {"reason", "noconnection"}, {"rejoining", false}}));
}
