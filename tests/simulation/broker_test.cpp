// The in-memory broker itself: what it does as MQTT says, seen from two bare connections.
#include <gtest/gtest.h>

#include <nodelink/simulation/world.hpp>

using namespace nodelink::simulation;

namespace {

struct client final : nodelink::transport_events {
  client(world& w, std::string id) : world_(w), id_(std::move(id)), transport(w.broker(), nullptr) {
    transport.connect(id_, {"will/" + id_, "gone", true}, *this);
    world_.advance(1ms);
  }
  void connected() override { seen.emplace_back("connected"); }
  void subscribed() override { seen.emplace_back("subscribed"); }
  void received(std::string_view topic, std::string_view payload, bool retained) override {
    seen.push_back(std::string(topic) + "=" + std::string(payload) + (retained ? " retained" : ""));
  }
  void disconnected(const nodelink::connection_loss& loss) override { seen.push_back(loss.sentence); }
  void closed() override { seen.emplace_back("closed"); }
  std::vector<std::string> take() {
    world_.advance(10ms);
    return std::exchange(seen, {});
  }
  world& world_;
  std::string id_;
  std::vector<std::string> seen;
  simulated_transport transport;
};
using seen = std::vector<std::string>;

}  // namespace

TEST(simulated_broker, matches_filters_as_mqtt_does) {
  EXPECT_TRUE(matches("a/+/c", "a/b/c"));
  EXPECT_TRUE(matches("a/#", "a/b/c"));
  EXPECT_TRUE(matches("#", "a"));
  EXPECT_TRUE(matches("+/+", "a/"));
  for (const auto& [f, t] : {std::pair{"a/+", "a"}, {"a/+", "a/b/c"}, {"a", "a/b"}, {"+", "a/b"}, {"a/b", "a/c"}})
    EXPECT_FALSE(matches(f, t)) << f << " " << t;
}

TEST(simulated_broker, retains_the_last_and_forgets_on_empty) {
  world w;
  client a(w, "a");
  a.transport.publish({"t", "1", true});
  a.transport.publish({"t", "2", true});
  a.transport.publish({"u", "3", true});
  a.transport.publish({"u", "", true});
  client b(w, "b");
  b.transport.subscribe({{"#"}});
  EXPECT_EQ(b.take(), (seen{"connected", "subscribed", "t=2 retained"}));
}

TEST(simulated_broker, publishes_the_will_unless_the_client_disconnects) {
  world w;
  client watcher(w, "watcher");
  watcher.transport.subscribe({{"will/+"}});
  watcher.take();
  {
    client a(w, "a"), b(w, "b");
    a.transport.close();
    EXPECT_EQ(a.take(), (seen{"connected", "closed"}));
  }  // b is gone without a word
  EXPECT_EQ(watcher.take(), seen{"will/b=gone retained"});
}

TEST(simulated_broker, lets_one_connection_have_a_client_id) {
  world w;
  client watcher(w, "watcher");
  watcher.transport.subscribe({{"will/+"}});
  watcher.take();
  client first(w, "same");
  client second(w, "same");
  EXPECT_EQ(first.take(), (seen{"connected", "the connection was lost"}));
  EXPECT_EQ(second.take(), seen{"connected"});
  EXPECT_EQ(watcher.take(), seen{"will/same=gone retained"});
}

TEST(simulated_broker, publishes_wills_when_stopped_and_none_when_it_crashes) {
  for (const bool crash : {false, true}) {
    world w;
    client a(w, "a");
    crash ? w.broker().crash() : w.broker().stop();
    EXPECT_EQ(a.take(), (seen{"connected", "the connection was lost"}));
    EXPECT_EQ(w.broker().retained("will/a"), crash ? "" : "gone");
    a.transport.connect("a", {}, a);
    EXPECT_EQ(a.take(), seen{"no broker there"});
  }
}

TEST(simulated_broker, keeps_order_within_a_topic_and_not_beyond) {
  world w(7);
  w.broker().jitter = 5ms;
  client a(w, "a"), b(w, "b");
  w.advance(20ms);
  b.transport.subscribe({{"#"}});
  w.advance(20ms);
  b.take();
  for (int i = 0; i < 50; ++i) a.transport.publish({i % 2 ? "odd" : "even", std::to_string(i), false});
  w.advance(1s);
  const auto got = b.take();
  ASSERT_EQ(got.size(), 50U);
  std::map<std::string, int> last{{"odd", -1}, {"even", -1}};
  bool overtaken = false;
  int highest = -1;
  for (const auto& m : got) {
    const auto topic = m.substr(0, m.find('='));
    const int n = std::stoi(m.substr(m.find('=') + 1));
    EXPECT_GT(n, last[topic]);
    last[topic] = n;
    overtaken |= n < highest;
    highest = std::max(highest, n);
  }
  EXPECT_TRUE(overtaken);
}

TEST(simulated_broker, a_cut_connection_is_given_up_after_one_and_a_half_keepalives_and_up_to_5_s) {
  world w;
  w.broker().keepalive = 10s;
  client a(w, "a"), b(w, "b");
  b.transport.subscribe({{"will/+"}});
  b.take();
  a.transport.cut();
  w.advance(14s);
  EXPECT_EQ(b.take(), seen{});
  w.advance(6s);
  EXPECT_EQ(b.take(), seen{"will/a=gone retained"});
  a.transport.heal();
  EXPECT_EQ(a.take(), (seen{"connected", "the connection was lost"}));
}
