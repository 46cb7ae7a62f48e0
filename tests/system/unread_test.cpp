// Nobody reads what a program says: the program goes on.
#include <csignal>
#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/programs.hpp"
#include "system/raw_node.hpp"

using namespace testing_system;

namespace {

// 61
class unread : public testing::Test {
 protected:
  mosquitto broker{
      "allow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 100000\nlog_type none\nlog_type notice"};

  // Says much in the lobby, and waits until all of it has been answered.
  void talk(int times, std::size_t length) {
    raw_node talker(broker.port(), "talker@test", 7);
    EXPECT_EQ(talker.logon("talker"), R"(["messenger","logged_on"])");
    talker.send("messenger", "[\"" + talker.pid() + R"(","join","lobby"])");
    const std::string say = "[\"" + talker.pid() + R"(","say","lobby",")" + std::string(length, 'x') + "\"]";
    int sent = 0;
    for (int i = 0; i < times; ++i) {
      talker.send("messenger", say);
      for (const int wanted = i - 100; sent < wanted;)
        if (talker.next().find("\"sent\"") != std::string::npos) ++sent;
    }
    while (sent < times) {
      const auto line = talker.next();
      ASSERT_FALSE(line.empty()) << sent;
      sent += line.find("\"sent\"") != std::string::npos ? 1 : 0;
    }
  }
  // Waits until that program has nothing more to do with what it was sent.
  static bool settles(pid_t pid) {
    const auto used = [pid] {
      std::ifstream file("/proc/" + std::to_string(pid) + "/schedstat");
      std::int64_t ns = 0;
      file >> ns;
      return ns;
    };
    for (int i = 0; i < 50; ++i) {
      const auto before = used();
      nap(300ms);
      if (used() - before < 5'000'000) return true;
    }
    return false;
  }
  bool answers(const std::string& node) {
    program asker(client_program, {"-p", broker.port_text(), "ping", node + "@test"});
    const bool is_pong = asker.end() == 0;
    if (!is_pong)
      for (const auto& line : asker.rest()) ADD_FAILURE() << line << asker.errors();
    return is_pong;
  }
};

}  // namespace

TEST_F(unread, a_log_that_nobody_reads_stops_no_server_and_what_is_lost_is_said) {
  auto server = start_server(broker, {"-d"});
  raw_node user(broker.port(), "user@test", 7);
  const auto log_on = [&](int serial) {
    ASSERT_EQ(user.logon(std::string(60, 'x') + std::to_string(serial), serial), R"(["messenger","logged_on"])")
        << serial;
  };
  for (int i = 2; i < 12; ++i) log_on(i);
  // With -d each logon and each logoff is followed by the list.
  for (int i = 0; i < 1'000; ++i) {
    log_on(1);
    user.send("messenger", "[\"EXIT\",\"" + user.pid() + "\",\"normal\"]");
  }
  EXPECT_TRUE(answers("messenger"));
  EXPECT_TRUE(server.says("lines of this log were lost: standard error took no more"));
  server.signal(SIGTERM);
  EXPECT_EQ(server.end(), 0);
}

TEST_F(unread, standard_output_that_nobody_reads_stops_no_client_and_what_is_lost_is_said) {
  auto server = start_server(broker);
  auto ann = start_user(broker, "ann", {"--join", "lobby"});
  EXPECT_EQ(line_of(ann), "joined lobby: ann");
  talk(2'000, 1'000);  // twice as much as is kept
  EXPECT_TRUE(answers("ann"));
  EXPECT_TRUE(settles(ann.pid()));
  EXPECT_EQ(count(server.errors(), "logoff: ann"), 0U) << server.errors();
  while (ann.next_line(1s)) {
  }
  EXPECT_TRUE(ann.says("lines of standard output were lost: it took no more")) << ann.errors();
  EXPECT_EQ(ask(ann, "/message ann hello"), "sent");
}

TEST_F(unread, standard_output_that_takes_nothing_at_the_end_is_an_exit_code) {
  auto server = start_server(broker);
  const std::string command = "exec " + client_program + " --name full@test -h 127.0.0.1 -p " + broker.port_text() +
                              " --server messenger@test -c /nodes >/dev/full";
  program full("sh", {"-c", command});
  EXPECT_EQ(full.end(), 1);
  EXPECT_TRUE(full.says("lines of standard output were lost: it took no more")) << full.errors();
}

TEST_F(unread, a_terminal_that_is_stopped_stops_no_client) {
  auto server = start_server(broker);
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    ::setenv("TERM", "xterm", 1);
    ::setenv("XDG_STATE_HOME", "/nonexistent", 1);
    ::execl(client_program.c_str(), client_program.c_str(), "-p", broker.port_text().c_str(), "--name", "ann@test",
            "--server", "messenger@test", "--logon", "ann", "--join", "lobby", nullptr);
    ::_exit(127);
  }
  EXPECT_TRUE(server.says("logon: ann"));
  talk(2'000, 1'000);  // nobody reads the other end
  EXPECT_TRUE(answers("ann"));
  EXPECT_TRUE(settles(child));
  EXPECT_EQ(count(server.errors(), "logoff: ann"), 0U) << server.errors();
  // Somebody does now.
  ::fcntl(terminal, F_SETFL, O_NONBLOCK);
  std::string screen;
  EXPECT_TRUE(eventually([&] {
    char bytes[65'536];
    for (ssize_t n = 0; (n = ::read(terminal, bytes, sizeof bytes)) > 0;)
      screen.append(bytes, static_cast<std::size_t>(n));
    return screen.find("lines were not shown: this terminal was stopped") != std::string::npos;
  }));
  ::kill(child, SIGTERM);
  EXPECT_TRUE(eventually([&] {
    char bytes[65'536];
    while (::read(terminal, bytes, sizeof bytes) > 0) {
    }
    return ::waitpid(child, nullptr, WNOHANG) == child;
  }));
  ::close(terminal);
}
