// The ping pong programs print what the text says.
#include <csignal>

#include "system/programs.hpp"

using namespace testing_system;

namespace {

struct ping_pong : testing::TestWithParam<const char*> {
  mosquitto broker;
  std::string pong_pid;

  program start(const std::string& tutorial, std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"-h", "127.0.0.1", "-p", broker.port_text(), "-V", GetParam()});
    return {BIN_FOLDER "/" + tutorial, arguments};
  }
  program start_pong(const std::string& tutorial) {
    auto pong = start(tutorial, {"pong", "--name", "pong@kosken"});
    const auto line = line_of(pong);
    EXPECT_TRUE(line.starts_with("pong is pong@kosken/")) << line;
    pong_pid = line.substr(line.rfind(' ') + 1);
    return pong;
  }
  // Until its end.
  static lines all_of(program& p) {
    lines all;
    while (const auto line = p.next_line()) all.push_back(*line);
    EXPECT_EQ(p.end(), 0) << p.errors();
    return all;
  }
};
INSTANTIATE_TEST_SUITE_P(mqtt, ping_pong, testing::Values("mqttv5", "mqttv311"), [](const auto& p) { return p.param; });

const lines three_pings(3, "Pong received ping"), three_pongs(3, "Ping received pong");

lines operator+(lines all, const std::string& last) {
  all.push_back(last);
  return all;
}

}  // namespace

TEST_P(ping_pong, with_a_time_out) {
  auto pong = start_pong("tut19");
  auto ping = start("tut19", {"ping", "pong@kosken", "--name", "ping@gollum"});
  EXPECT_EQ(all_of(ping), three_pongs + "ping finished");
  EXPECT_EQ(all_of(pong), three_pings + "Pong timed out");
}

TEST_P(ping_pong, with_a_link) {
  auto pong = start_pong("tut20");
  auto ping = start("tut20", {"ping", pong_pid, "--name", "ping@gollum"});
  EXPECT_EQ(all_of(ping), three_pongs);
  EXPECT_EQ(all_of(pong), three_pings);
}

TEST_P(ping_pong, with_a_trapped_exit) {
  auto pong = start_pong("tut21");
  auto ping = start("tut21", {"ping", pong_pid, "--name", "ping@gollum"});
  EXPECT_EQ(all_of(ping), three_pongs);
  const auto seen = all_of(pong);
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(lines(seen.begin(), seen.end() - 1), three_pings);
  EXPECT_TRUE(seen.back().starts_with("pong exiting, got {'EXIT',ping@gollum/")) << seen.back();
  EXPECT_TRUE(seen.back().ends_with("-1,ping}")) << seen.back();
}

TEST(ping_pong_usage, says_what_is_missing) {
  for (const std::vector<std::string>& arguments : {lines{"ping"}, lines{"ping", "pong@kosken"}}) {
    program ping(BIN_FOLDER "/tut20", arguments);
    EXPECT_EQ(ping.end(), 2);
    EXPECT_NE(ping.errors().find("ping needs to know the pid of pong"), std::string::npos) << ping.errors();
  }
}

// The fleet: a sensor and its collector, which is a program of nodelink's or one of Asio's.
class fleet : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(with, fleet, testing::Values("collector", "asio_collector"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(fleet, has_an_alarm_when_a_sensor_dies_and_samples_while_it_lives) {
  const mosquitto broker;
  const auto environment = [&](const std::string& name) -> std::map<std::string, std::string> {
    return {{"NODELINK_NAME", name}, {"NODELINK_BROKER", "mqtt://127.0.0.1:" + broker.port_text()}};
  };
  program collector(std::string(BIN_FOLDER "/") + GetParam(), {}, environment("base@house"));
  ASSERT_TRUE(collector.says("base@house is up"));
  program sensor(BIN_FOLDER "/sensor", {"base@house"}, environment("roof@house"));
  EXPECT_TRUE(line_of(collector).starts_with("roof@house 1: "));
  EXPECT_TRUE(line_of(collector).starts_with("roof@house 2: "));
  sensor.signal(SIGKILL);
  std::string line;
  while (!(line = line_of(collector)).starts_with("ALARM")) ASSERT_FALSE(line.empty());
  EXPECT_EQ(line, "ALARM roof@house: noconnection, its node died");
  {
    program again(BIN_FOLDER "/sensor", {"base@house"}, environment("roof@house"));
    EXPECT_TRUE(line_of(collector).starts_with("roof@house 1: "));
    again.signal(SIGTERM);
    EXPECT_EQ(again.end(), 0);
    while (!(line = line_of(collector)).starts_with("ALARM")) ASSERT_FALSE(line.empty());
    EXPECT_EQ(line, "ALARM roof@house: noconnection, its node said so");
  }
  collector.signal(SIGINT);
  EXPECT_EQ(collector.end(), 0);
}

TEST(fleet_simulated, on_a_virtual_clock_has_the_same) {
  program simulated(BIN_FOLDER "/simulated_fleet", {});
  EXPECT_EQ(simulated.end(), 0);
}
