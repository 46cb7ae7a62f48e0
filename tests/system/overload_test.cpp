// One node asks for more than the server can do. It costs that node, and nobody else.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>

#include "system/programs.hpp"
#include "system/raw_node.hpp"

using namespace testing_system;
using std::chrono::steady_clock;

namespace {

// A node that talks and answers, as topics.md wants it.
class attentive_node {
 public:
  attentive_node(int port, const std::string& user) : user_(user), node_(port, user + "@host", 1'000) {
    EXPECT_EQ(node_.logon(user), R"(["messenger","logged_on"])");
  }

  /// Answers whatever has come, and says something once a second.
  void serve() {
    node_.connection.read(0ms);
    for (auto line = node_.next(0ms); !line.empty(); line = node_.next(0ms)) {
      if (line.find(R"(["PING",)") != std::string::npos) answer(line);
      if (line.find("\"sent\"") == std::string::npos) continue;
      longest = std::max(longest, steady_clock::now() - said_.front());
      said_.pop_front();
    }
    if (!node_.connection.is_open() || steady_clock::now() < next_) return;
    next_ = steady_clock::now() + 1s;
    said_.push_back(steady_clock::now());
    node_.send("messenger", "[\"" + node_.pid() + "\",\"message_to\",\"" + user_ + "\",\"hello\"]");
  }
  bool waits() const { return !said_.empty(); }

  steady_clock::duration longest{};  ///< that a reply took

 private:
  void answer(const std::string& ping) {
    const auto begin = ping.find(R"(","messenger@test/)"), end = ping.rfind('"');
    const std::string to = ping.substr(begin + 3, end - begin - 3);
    node_.connection.publish(root_topic + "to/" + to + "/from/" + user_ + "@host", "[\"PONG\",\"" + user_ + "@host\"]");
  }

  std::string user_;
  raw_node node_;
  std::deque<steady_clock::time_point> said_;
  steady_clock::time_point next_;
};

class overload : public testing::Test {
 protected:
  // As the programs' own broker is set.
  mosquitto broker{
      "allow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 100000\nmax_packet_size 131072\n"
      "log_type none\nlog_type notice\nlog_type warning"};

  /// As long as `what()` goes on this node sends, with QoS 0, as much as somebody who does nothing but read can take on
  /// this machine: some 30,000 a second on two cores, less beside other work.
  void flood(const std::string& from, const std::string& request, const std::function<bool()>& what) {
    std::atomic<bool> is_over = false;
    std::thread flooder([&] {
      raw_client mallory(broker.port());
      mallory.connect("flooder");
      const std::string topic = root_topic + "to/messenger@test/messenger/from/" + from;
      mallory.subscribe(topic);
      std::string publish{'\x30', static_cast<char>(topic.size() + 2 + request.size()), '\0',
                          static_cast<char>(topic.size())};
      if (publish[1] < 0) publish.insert(2, "\x01");
      publish += topic + request;
      std::string batch;
      for (int i = 0; i < 250; ++i) batch += publish;
      int ahead = 0;  // of what has been read
      while (!is_over) {
        if (ahead < 2'500) {
          mallory.send(batch);
          ahead += 250;
        }
        mallory.read(ahead < 2'500 ? 0ms : 10ms);
        while (mallory.next(0ms)) --ahead;
      }
    });
    while (what()) {
    }
    is_over = true;
    flooder.join();
  }
};

}  // namespace

// 60
TEST_F(overload, under_a_flood_nobody_who_answers_is_logged_off_and_replies_come_in_time) {
  auto server = start_server(broker, {"--net-ticktime", "4"});
  std::vector<std::unique_ptr<attentive_node>> users;
  for (int i = 0; i < 20; ++i)
    users.push_back(std::make_unique<attentive_node>(broker.port(), "user" + std::to_string(i)));
  const auto until = steady_clock::now() + 16s;  // each link is asked after four times
  flood("mallory@x", R"(["mallory@x/7-1","logon","mallory"])", [&] {
    for (auto& u : users) u->serve();
    nap(1ms);
    return steady_clock::now() < until;
  });
  EXPECT_TRUE(eventually([&] {
    for (auto& u : users) u->serve();
    return std::none_of(users.begin(), users.end(), [](const auto& u) { return u->waits(); });
  }));
  for (const auto& u : users) EXPECT_LT(u->longest, std::chrono::duration<double>(5 + busy));
  EXPECT_EQ(count(server.errors(), "logoff: user"), 0U) << server.errors();
}

// 81
TEST_F(overload, a_standby_takes_no_name_from_a_server_that_is_flooded) {
  auto server = start_server(broker, {"--net-ticktime", "4"});
  program standby(node_program, {"--standby", "--name", "standby@test", "--server", "messenger@test", "--net-ticktime",
                                 "4", "-p", broker.port_text()});
  EXPECT_TRUE(standby.says("standing by for messenger@test"));
  auto ann = start_user(broker, "ann");
  raw_node mallory(broker.port(), "mallory@x", 7);
  EXPECT_EQ(mallory.logon("mallory"), R"(["messenger","logged_on"])");
  mallory.send("messenger", R"(["mallory@x/7-1","join","lobby"])");
  const auto has_exit = [&ann] {
    const auto heard = ann.rest();
    return std::any_of(heard.begin(), heard.end(), [](const auto& line) { return line.starts_with("exit:"); });
  };
  for (const std::string request :
       {R"(["mallory@x/7-1","logon","mallory"])", R"(["mallory@x/7-1","say","lobby","flood"])"}) {
    const auto until = steady_clock::now() + 8s;
    flood("mallory@x", request, [&] {
      nap(1ms);
      EXPECT_FALSE(has_exit());
      return steady_clock::now() < until;
    });
  }
  EXPECT_EQ(standby.errors().find("takes its name"), std::string::npos) << standby.errors();
  EXPECT_EQ(ask(ann, "/message ann still here"), "sent");
}
