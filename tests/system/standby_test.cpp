// Programs that stand by to be the server, at the broker as it is shipped (hard cases 42 to 46).
#include <csignal>
#include <filesystem>
#include <fstream>

#include "system/deployment.hpp"

namespace testing_system {
namespace {

class standby : public testing::Test {
 protected:
  deployment broker{{"ann@test", "bob@test", "one@test+messenger@test", "two@test+messenger@test"}};
  program one = candidate("one@test", "0");
  program two = candidate("two@test", "0.2");

  program candidate(const std::string& node, const std::string& delay) {
    // Each waits until the one before serves, so that it is known who does.
    program p(node_program, broker.as(node, {"--standby", "--standby-delay", delay, "-k", "2"}));
    EXPECT_TRUE(p.says(node == "one@test" ? "node messenger@test is up" : "node two@test is up")) << p.errors();
    return p;
  }
  program user(const std::string& name) {
    program p(client_program, broker.as(name + "@test", {"--logon", name, "--join", "lobby", "--rejoin"}));
    EXPECT_EQ(line_of(p), "logged_on") << p.errors();
    EXPECT_TRUE(line_of(p).starts_with("joined lobby: ")) << p.errors();
    return p;
  }
  static bool serves(program& p, std::size_t times = 1) {
    return eventually([&] { return count(p.errors(), "node messenger@test is up") == times; });
  }
  static bool waits(program& p, std::size_t times) {
    return eventually([&] { return count(p.errors(), "standing by for messenger@test") == times; });
  }
  // Two that decide within the tenth of a second that a connection takes have the name one after the other.
  bool one_serves_and_the_other_waits() {
    const auto serves_now = [](program& p) {
      const auto log = p.errors();
      const auto up = log.rfind("node messenger@test is up"), waits = log.rfind("standing by for messenger@test");
      return up != std::string::npos && up > waits;
    };
    return eventually([&] { return serves_now(one) != serves_now(two); });
  }
  // Until this line comes.
  static bool sees(program& p, const std::string& line) {
    while (const auto next = p.next_line())
      if (*next == line) return true;
    return false;
  }
};

TEST_F(standby, the_next_serves_when_the_server_is_killed_and_everybody_is_on_and_in_the_room_again) {
  program ann = user("ann"), bob = user("bob");
  one.signal(SIGKILL);
  EXPECT_TRUE(serves(two)) << two.errors();
  EXPECT_TRUE(sees(ann, "exit: noconnection"));
  EXPECT_TRUE(sees(ann, "logged_on"));
  EXPECT_TRUE(sees(bob, "logged_on"));
  EXPECT_TRUE(eventually([&] { return ask(ann, "/users lobby") == "users in lobby: ann, bob"; }));
  bob.rest();
  ann.type("/message bob still there?");
  EXPECT_TRUE(sees(bob, R"(Message from ann: "still there?")"));
}

TEST_F(standby, a_server_that_was_stopped_for_a_while_stands_by_and_takes_nothing_back) {
  program ann = user("ann");
  one.signal(SIGSTOP);
  EXPECT_TRUE(serves(two)) << two.errors();
  EXPECT_TRUE(sees(ann, "exit: noconnection"));
  EXPECT_TRUE(sees(ann, "logged_on"));
  one.signal(SIGCONT);
  EXPECT_TRUE(waits(one, 2)) << one.errors();
  EXPECT_TRUE(eventually([&] { return count(one.errors(), "node one@test is up") == 2; }));
  nap(1500ms);  // longer than it would wait
  EXPECT_TRUE(serves(one, 1));
  EXPECT_TRUE(serves(two, 1));
  EXPECT_TRUE(waits(two, 1));
  for (const auto& line : ann.rest()) EXPECT_EQ(line.find("exit"), std::string::npos) << line;
}

TEST_F(standby, a_server_that_is_stopped_in_order_is_followed_at_once) {
  one.signal(SIGTERM);
  EXPECT_EQ(one.end(), 0);
  EXPECT_TRUE(serves(two)) << two.errors();
  two.signal(SIGTERM);
  EXPECT_EQ(two.end(), 0);
}

TEST_F(standby, one_that_waits_ends_when_it_is_told_to_and_takes_nothing_with_it) {
  program ann = user("ann");
  two.signal(SIGTERM);
  EXPECT_EQ(two.end(), 0);
  EXPECT_EQ(count(two.errors(), "takes its name"), 0U);
  EXPECT_EQ(ask(ann, "/message ann hello"), "sent");
  EXPECT_EQ(line_of(ann), R"(Message from ann: "hello")");
}

TEST_F(standby, without_the_servers_credentials_it_is_a_mistake_at_once) {
  program p(node_program, broker.as("ann@test", {"--standby"}));
  EXPECT_EQ(p.end(), 2);
  EXPECT_NE(p.errors().find("has neither messenger@test.password nor messenger@test.crt"), std::string::npos)
      << p.errors();
}

TEST_F(standby, after_the_broker_one_serves_and_the_other_waits) {
  program ann = user("ann");
  broker.stop();
  EXPECT_TRUE(sees(ann, "exit: noconnection"));
  broker.start();
  EXPECT_TRUE(sees(ann, "logged_on"));
  nap(1500ms);
  EXPECT_TRUE(one_serves_and_the_other_waits()) << one.errors() << two.errors();
}

TEST_F(standby, a_broker_that_refuses_everybody_for_a_while_ends_nobody) {
  const auto passwords = broker.folder() + "/broker/passwords";
  broker.stop();
  std::filesystem::rename(passwords, passwords + ".kept");
  std::ofstream(passwords) << "";
  std::filesystem::permissions(passwords, std::filesystem::perms(0644));
  broker.start();
  // The one that served too, as the standby that it has become.
  EXPECT_TRUE(one.says("refused the credentials of node one@test")) << one.errors();
  EXPECT_TRUE(two.says("refused the credentials of node two@test")) << two.errors();
  broker.stop();
  std::filesystem::rename(passwords + ".kept", passwords);
  broker.start();
  program ann(client_program, broker.as("ann@test", {"--logon", "ann", "--join", "lobby", "--rejoin"}));
  EXPECT_TRUE(sees(ann, "joined lobby: ann")) << ann.errors();
  nap(500ms);
  EXPECT_TRUE(one_serves_and_the_other_waits()) << one.errors() << two.errors();
  EXPECT_TRUE(eventually([&] { return ask(ann, "/users lobby") == "users in lobby: ann"; }));
  EXPECT_EQ(one.end(0ms), std::nullopt) << one.errors();
  EXPECT_EQ(two.end(0ms), std::nullopt) << two.errors();
}

TEST(standby_options, are_checked) {
  for (const auto& [arguments, sentence] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--standby", "--embedded-broker"}, "leave out --embedded-broker"},
           {{"--standby", "--name", "a@b", "--server", "a@b"}, "waits under a name of its own"},
           {{"--standby", "--standby-delay", "-1"}, "--standby-delay"},
           {{"--standby", "--replace"}, "leave out --replace"},
           {{"--standby", "--server", "a b"}, "--server"}}) {
    program p(node_program, arguments);
    EXPECT_EQ(p.end(), 2);
    EXPECT_NE(p.errors().find(sentence), std::string::npos) << p.errors();
  }
}

}  // namespace
}  // namespace testing_system
