// The transport over Paho, in this process, where the programs above it cannot hide what it does.
#include <array>
#include <filesystem>
#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nodelink/paho/transport.hpp>
#include "program/event_loop.hpp"
#include "program/paho_tuning.hpp"
#include "system/mosquitto.hpp"
#include "system/raw_client.hpp"
#include "transport/ground.hpp"
#include "transport/loop.hpp"

using namespace testing_system;
using transport_contract::certificates;
using transport_contract::settings_for;

namespace {

constexpr auto own_topic = "to/it";

// A transport, and what it tells its node.
class transport_test : public testing::Test, public nodelink::transport_events {
 protected:
  void connect(int port) {
    auto settings = settings_for(true);
    settings.port = port;
    transport = nodelink::paho::make_transport(settings, loop, program::wake_paho);
    transport->connect("it@here", {"will", "heard", false, 0, 1}, *this);
    turn_until([this] { return is_connected; });
  }

  // Runs the loop until then; how many turns that took.
  int turn_until(const std::function<bool()>& is_there, std::chrono::milliseconds at_most = patience) {
    int turns = 0;
    const auto until = std::chrono::steady_clock::now() + at_most;
    turn([&] {
      ++turns;
      return is_there() || std::chrono::steady_clock::now() > until;
    });
    return turns;
  }

  void connected() override { is_connected = true; }
  void subscribed() override { is_subscribed = true; }
  void received(std::string_view, std::string_view, bool) override { ++messages; }
  void disconnected(const nodelink::connection_loss& loss) override {
    EXPECT_TRUE(may_be_lost) << loss.sentence;
    losses.push_back(loss.what);
  }
  void closed() override {}

  program::event_loop loop;
  std::unique_ptr<nodelink::transport> transport;
  bool is_connected = false, is_subscribed = false;
  int messages = 0;
  bool may_be_lost = false;
  std::vector<nodelink::connection_loss::kind> losses;

 private:
  // One turn at a time, until `is_over` after one.
  void turn(const std::function<bool()>& is_over) {
    loop.run([&]() -> std::optional<nodelink::instant> {
      if (is_over()) loop.stop();
      return std::chrono::steady_clock::now() + std::chrono::milliseconds(10);
    });
  }
};

TEST_F(transport_test, that_is_destroyed_as_by_an_exception_leaves_its_will) {
  mosquitto broker;
  auto wills = broker.subscribe("will");
  connect(broker.port());
  transport.reset();
  EXPECT_EQ(wills.next_line(), "will heard");
}

TEST_F(transport_test, reads_some_messages_and_lets_the_others_have_their_turn) {
  mosquitto broker("allow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 100000");
  connect(broker.port());
  transport->subscribe({{own_topic}});
  turn_until([this] { return is_subscribed; });
  constexpr int sent = 10'000;
  raw_client sender(broker.port());
  sender.connect("sender");
  for (int i = 0; i < sent; ++i) sender.publish(own_topic, "x");
  int most = 0;
  turn_until([&, before = 0]() mutable {
    nap(std::chrono::milliseconds(1));  // so that more is there than is read at once
    most = std::max(most, messages - std::exchange(before, messages));
    return messages == sent;
  });
  EXPECT_EQ(messages, sent);
  EXPECT_LT(most, sent);  // which takes longer than they are read at once
}

// A broker of which the test decides when it reads.
class slow_broker {
 public:
  explicit slow_broker(std::string connack = std::string("\x20\x03\x00\x00\x00", 5)) {
    ::bind(listening_, reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
    ::listen(listening_, 1);
    socklen_t size = sizeof address_;
    ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address_), &size);
    welcoming_ = std::async(std::launch::async, [this, connack = std::move(connack)] {
      const int fd = ::accept(listening_, nullptr, nullptr);
      char connect_packet[1'000];
      (void)!::read(fd, connect_packet, sizeof connect_packet);
      send(fd, connack);
      return fd;
    });
  }
  ~slow_broker() {
    ::close(listening_);
    ::close(client_);
  }
  int port() const { return ntohs(address_.sin_port); }
  void is_connected() { client_ = welcoming_.get(); }
  void send(const std::string& bytes) { send(client_, bytes); }
  bool has_another() const {
    pollfd next{listening_, POLLIN, 0};
    return ::poll(&next, 1, 0) == 1;
  }
  void end_connection() { ::shutdown(client_, SHUT_RDWR); }
  // Reads what is there.
  std::string bytes() {
    static char all[1 << 20];
    const auto n = ::recv(client_, all, sizeof all, MSG_DONTWAIT);
    return n > 0 ? std::string(all, static_cast<std::size_t>(n)) : "";
  }

