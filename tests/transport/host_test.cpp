// A node in a program: as the whole of it, on a thread of its own, and in a loop that was there before.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nodelink/nodelink.hpp>

#include "system/mosquitto.hpp"

using namespace nodelink;
using namespace std::chrono_literals;
using testing_system::eventually;
using testing_system::mosquitto;

namespace {

struct ping {
  sender from;
};
NODELINK_MESSAGE(ping, from)

struct up_observer final : node_observer {
  explicit up_observer(std::atomic<bool>& i) : is(i) {}
  void node_up(std::uint64_t) override { is = true; }
  std::atomic<bool>& is;
};

struct hosts : testing::Test {
  mosquitto broker;

  host_settings settings(const std::string& name) const {
    host_settings s;
    s.node.name = name;
    s.node.cookie = "test";
    s.broker.host = "127.0.0.1";
    s.broker.port = broker.port();
    return s;
  }
  static std::string line_with(testing_system::program& p, const std::string& text) {
    while (const auto line = p.next_line())
      if (line->find(text) != std::string::npos) return *line;
    return "";
  }
  // Spawns a process that answers each ping, and says how many there were.
  static void serve(host& h, std::atomic<int>& pings) {
    h.node().register_name("server", h.node().spawn([&pings](self me) -> process {
      for (;;)
        co_await me.receive([&](const call_request& r) {
          ++pings;
          me.reply(r, "pong");
        });
    }));
  }
  // A process that asks until it has an answer.
  static process ask(self me, std::string node, std::atomic<bool>* answered) {
    while (!*answered) {
      const auto asked = me.send_request(registered{"server", node}, "ping");
      if (co_await me.receive_response(asked, 200ms)) *answered = true;
    }
  }
};

}  // namespace

TEST_F(hosts, with_threads_of_their_own_reach_each_other) {
  std::atomic<int> pings = 0;
  std::atomic<bool> answered = false;
  host a(settings("a@x")), b(settings("b@x"));
  serve(b, pings);
  a.start();
  b.start();
  a.post([&] { a.node().spawn(ask, std::string("b@x"), &answered); });
  EXPECT_TRUE(eventually([&] { return answered.load(); }));
  EXPECT_GE(pings, 1);
}

TEST_F(hosts, do_what_is_posted_on_one_thread_in_order) {
  host a(settings("a@x"));
  a.start();
  std::vector<int> done;
  std::atomic<bool> is_over = false;
  for (int i = 0; i < 100; ++i) a.post([&done, i] { done.push_back(i); });
  a.post([&] { is_over = true; });
  ASSERT_TRUE(eventually([&] { return is_over.load(); }));
  ASSERT_EQ(done.size(), 100U);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
}

