// Rooms at a real Mosquitto.
#include <csignal>

#include "system/programs.hpp"
#include "system/raw_node.hpp"

using namespace testing_system;

class rooms : public testing::TestWithParam<const char*> {
 protected:
  std::vector<std::string> version{"-V", GetParam()};
};
INSTANTIATE_TEST_SUITE_P(mqtt, rooms, testing::Values("mqttv5", "mqttv311"), [](const auto& p) { return p.param; });

TEST_P(rooms, two_people_and_one_with_nothing_but_mosquittos_tools) {
  mosquitto broker;
  auto server = start_server(broker, version);
  auto ann = start_user(broker, "ann", version);
  auto bob = start_user(broker, "bob", version);
  EXPECT_EQ(ask(ann, "/join"), "joined lobby: ann");
  EXPECT_EQ(ask(bob, "/join"), "joined lobby: ann, bob");
  EXPECT_EQ(line_of(ann), "lobby: bob joined");
  auto events = broker.subscribe(root_topic + "room/lobby/from/messenger@test");
  const std::string to_server = root_topic + "to/messenger@test/messenger/from/cid@test";
  const auto send = [&](const std::string& rest) { broker.publish(to_server, R"(["cid@test/1-1",)" + rest + "]"); };
  send(R"("logon","cid")");
  send(R"("join","lobby")");
  EXPECT_EQ(line_of(ann), "lobby: cid joined");
  EXPECT_EQ(line_of(bob), "lobby: cid joined");
  send(R"("say","lobby","hi from a tool")");
  EXPECT_EQ(line_of(ann), R"(lobby: cid said "hi from a tool")");
  EXPECT_EQ(line_of(bob), R"(lobby: cid said "hi from a tool")");
  EXPECT_EQ(ask(ann, "hello cid"), "sent");
  EXPECT_EQ(line_of(bob), R"(lobby: ann said "hello cid")");
  for (const auto* what : {R"(["joined","lobby",)", R"(["said","lobby",)", R"(["said","lobby",)"})
    EXPECT_NE(line_of(events).find(what), std::string::npos) << what;
  ann.signal(SIGKILL);
  EXPECT_EQ(line_of(bob), "lobby: ann left: noconnection");
  const auto left = line_of(events);
  EXPECT_TRUE(left.ends_with(R"(,"ann","noconnection"])")) << left;
  EXPECT_EQ(ask(bob, "/users lobby"), "users in lobby: bob, cid");
}

TEST_P(rooms, the_dialogue_of_the_exercise) {
  mosquitto broker;
  auto server = start_server(broker, version);
  const auto start = [&](const std::string& nick, const std::string& node) {  // two variables, and a node name
    std::vector<std::string> arguments{"--name", node + "@test", "--join", "lobby",
                                       "-h",     "127.0.0.1",    "-p",     broker.port_text()};
    arguments.insert(arguments.end(), version.begin(), version.end());
    return program(client_program, arguments, {{"MESSENGER_SERVER_NODE", "messenger@test"}, {"MESSENGER_NICK", nick}});
  };
  auto john = start("john", "client");
  EXPECT_EQ(line_of(john), "logged_on");
  EXPECT_EQ(line_of(john), "joined lobby: john");
  auto fabio = start("fabio", "client2");
  EXPECT_EQ(line_of(fabio), "logged_on");
  EXPECT_EQ(line_of(fabio), "joined lobby: fabio, john");
  EXPECT_EQ(line_of(john), "lobby: fabio joined");
  EXPECT_EQ(ask(fabio, "Hi"), "sent");
  EXPECT_EQ(line_of(john), R"(lobby: fabio said "Hi")");
  EXPECT_EQ(ask(john, "Hello Fabio"), "sent");
  EXPECT_EQ(line_of(fabio), R"(lobby: john said "Hello Fabio")");
  EXPECT_EQ(ask(john, "/pm fabio secret"), "sent");
  EXPECT_EQ(line_of(fabio), R"(Message from john: "secret")");
  EXPECT_EQ(ask(john, "/users"), "users: fabio, john");
  auto other = start("john", "client3");
  EXPECT_EQ(other.end(), 3) << "nick_in_use";
  EXPECT_EQ(ask(fabio, "/leave"), "left lobby");
  EXPECT_EQ(line_of(john), "lobby: fabio left: normal");
  EXPECT_EQ(ask(fabio, "/join"), "joined lobby: fabio, john");
  EXPECT_EQ(line_of(john), "lobby: fabio joined");
  fabio.type("/quit");
  EXPECT_EQ(fabio.end(), 0);
  EXPECT_EQ(line_of(john), "lobby: fabio left: normal");
}

// Packets that the server sends for one `say`, as Mosquitto counts them.
TEST_P(rooms, an_event_is_one_publish_for_3_members_and_for_300) {
  mosquitto broker("max_queued_messages 0");
  auto server = start_server(broker, version);
  auto ann = start_user(broker, "ann", version);
  ask(ann, "/join");
  raw_node gateway(broker.port(), "gateway@test", 1);
  gateway.connection.subscribe(root_topic + "room/lobby/from/messenger@test");
  int members = 0;
  const auto add_members_up_to = [&](int number) {
    while (members < number - 1) {
      ++members;
      const auto head = R"([")" + gateway.pid(members) + R"(",")";
      gateway.send("messenger", head + R"(logon","user)" + std::to_string(members) + R"("])");
      gateway.send("messenger", head + R"(join","lobby"])");
    }
    const std::string last = std::to_string(members);
    while (!gateway.next().starts_with("1-" + last + R"( ["messenger","joined")")) {
    }
    while (line_of(ann) != "lobby: user" + last + " joined") {
    }
  };
  const auto packets_to_say = [&] {
    const auto sent = [&] { return count(broker.log(), "Received PUBLISH from messenger@test"); };
    const auto before = sent();
    EXPECT_EQ(ask(ann, "hello"), "sent");
    return sent() - before;
  };
  add_members_up_to(3);
  EXPECT_EQ(packets_to_say(), 2U) << "the event and the reply";
  add_members_up_to(300);
  EXPECT_EQ(packets_to_say(), 2U);
}
