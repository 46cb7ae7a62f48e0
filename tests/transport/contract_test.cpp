// What nodelink/transport.hpp promises, of each transport that there is.
#include <algorithm>

#include <gtest/gtest.h>

#include "transport/ground.hpp"

using namespace transport_contract;
using nodelink::publication;
using lines = std::vector<std::string>;

namespace {

using by = variant::by;

class contract : public testing::TestWithParam<variant> {
 protected:
  std::unique_ptr<ground> where =
      GetParam().what == by::simulation ? make_simulated_ground(GetParam().mqtt_5) : make_paho_ground(GetParam());
  listener node;
  std::unique_ptr<nodelink::transport> it = where->make_transport();

  static publication will(const std::string& payload = "gone") { return {"status/it", payload, true, 100, 1}; }
  void begin(const std::string& payload = "gone") { it->connect("it@here", will(payload), node); }
  void connect(const std::string& payload = "gone") {
    const auto before = node.count("connected");
    begin(payload);
    ASSERT_TRUE(where->until([&] { return node.count("connected") > before; })) << node.loss.sentence;
  }
  void subscribe(const std::string& filter) {
    const auto before = node.count("subscribed");
    it->subscribe({{filter}});
    ASSERT_TRUE(where->until([&] { return node.count("subscribed") > before; }));
  }
  void close() {
    it->close();
    ASSERT_TRUE(where->until([&] { return node.has("closed"); }));
  }
  // As received while the subscription stands: with MQTT 5 the retain flag is as published.
  static std::string live(const std::string& message) { return message + (GetParam().mqtt_5 ? " (retained)" : ""); }
  bool is_published(const std::string& what) {
    const auto all = where->published();
    return std::find(all.begin(), all.end(), what) != all.end();
  }
};

std::string name_of(const testing::TestParamInfo<variant>& p) {
  const auto* const how = p.param.what == by::simulation ? "simulation"
                          : p.param.what == by::tcp      ? "tcp"
                          : p.param.what == by::tls      ? "tls"
                                                         : "websockets";
  return std::string(how) + (p.param.mqtt_5 ? "_mqttv5" : "_mqttv311");
}
INSTANTIATE_TEST_SUITE_P(transport, contract,
                         testing::Values(variant{by::simulation, true}, variant{by::simulation, false},
                                         variant{by::tcp, true}, variant{by::tcp, false}, variant{by::tls, true},
                                         variant{by::tls, false}, variant{by::websockets, true},
                                         variant{by::websockets, false}),
                         name_of);

}  // namespace

TEST_P(contract, its_will_is_heard_and_kept_after_abort) {
  connect();
  it->abort();
  EXPECT_TRUE(where->until([&] { return is_published(live("status/it=gone")); }));
  EXPECT_EQ(where->retained("status/it"), "gone");
  where->rest();
  EXPECT_EQ(node.heard, lines{"connected"});
  EXPECT_TRUE(it->is_idle());
}

TEST_P(contract, its_will_is_heard_when_it_is_destroyed) {
  connect();
  it.reset();
  EXPECT_TRUE(where->until([&] { return is_published(live("status/it=gone")); }));
}

TEST_P(contract, close_sends_what_is_queued_and_discards_the_will) {
  connect();
  lines sent;
  for (int i = 0; i < 300; ++i) {
    it->publish({"to/all", std::to_string(i)});
    sent.push_back("to/all=" + std::to_string(i));
  }
  close();
  where->rest();
  EXPECT_EQ(where->published(), sent);
  EXPECT_EQ(where->retained("status/it"), "");
  EXPECT_EQ(node.heard, (lines{"connected", "closed"}));
  EXPECT_TRUE(it->is_idle());
}

