// A transport is a guest in its program: what was there before it is there after it, and untouched meanwhile.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <random>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <nodelink/paho/transport.hpp>
#include "system/mosquitto.hpp"
#include "system/raw_client.hpp"
#include "transport/ground.hpp"
#include "transport/loop.hpp"

using namespace std::chrono_literals;
using namespace transport_contract;
using testing_system::mosquitto;
using testing_system::patience;
using testing_system::raw_client;

namespace {

struct guest {
  guest(host_loop& l, const nodelink::paho::broker_settings& s, std::string n)
      : loop(l), name(std::move(n)), it(nodelink::paho::make_transport(s, loop)) {}

  void begin() { it->connect(name, {"status/" + name, "gone", false, 0, 1}, node); }
  bool connect() {
    const auto before = node.count("connected");
    begin();
    return turn_until(loop, [&] { return node.count("connected") > before; });
  }
  bool says_hello_to_itself() {
    const auto before = node.count("to/" + name + "=hello");
    it->publish({"to/" + name, "hello"});
    return turn_until(loop, [&] { return node.count("to/" + name + "=hello") > before; });
  }
  bool subscribe() {
    it->subscribe({{"to/" + name}});
    return turn_until(loop, [&] { return node.has("subscribed"); });
  }

  host_loop& loop;
  std::string name;
  listener node;
  std::unique_ptr<nodelink::transport> it;
};

// The broker at which the host of the transport is a client too.
class guests : public testing::Test {
 protected:
  host_loop loop;
  const int tls_port = testing_system::free_port();
  mosquitto broker{"allow_anonymous true\nlistener " + std::to_string(tls_port) + " 127.0.0.1\ncertfile " +
                   certificates() + "/broker.crt\nkeyfile " + certificates() + "/broker.key\n"};

  nodelink::paho::broker_settings settings(bool tls = false) const {
    auto s = settings_for(true);
    s.port = tls ? tls_port : broker.port();
    s.tls.on = tls;
    s.tls.ca_file = certificates() + "/authority.crt";
    return s;
  }
};

bool is_whole(raw_client& host) {
  host.publish("to/host", "hello");
  const auto back = host.next(patience);
  return back && back->payload == "hello" && host.is_open();
}

}  // namespace

TEST_F(guests, a_foreign_connection_of_the_same_program_to_the_same_broker_is_unharmed) {
  for (const bool tls : {false, true}) {
    raw_client host(broker.port());
    host.connect("host");
    host.subscribe("to/host");
    {
      guest one(loop, settings(tls), "one@here");
      for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(one.connect()) << one.node.loss.sentence;
        EXPECT_TRUE(i % 3 != 0 || one.subscribe());
        i % 2 == 0 ? one.it->abort() : one.it->withdraw();
        EXPECT_TRUE(is_whole(host));
      }
      one.begin();  // and is destroyed on its way
    }
    EXPECT_TRUE(is_whole(host));
  }
}

TEST_F(guests, two_nodes_of_one_program_each_have_their_own) {
  guest one(loop, settings(), "one@here"), two(loop, settings(true), "two@here");
  for (auto* g : {&one, &two}) {
    ASSERT_TRUE(g->connect()) << g->node.loss.sentence;
    ASSERT_TRUE(g->subscribe());
  }
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(one.says_hello_to_itself());
    ASSERT_TRUE(two.says_hello_to_itself());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, patience);  // they had waited nine seconds for each other once
  one.it->abort();
  EXPECT_TRUE(two.says_hello_to_itself());
  EXPECT_FALSE(two.node.has("disconnected"));
  EXPECT_EQ(one.node.count("to/one@here=hello"), 50);
  EXPECT_EQ(two.node.count("to/two@here=hello"), 51);
}

TEST_F(guests, eight_nodes_that_reconnect_at_random_do_each_other_no_harm) {
  std::mt19937 chance(8);
  std::vector<std::unique_ptr<guest>> all;
  for (int i = 0; i < 8; ++i)
    all.push_back(std::make_unique<guest>(loop, settings(i % 3 == 0), std::to_string(i) + "@here"));
  for (int i = 0; i < 200; ++i) {
    auto& g = *all[chance() % 8];
    switch (chance() % 4) {
      case 0: g.it->abort(); break;
      case 1: g.it->withdraw(); break;
      case 2: g.it->close(); break;
      default: g.begin();
    }
    turn_until(
        loop, [] { return false; }, std::chrono::milliseconds(chance() % 20));
  }
  // Until it has ended, a connection that nobody wants any more may still take the name from the next.
  for (auto& g : all) g->it->abort();
  ASSERT_TRUE(
      turn_until(loop, [&] { return std::all_of(all.begin(), all.end(), [](auto& g) { return g->it->is_idle(); }); }));
  for (auto& g : all) {
    ASSERT_TRUE(g->connect()) << g->node.loss.sentence;
    g->node.heard.clear();
    ASSERT_TRUE(g->subscribe());
    EXPECT_TRUE(g->says_hello_to_itself());
  }
  for (auto& g : all) EXPECT_FALSE(g->node.has("disconnected")) << g->node.loss.sentence;
}

TEST_F(guests, the_environment_signals_and_settings_of_openssl_stay_as_they_are) {
  ::setenv("http_proxy", "http://127.0.0.1:9", 1);  // which is not for TLS
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> before(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const auto own = [](int) {};
  std::signal(SIGPIPE, own);
  {
    guest one(loop, settings(true), "one@here");
    ASSERT_TRUE(one.connect()) << one.node.loss.sentence;
  }
  EXPECT_EQ(std::signal(SIGPIPE, SIG_DFL), +own);
  {
    guest two(loop, settings(true), "two@here");
    ASSERT_TRUE(two.connect()) << two.node.loss.sentence;
  }
  EXPECT_EQ(std::signal(SIGPIPE, SIG_IGN), SIG_IGN) << "the one thing that Paho changes: mqtt/transport.hpp says so";
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> after(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  EXPECT_EQ(SSL_CTX_get_min_proto_version(after.get()), SSL_CTX_get_min_proto_version(before.get()));
  EXPECT_EQ(SSL_CTX_get_security_level(after.get()), SSL_CTX_get_security_level(before.get()));
  EXPECT_STREQ(::getenv("http_proxy"), "http://127.0.0.1:9");
  ::unsetenv("http_proxy");
}