 private:
  static void send(int fd, const std::string& bytes) { (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  int listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int client_ = -1;
  sockaddr_in address_{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
  std::future<int> welcoming_;
};

TEST_F(transport_test, waits_for_a_socket_that_takes_nothing_and_loses_nothing) {
  slow_broker broker;
  connect(broker.port());
  broker.is_connected();
  constexpr std::size_t size = 200'000;
  constexpr std::size_t count = 80;  // more than two socket buffers
  for (std::size_t i = 0; i < count; ++i) transport->publish({own_topic, std::string(size, 'x'), false, 0, 0});
  turn_until([] { return false; }, std::chrono::milliseconds(100));
  broker.send(std::string("\x30\x08\x00\x05to/it\x00", 10));
  // The loop wakes by itself every 10 ms.
  EXPECT_LT(turn_until([] { return false; }, std::chrono::milliseconds(500)), 100);
  EXPECT_EQ(messages, 0);
  std::size_t read = 0;
  turn_until([&] {
    read += broker.bytes().size();
    return read > count * size && messages == 1;
  });
  EXPECT_GT(read, count * size);
  EXPECT_EQ(messages, 1);
}

TEST_F(transport_test, gives_the_connection_up_when_more_has_come_than_may_lie_unread) {
  mosquitto broker("allow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0");
  connect(broker.port());
  transport->subscribe({{own_topic}});
  turn_until([this] { return is_subscribed; });
  raw_client sender(broker.port());
  sender.connect("sender");
  constexpr std::size_t sent = 300, kept = 256;
  const std::string megabyte(1 << 20, 'x');
  for (std::size_t i = 0; i < sent; ++i) sender.publish(own_topic, megabyte);
  // Paho acknowledges what it has taken; the loop does not turn meanwhile.
  EXPECT_TRUE(eventually([&] { return count(broker.log(), "Received PUBACK from it@here") == sent; }));
  may_be_lost = true;
  turn_until([this] { return !losses.empty(); });
  EXPECT_EQ(losses, std::vector{nodelink::connection_loss::kind::lost});
  EXPECT_EQ(messages, static_cast<int>(kept) - 1) << "a topic is counted too";
}

// With Receive Maximum 3, MQTT 5.0 section 3.2.2.3.3.
TEST_F(transport_test, has_fewer_in_flight_than_the_broker_takes_and_its_will_besides) {
  slow_broker broker(std::string("\x20\x06\x00\x00\x03\x21\x00\x03", 8));
  connect(broker.port());
  broker.is_connected();
  for (int i = 0; i < 10; ++i) transport->publish({own_topic, "x"});
  std::string bytes;
  turn_until([&] { return bytes += broker.bytes(), count(bytes, own_topic) >= 2; });
  turn_until([&] { return bytes += broker.bytes(), count(bytes, own_topic) > 2; }, 300ms);
  EXPECT_EQ(count(bytes, own_topic), 2U);
  transport->abort();
  const auto has_disconnect = [&] { return bytes.find('\xe0', bytes.find("heard")) != std::string::npos; };
  turn_until([&] { return bytes += broker.bytes(), count(bytes, "heard") > 0 && has_disconnect(); });
  EXPECT_EQ(count(bytes, own_topic), 2U);
  EXPECT_EQ(count(bytes, "heard"), 1U);
  EXPECT_TRUE(has_disconnect());
}

// When a connection ends, Paho reports every question without an answer as failed, and only then that it is lost.
TEST_F(transport_test, is_not_refused_a_subscription_by_a_connection_that_ends) {
  slow_broker broker;
  connect(broker.port());
  broker.is_connected();
  transport->subscribe({{own_topic}});
  turn_until([&] { return count(broker.bytes(), own_topic) > 0; });
  may_be_lost = true;
  broker.end_connection();
  turn_until([this] { return !losses.empty(); });
  EXPECT_EQ(losses, std::vector{nodelink::connection_loss::kind::lost});
}

// A broker that says nothing, not even CONNACK: whoever waits for it does so elsewhere.
TEST_F(transport_test, is_not_held_up_by_a_broker_that_is_silent) {
  slow_broker broker("");
  auto settings = settings_for(true);
  settings.port = broker.port();
  transport = nodelink::paho::make_transport(settings, loop, program::wake_paho);
  const auto start = std::chrono::steady_clock::now();
  transport->connect("it@here", {"will", "heard", false, 0, 1}, *this);
  broker.is_connected();
  transport->withdraw();
  EXPECT_FALSE(transport->is_idle());
  EXPECT_LT(seconds_since(start), 5);
}

// CONNACK that comes late, for a connection that was given up: the next one has the same client identifier, and would
// lose it.
TEST_F(transport_test, begins_no_connection_while_one_that_was_given_up_may_be_connected) {
  slow_broker broker("");
  auto settings = settings_for(true);
  settings.port = broker.port();
  transport = nodelink::paho::make_transport(settings, loop, program::wake_paho);
  const auto connect_again = [this] { transport->connect("it@here", {"will", "heard", false, 0, 1}, *this); };
  connect_again();
  broker.is_connected();
  transport->withdraw();
  connect_again();
  turn_until([&] { return broker.has_another(); }, 300ms);
  EXPECT_FALSE(broker.has_another());
  transport->withdraw();
  connect_again();
  turn_until([&] { return broker.has_another(); }, 300ms);
  EXPECT_FALSE(broker.has_another());
  broker.send(std::string("\x20\x03\x00\x00\x00", 5));
  turn_until([&] { return broker.has_another(); });
  EXPECT_TRUE(broker.has_another());
  EXPECT_FALSE(is_connected);
}

// As while it restarts: Paho is turned away, and who asks why a moment later is answered.
TEST_F(transport_test, says_of_a_broker_that_answers_only_who_asks_why_that_it_is_there) {
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
  socklen_t size = sizeof address;
  ::bind(listening, reinterpret_cast<const sockaddr*>(&address), size);
  ::listen(listening, 5);
  ::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size);
  std::thread broker([listening] {
    constexpr std::ptrdiff_t connect_packet_of_who_asks = 15;
    for (int fd; (fd = ::accept(listening, nullptr, nullptr)) >= 0; ::close(fd)) {
      std::array<char, 1'000> bytes{};
      if (::read(fd, bytes.data(), bytes.size()) == connect_packet_of_who_asks)
        (void)!::write(fd, "\x20\x03\x00\x00\x00", 5);
    }
  });
  auto settings = settings_for(true);
  settings.port = ntohs(address.sin_port);
  transport = nodelink::paho::make_transport(settings, loop, program::wake_paho);
  may_be_lost = true;
  transport->connect("it@here", {"will", "heard", false, 0, 1}, *this);
  turn_until([this] { return !losses.empty(); });
  EXPECT_EQ(losses, std::vector{nodelink::connection_loss::kind::lost});
  ::shutdown(listening, SHUT_RDWR);
  broker.join();
  ::close(listening);
}

std::ptrdiff_t entries(const std::string& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

TEST_F(transport_test, leaves_no_thread_and_no_descriptor_after_a_thousand_connections) {
  const int tls_port = free_port();
  const mosquitto broker("allow_anonymous true\nlog_type none\nlistener " + std::to_string(tls_port) +
                         " 127.0.0.1\ncertfile " + certificates() + "/broker.crt\nkeyfile " + certificates() +
                         "/broker.key\n");
  connect(broker.port());  // the sanitizer's thread begins with the first; waking has a descriptor of its own
  transport.reset();
  const auto threads = entries("/proc/self/task"), descriptors = entries("/proc/self/fd");
  for (const bool tls : {false, true}) {
    auto settings = settings_for(true);
    settings.port = tls ? tls_port : broker.port();
    settings.tls.on = tls;
    settings.tls.ca_file = certificates() + "/authority.crt";
    transport = nodelink::paho::make_transport(settings, loop, program::wake_paho);
    for (int i = 0; i < 500; ++i) {
      is_connected = false;
      transport->connect("it@here", {"will", "heard", false, 0, 1}, *this);
      turn_until([this] { return is_connected; });
      ASSERT_TRUE(is_connected);
      i % 2 == 0 ? transport->abort() : transport->close();
      turn_until([this] { return transport->is_idle(); });
    }
    transport.reset();
  }
  // A thread of Paho's that has said it is through may have some way to go.
  EXPECT_TRUE(testing_system::eventually([&] { return entries("/proc/self/task") <= threads; }));
  EXPECT_EQ(entries("/proc/self/fd"), descriptors);
}

}  // namespace