TEST_F(hosts, run_in_a_loop_that_was_there_before) {
  std::atomic<int> pings = 0;
  std::atomic<bool> answered = false;
  host a(settings("a@x")), b(settings("b@x"));
  serve(b, pings);
  b.start();
  a.node().spawn(ask, std::string("b@x"), &answered);
  a.connect();
  bool goes_on = true, is_stopping = false;
  while (goes_on) {
    if (answered && !std::exchange(is_stopping, true)) a.stop();
    int wait = 1'000;
    if (const auto next = a.next_deadline())
      wait = static_cast<int>(std::clamp<std::int64_t>((*next - std::chrono::steady_clock::now()) / 1ms + 1, 0, 1'000));
    pollfd inside{a.fd(), POLLIN, 0};
    ::poll(&inside, 1, wait);
    goes_on = a.step();
  }
  EXPECT_TRUE(answered);
}

TEST_F(hosts, that_are_stopped_say_so_and_that_die_do_not) {
  auto sub = broker.subscribe("nodelink/1/test/node/+");
  {
    std::atomic<bool> is_up = false;
    up_observer observer(is_up);
    host a(settings("a@x"));
    a.node().observe(observer);
    a.start();
    ASSERT_TRUE(eventually([&] { return is_up.load(); }));
  }
  EXPECT_NE(line_with(sub, "nodedown").find(R"(,"normal"])"), std::string::npos);
}

// As the whole program: in a process of its own, since it asks for signals.
TEST_F(hosts, as_the_whole_program_end_in_order_by_sigterm) {
  auto sub = broker.subscribe("nodelink/1/test/node/+");
  const pid_t child = ::fork();
  if (child == 0) {
    host a(settings("whole@x"));
    ::_exit(a.run());
  }
  (void)line_with(sub, "nodeup");
  ::kill(child, SIGTERM);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_NE(line_with(sub, "nodedown").find(R"(,"normal"])"), std::string::npos);
}

TEST_F(hosts, on_their_own_thread_take_no_signal_of_the_program) {
  static std::atomic<bool> is_handled;
  struct sigaction mine {
  }, before{};
  mine.sa_handler = [](int) { is_handled = true; };
  ::sigaction(SIGUSR1, &mine, &before);
  std::atomic<bool> is_up = false;
  up_observer observer(is_up);
  host a(settings("a@x"));
  a.node().observe(observer);
  a.start();
  ASSERT_TRUE(eventually([&] { return is_up.load(); }));  // Paho's threads are there too
  // Any thread that does not block it would take it at once.
  sigset_t one, all_before, pending;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &one, &all_before);
  ::kill(::getpid(), SIGUSR1);
  testing_system::nap(100ms);
  ::sigpending(&pending);
  EXPECT_TRUE(sigismember(&pending, SIGUSR1) == 1 && !is_handled);
  ::pthread_sigmask(SIG_SETMASK, &all_before, nullptr);
  EXPECT_TRUE(is_handled);
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_F(hosts, refuse_what_is_not_valid_with_a_sentence) {
  const auto refusal = [](const host_settings& s) -> std::string {
    try {
      host h(s);
      return "";
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
  };
  EXPECT_EQ(refusal(settings("a@x")), "");
  EXPECT_EQ(refusal(settings("a")),
            "the node name 'a' must be name@host, both parts 1 to 64 of the characters A-Z a-z 0-9 _ -");
  auto s = settings("a@x");
  s.node.cookie = "choc chip";
  EXPECT_EQ(refusal(s), "the cookie 'choc chip' must be 1 to 64 of the characters A-Z a-z 0-9 _ -");
  s = settings("a@x");
  s.node.topic_root = "a/+/b";
  EXPECT_EQ(refusal(s), "the topic root 'a/+/b' must be names of the characters A-Z a-z 0-9 _ -, with / between them");
  s = settings("a@x");
  s.node.message_qos = 2;
  EXPECT_EQ(refusal(s), "message_qos '2' must be 0 or 1");
  s = settings("a@x");
  s.broker.port = 0;
  EXPECT_EQ(refusal(s), "the broker's port 0 must be 1 to 65535");
  s = settings("a@x");
  s.broker.keepalive_seconds = 0;
  EXPECT_EQ(refusal(s), "the keepalive 0 must be 1 to 65535 seconds");
  s = settings("a@x");
  s.broker.host = "mqtt://localhost";
  EXPECT_EQ(
      refusal(s),
      "the broker's host 'mqtt://localhost' must be a name or an address; paho::read_broker_url() takes a URL apart");
  s = settings("a@x");
  s.broker.tls.on = true;
  s.broker.tls.key = "/nowhere";
  EXPECT_EQ(refusal(s), "the key /nowhere is of no use without its certificate");
  s.broker.tls.certificate = std::exchange(s.broker.tls.key, "");
  EXPECT_EQ(refusal(s), "the certificate /nowhere is of no use without its key");
}

TEST_F(hosts, have_one_thread_of_their_own) {
  host h(settings("a@x"));
  h.start();
  EXPECT_THROW(h.start(), std::logic_error);
}

TEST(host_settings_of_the_environment, are_complete_without_it_and_heed_it) {
  const auto with = [](std::initializer_list<std::pair<const char*, std::string>> variables) {
    for (const auto& [name, value] : variables) ::setenv(name, value.c_str(), 1);
    try {
      auto s = host_settings::from_environment("sensor");
      for (const auto& [name, value] : variables) ::unsetenv(name);
      return s;
    } catch (...) {
      for (const auto& [name, value] : variables) ::unsetenv(name);
      throw;
    }
  };
  const auto plain = with({});
  EXPECT_TRUE(plain.node.name.starts_with("sensor@"));
  EXPECT_EQ(plain.node.cookie, "nodelink");
  EXPECT_EQ(plain.broker.host, "localhost");
  EXPECT_EQ(plain.broker.port, 1883);
  const auto whole = with({{"NODELINK_NAME", "roof@house"},
                           {"NODELINK_COOKIE", "secret"},
                           {"NODELINK_BROKER", "mqtts://ann:pw@broker.example"},
                           {"NODELINK_CA_FILE", "/ca.crt"}});
  EXPECT_EQ(whole.node.name, "roof@house");
  EXPECT_EQ(whole.node.cookie, "secret");
  EXPECT_EQ(whole.broker.host, "broker.example");
  EXPECT_EQ(whole.broker.port, 8883);
  EXPECT_EQ(whole.broker.username, "ann");
  EXPECT_EQ(whole.broker.password, "pw");
  EXPECT_TRUE(whole.broker.tls.on);
  EXPECT_EQ(whole.broker.tls.ca_file, "/ca.crt");
  try {
    with({{"NODELINK_BROKER", "http://ann:pw@x"}});
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_EQ(std::string(e.what()).find("the broker's URL (NODELINK_BROKER) does not begin with"), 0U);
    EXPECT_EQ(std::string(e.what()).find("pw"), std::string::npos);
  }
  const auto refusal = [&](std::initializer_list<std::pair<const char*, std::string>> variables) -> std::string {
    try {
      with(variables);
      return "";
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
  };
  EXPECT_EQ(refusal({{"NODELINK_PASSWORD_FILE", "/nowhere"}}),
            "the file of the password, /nowhere (NODELINK_PASSWORD_FILE), cannot be read: No such file or directory");
  EXPECT_EQ(refusal({{"NODELINK_PASSWORD_FILE", "/etc/hostname"}}),
            "NODELINK_PASSWORD_FILE is set, and NODELINK_BROKER has no user name: mqtt://USER@HOST");
  EXPECT_EQ(refusal({{"NODELINK_BROKER", "mqtt://broker"}, {"NODELINK_CA_FILE", "/etc/hostname"}}),
            "NODELINK_CA_FILE is set, and NODELINK_BROKER is no URL with TLS: mqtts:// or wss://");
}
