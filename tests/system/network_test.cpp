// Cables that are cut and packets that are lost, between the broker and one of the programs.
#include <csignal>

#include "system/network.hpp"
#include "system/programs.hpp"

using namespace testing_system;
using clock_ = std::chrono::steady_clock;

namespace {

// The broker is `here`; with it the server or, in one test, the clients.
struct cables : testing::Test {
  std::unique_ptr<network> net;
  std::unique_ptr<mosquitto> broker;

  void SetUp() override {
    if (!network::can_be_made()) GTEST_SKIP() << "network namespaces need root, iproute2 and nftables";
    net = std::make_unique<network>();
    broker = std::make_unique<mosquitto>("", net->here(), network::here_address);
  }
  program start(const std::string& side, const std::string& path, std::vector<std::string> more) const {
    more.insert(more.end(), {"-h", network::here_address, "-p", broker->port_text()});
    return net->start(side, path, more);
  }
  program start_server_at(const std::string& side, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"--name", "messenger@test"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto server = start(side, node_program, arguments);
    EXPECT_TRUE(server.says("is up")) << server.errors();
    return server;
  }
  program start_user_at(const std::string& side, const std::string& name,
                        const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"--name", name + "@test", "--server", "messenger@test"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto user = start(side, client_program, arguments);
    EXPECT_EQ(ask(user, "/logon " + name), "logged_on") << user.errors();
    return user;
  }
};

}  // namespace

TEST_F(cables, a_cut_is_an_exit_after_one_and_a_half_keepalives_and_not_before) {  // case 3
  auto server = start_server_at(net->here());
  auto peter = start_user_at(net->there(), "peter", {"-k", "4"});
  nap(500ms);  // PUBACKs; the keepalive counts from the last packet
  net->cut();
  const auto cut = clock_::now();
  ASSERT_TRUE(server.says("logoff: peter was", 20s)) << server.errors();
  EXPECT_GE(seconds_since(cut), 1.5 * 4 - 2.1)
      << "the last packet came up to a second before the cut, and Mosquitto counts whole ones";
  EXPECT_LE(seconds_since(cut), 1.5 * 4 + 2 + busy);
  std::printf("EXIT %.1f s after the cut, keepalive 4 s\n", seconds_since(cut));
  net->mend();
  EXPECT_EQ(line_of(peter), "exit: noconnection");
  EXPECT_TRUE(eventually([&] { return ask(peter, "/logon peter") == "logged_on"; }, 40s)) << peter.errors();
  EXPECT_EQ(count(server.errors(), "logoff: peter was"), 1U);
}

TEST_F(cables, a_cut_that_is_shorter_than_the_keepalive_loses_nobody_and_nothing) {  // case 4
  auto server = start_server_at(net->here());
  auto peter = start_user_at(net->there(), "peter", {"-k", "20"});
  auto fred = start_user_at(net->here(), "fred");
  net->cut();
  EXPECT_EQ(ask(fred, "/message peter while you were away"), "sent");
  nap(2s);
  net->mend();
  EXPECT_EQ(line_of(peter), R"(Message from fred: "while you were away")");
  EXPECT_EQ(ask(peter, "/message fred I am back"), "sent");
  EXPECT_EQ(line_of(fred), R"(Message from peter: "I am back")");
  EXPECT_EQ(count(server.errors(), "logoff"), 0U);
}

TEST_F(cables, messages_arrive_in_order_and_once_whatever_packets_are_lost) {
  auto server = start_server_at(net->here());
  auto peter = start_user_at(net->there(), "peter");
  auto fred = start_user_at(net->here(), "fred");
  net->lose(15);
  for (int i = 0; i < 30; ++i) {
    const std::string text = std::to_string(i);
    ASSERT_EQ(ask(peter, "/message fred " + text), "sent");
    ASSERT_EQ(line_of(fred), "Message from peter: \"" + text + "\"");
  }
  net->mend();
  EXPECT_EQ(fred.rest(), lines{});
}

TEST_F(cables, a_server_that_is_cut_off_is_down_for_its_clients_and_drops_its_list) {  // case 46
  auto server = start_server_at(net->there(), {"-k", "4"});
  auto peter = start_user_at(net->here(), "peter");
  net->cut();
  EXPECT_EQ(peter.next_line(20s).value_or("nothing"), "exit: noconnection");
  EXPECT_TRUE(server.says("logoff: peter was", 20s)) << server.errors();
  net->mend();
  EXPECT_TRUE(eventually([&] { return count(server.errors(), "is up") == 2; }, 40s)) << server.errors();
  EXPECT_EQ(ask(peter, "/logon peter"), "logged_on");
}