TEST_P(contract, closed_while_much_comes_it_leaves_no_will) {
  // Mosquitto takes a quarter of a second for as much of WebSockets.
  const std::string much(GetParam().what == by::websockets ? 20 : 20'000, 'x');
  for (int i = 0; i < 20; ++i) {
    connect();
    subscribe("#");
    for (int k = 0; k < 30; ++k) it->publish({"to/all", much, false, 0, k % 2});
    it->close();
    EXPECT_TRUE(where->until([&] { return node.count("closed") == i + 1; }));
  }
  where->rest();
  for (const auto& p : where->published()) EXPECT_EQ(p.find("status/it"), std::string::npos) << p;
}

TEST_P(contract, withdrawn_before_it_is_connected_it_leaves_no_will) {
  begin();
  it->withdraw();
  EXPECT_TRUE(where->until([&] { return it->is_idle(); }));
  where->rest();
  EXPECT_EQ(where->published(), lines{});
  EXPECT_EQ(node.heard, lines{});
}

TEST_P(contract, withdrawn_before_it_is_subscribed_it_leaves_no_will) {
  connect();
  it->subscribe({{"to/it"}});
  it->withdraw();
  EXPECT_TRUE(where->until([&] { return it->is_idle(); }));
  where->rest();
  EXPECT_EQ(where->published(), lines{});
}

TEST_P(contract, retained_messages_come_with_their_flag_and_others_as_they_were_published) {
  where->publish("to/it", "kept", true);
  connect();
  subscribe("to/it");
  EXPECT_TRUE(where->until([&] { return node.has("to/it=kept (retained)"); }));
  where->publish("to/it", "now", false);
  where->publish("to/it", "new", true);
  EXPECT_TRUE(where->until([&] { return node.has("to/it=now") && node.has(live("to/it=new")); }));
}

TEST_P(contract, who_does_not_want_what_is_retained_is_sent_none_of_it_with_mqtt_5) {
  where->publish("to/it", "kept", true);
  connect();
  it->subscribe({{"to/it", false}});
  ASSERT_TRUE(where->until([&] { return node.has("subscribed"); }));
  where->publish("to/it", "now", false);
  EXPECT_TRUE(where->until([&] { return node.has("to/it=now"); }));
  EXPECT_NE(node.has("to/it=kept (retained)"), GetParam().mqtt_5);
}

TEST_P(contract, publications_of_one_topic_and_quality_of_service_keep_their_order) {
  connect();
  subscribe("to/it");
  for (const int qos : {0, 1}) {
    node.heard.clear();
    constexpr int many = 1'000;
    lines wanted;
    for (int i = 0; i < many; ++i) {
      it->publish({"to/it", std::to_string(i), false, 0, qos});
      wanted.push_back("to/it=" + std::to_string(i));
      if (i % 100 == 0) where->until([&] { return node.heard.size() == wanted.size(); });
    }
    EXPECT_TRUE(where->until([&] { return node.heard.size() == many; }));
    EXPECT_EQ(node.heard, wanted);
  }
}

TEST_P(contract, what_is_published_after_a_subscription_comes_back_by_it) {
  connect();
  for (int i = 0; i < 20; ++i) {
    it->subscribe({{"to/" + std::to_string(i)}});
    it->publish({"to/" + std::to_string(i), "hello"});
  }
  EXPECT_TRUE(where->until([&] { return node.has("to/19=hello"); }));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(node.has("to/" + std::to_string(i) + "=hello")) << i;
}

TEST_P(contract, what_is_unsubscribed_comes_no_more) {
  connect();
  subscribe("to/it");
  it->unsubscribe({"to/it"});
  it->publish({"to/it", "hello"});
  EXPECT_TRUE(where->until([&] { return is_published("to/it=hello"); }));
  where->rest();
  EXPECT_FALSE(node.has("to/it=hello"));
}

TEST_P(contract, nothing_comes_from_an_earlier_connection) {
  connect("first is gone");
  subscribe("to/it");
  where->publish("to/it", "first");
  it->abort();
  connect("second is gone");
  where->publish("to/it", "second");
  where->rest();
  EXPECT_EQ(node.count("connected"), 2);
  EXPECT_FALSE(node.has("disconnected"));
  EXPECT_FALSE(node.has("to/it=second"));  // nobody has subscribed on this one
}

TEST_P(contract, a_broker_that_dies_is_told_once_and_the_next_connection_is_a_new_one) {
  connect();
  subscribe("to/it");
  where->kill_broker();
  EXPECT_TRUE(where->until([&] { return node.has("disconnected"); }));
  EXPECT_EQ(node.loss.what, nodelink::connection_loss::kind::lost);
  where->rest();
  EXPECT_EQ(node.count("disconnected"), 1);
  EXPECT_TRUE(it->is_idle());
  begin();
  EXPECT_TRUE(where->until([&] { return node.count("disconnected") == 2; }));
  EXPECT_EQ(node.loss.what, nodelink::connection_loss::kind::unreachable);
  where->start_broker();
  connect();
  subscribe("to/it");
  close();
}

TEST_P(contract, calls_before_a_connection_and_after_it_do_nothing) {
  const auto call = [&] {
    it->subscribe({{"to/it"}});
    it->unsubscribe({"to/it"});
    it->publish({"to/it", "hello"});
    it->close();
    it->abort();
    it->withdraw();
    EXPECT_FALSE(it->is_congested());
  };
  call();
  connect();
  close();
  const auto heard = node.heard;
  call();
  where->rest();
  EXPECT_EQ(node.heard, heard);
  EXPECT_EQ(where->published(), lines{});
}

TEST_P(contract, calls_from_inside_each_event_are_taken) {
  int messages = 0;
  node.then = [&](const std::string& what) {
    if (what == "connected") it->subscribe({{"to/it"}});
    if (what == "subscribed") it->publish({"to/it", "hello"});
    if (what == "to/it=hello" && ++messages < 50) it->publish({"to/it", "hello"});
    if (what == "to/it=hello" && messages == 50) it->close();
    if (what == "closed" && node.count("closed") < 3) begin();
    if (what == "to/it=hello" && messages > 50) it->close();
  };
  begin();
  EXPECT_TRUE(where->until([&] { return node.count("closed") == 3; }));
  EXPECT_EQ(node.count("connected"), 3);
}

TEST_P(contract, it_may_be_aborted_and_connected_again_from_inside_each_event) {
  for (const std::string when : {"connected", "subscribed", "to/it=hello"}) {
    listener other;
    auto another = where->make_transport();
    other.then = [&](const std::string& what) {
      if (what == "connected") another->subscribe({{"to/it"}});
      if (what == "subscribed") another->publish({"to/it", "hello"});
      if (what == when && other.count(when) < 4) {
        another->abort();
        another->connect("other@here", will(), other);
      }
    };
    another->connect("other@here", will(), other);
    EXPECT_TRUE(where->until([&] { return other.count(when) == 4; })) << when;
    EXPECT_FALSE(other.has("disconnected")) << when << ": " << other.loss.sentence;
  }
}

TEST_P(contract, many_connections_one_after_the_other_each_have_their_own_will) {
  for (int i = 0; i < 20; ++i) {
    connect("gone " + std::to_string(i));
    if (i % 2 == 0)
      it->abort();
    else
      it->withdraw();
  }
  EXPECT_TRUE(where->until([&] { return it->is_idle(); }));
  where->rest();
  lines wanted;
  for (int i = 0; i < 20; i += 2) wanted.push_back(live("status/it=gone " + std::to_string(i)));
  // Whoever gives a connection up says his will, and so does a broker that does not see the DISCONNECT behind it.
  auto heard = where->published();
  heard.erase(std::unique(heard.begin(), heard.end()), heard.end());
  EXPECT_EQ(heard, wanted);
}
