// Input that nobody who belongs sends: it is counted, does nothing, and disturbs nobody.
#include "core/node_core.hpp"
#include "messenger_world.hpp"

using namespace nodelink::simulation;
using nodelink::drop;
using nodelink::encode;

struct hostile_input : messenger_world {
  std::string server_inbox = "to/messenger@super/messenger/from/mallory@x";
  std::size_t replies = 0;
  void watch_replies() {
    broker().on_publish = [this](const nodelink::publication& p) {
      replies += p.topic.find("/to/mallory@x/") != std::string::npos;
    };
  }
  std::uint64_t counted() {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < nodelink::drop_kinds; ++i) all += server().node().count(static_cast<drop>(i));
    return all;
  }
  void expect_unharmed(user& u) {
    u.type("/message peter still served");
    advance(10ms);
    EXPECT_EQ(u.seen(), (lines{"sent", R"(Message from peter: "still served")"}));
  }
};

TEST_F(hostile_input, tuples_of_no_known_form_are_counted_once_and_do_nothing) {  // case 58
  user& peter = logged_on("peter");
  watch_replies();
  const lines bad{R"(["mallory@x/7-1","logof"])",
                  R"(["mallory@x/7-1","logon"])",
                  R"(["mallory@x/7-1","logon","m","x"])",
                  R"(["mallory@x/7-1","logon",7])",
                  R"(["mallory@x/7-1","message_to","peter"])",
                  R"(["mallory@x/7-1","message_to","peter",{"a":1}])",
                  R"(["mallory","logon","m"])",
                  R"([1,2,3])",
                  R"([{"a":1,"a":2}])",
                  R"({"logon":"m"})",
                  R"(["EXIT","mallory@x/7-1"])",
                  R"(["LINK"])",
                  R"([null])",
                  "not json",
                  ""};
  for (std::size_t i = 0; i < bad.size(); ++i) {
    publish(server_inbox, bad[i]);
    advance(10ms);
    EXPECT_EQ(counted(), i + 1) << bad[i];
  }
  EXPECT_EQ(replies, 0U);
  expect_unharmed(peter);
}

TEST_F(hostile_input, a_name_that_breaks_the_rule_is_refused_with_a_reply) {  // case 52
  watch_replies();
  for (const std::string& name :
       {std::string(), std::string(65, 'x'), std::string("a\tb"), std::string("\x1b[2J"), std::string(60'000, 'x')}) {
    replies = 0;
    publish(server_inbox, encode(messenger::logon{{"mallory@x", 7, 1}, name}.write()));
    advance(10ms);
    EXPECT_EQ(replies, 1U) << name.substr(0, 70);
  }
  EXPECT_EQ(server().node().count(drop::refused), 5U);
}

TEST_F(hostile_input, sending_as_somebody_else_is_dropped) {  // case 47
  user& peter = logged_on("peter");
  publish(server_inbox, encode(messenger::message_to{peter.client(), "peter", "from me to me"}.write()));
  publish(server_inbox, encode(messenger::logon{{"james@x", 7, 1}, "james"}.write()));
  advance(10ms);
  EXPECT_EQ(server().node().count(drop::forged), 2U);
  EXPECT_EQ(peter.seen(), lines{});
}

TEST_F(hostile_input, somebody_elses_exit_is_dropped) {  // case 48
  user& peter = logged_on("peter");
  const auto server_pid = to_string(*server().node().whereis("messenger"));
  publish("to/" + server_pid + "/from/mallory@x", encode(nodelink::write_exit(peter.client(), "forged")));
  publish("node/mallory@x",
          encode(nodelink::write_status({false, "peter@peter-host", peter.client().creation, "forged"})));
  advance(10ms);
  EXPECT_EQ(server().node().count(drop::forged), 2U);
  expect_unharmed(peter);
}

TEST_F(hostile_input, nobody_but_the_server_and_the_user_talks_to_mess_client) {
  user& peter = logged_on("peter");
  const std::string inbox = "to/" + to_string(peter.client()) + "/from/mallory@x";
  for (const auto* payload : {R"(["message_from","fred","I am not fred"])", R"(["messenger","stop","get out"])",
                              R"(["message_to","peter","spam"])"})
    publish(inbox, payload);
  publish("to/peter@peter-host/mess_client/from/mallory@x", R"(["message_to","peter","spam"])");
  publish("to/peter@peter-host/shell/from/mallory@x", R"(["line","/quit"])");
  publish("to/peter@peter-host/mess_client/from/" + server_node,
          R"(["message_to","peter","spam"])");  // nor the server for the user
  advance(10ms);
  EXPECT_EQ(peter.host().node().count(drop::unheard), 5U);
  EXPECT_EQ(peter.host().node().count(drop::unexpected), 1U);
  EXPECT_EQ(peter.seen(), lines{});
  expect_unharmed(peter);
}

TEST_F(hostile_input, links_without_end_are_refused_and_only_the_server_links_to_mess_client) {
  broker().max_queued = 10'000;
  user& peter = logged_on("peter");
  const auto server_pid = to_string(*server().node().whereis("messenger"));
  for (int i = 1; i <= 3'000; ++i)
    publish("to/" + server_pid + "/from/mallory@x",
            encode(nodelink::write_link({"mallory@x", 7, static_cast<std::uint64_t>(i)})));
  advance(10ms);
  EXPECT_EQ(server().node().count(drop::refused), 2'000U);
  EXPECT_EQ(server().node().core().others().links_to("mallory@x"), 1'000U);
  publish("to/" + to_string(peter.client()) + "/from/mallory@x", encode(nodelink::write_link({"mallory@x", 7, 1})));
  publish("to/" + to_string(peter.client()) + "/from/mallory@x",
          encode(nodelink::write_exit({"mallory@x", 7, 1}, "die")));
  advance(10ms);
  EXPECT_EQ(peter.host().node().core().others().links_to("mallory@x"), 0U);
  expect_unharmed(peter);
}

TEST_F(hostile_input, what_is_planted_retained_has_no_effect) {  // case 53
  publish(server_inbox, encode(messenger::logon{{"mallory@x", 7, 1}, "mallory"}.write()), true);
  for (const bool mqtt_5 : {true, false}) {
    broker().mqtt_5 = mqtt_5;
    advance(10ms);
    logged();
    boot_server();
    advance(1s);
    EXPECT_EQ(server().node().count(drop::retained), mqtt_5 ? 0U : 1U);  // which does not even send it
    EXPECT_EQ(count_logged("logon"), 0U);
  }
}

TEST_F(hostile_input, ten_thousand_mutations_crash_nothing_and_disturb_nobody) {  // case 54
  user& peter = logged_on("peter");
  const auto server_pid = to_string(*server().node().whereis("messenger"));
  const lines good{encode(messenger::logon{{"mallory@x", 7, 1}, "mallory"}.write()),
                   encode(messenger::message_to{{"mallory@x", 7, 1}, "peter", "hello"}.write()),
                   encode(nodelink::write_link({"mallory@x", 7, 1})),
                   encode(nodelink::write_exit({"mallory@x", 7, 1}, "gone")),
                   encode(nodelink::write_status({true, "mallory@x", 7, {}})),
                   encode(nodelink::write_status({false, "mallory@x", 7, "x"}))};
  const lines where{server_inbox, "to/" + server_pid + "/from/mallory@x", "node/mallory@x",
                    "to/messenger@super/net_kernel/from/mallory@x"};
  for (int i = 0; i < 10'000; ++i) {
    std::string payload = good[random() % good.size()];
    for (auto n = random() % 4; n > 0 && !payload.empty(); --n) {
      const auto at = random() % payload.size();
      switch (random() % 4) {
        case 0: payload[at] = static_cast<char>(random()); break;
        case 1: payload.erase(at, random() % 8); break;
        case 2: payload.insert(at, 1, "[]{}\",0\\"[random() % 8]); break;
        default: payload.insert(at, payload.substr(random() % payload.size())); break;
      }
    }
    publish(where[random() % where.size()], payload);
    if (i % 100 == 0) advance(10ms);
  }
  advance(1s);
  peter.seen();
  expect_unharmed(peter);
}

TEST_F(hostile_input, huge_and_deep_payloads_are_dropped) {  // case 54
  user& peter = logged_on("peter");
  publish(server_inbox, std::string(1'000'000, '['));
  publish(server_inbox, "[\"" + std::string(1'000'000, 'x') + "\"]");
  publish(server_inbox, std::string(60'000, '[') + std::string(60'000, ']'));
  publish("node/mallory@x", std::string(1'000'000, '['));
  advance(10ms);
  EXPECT_EQ(server().node().count(drop::malformed), 4U);
  expect_unharmed(peter);
}

// What one other node may cost: what is beyond it is dropped, and nobody else's.
struct flood : testing::Test {
  void from(const std::string& node, int count, const std::string& process, const term& content) {
    for (int i = 0; i < count; ++i)
      w.broker().publish({"nodelink/1/test/to/busy@x/" + process + "/from/" + node, encode(content)});
    w.advance(10ms);
  }

  world w;
  host& busy = w.start(nodelink::node_settings{.name = "busy@x", .cookie = "test", .max_rate_of_one = 10});
};

TEST_F(flood, of_one_node_so_much_a_second_is_looked_at) {
  std::map<std::string, int> got;
  busy.node().register_name("all", busy.node().spawn([&](nodelink::self me) -> nodelink::process {
    for (;;) co_await me.receive([&](const nodelink::message& m) { ++got[m.from]; });
  }));
  w.advance(10ms);
  from("mallory@x", 300, "all", term::array({"hello"}));
  from("ann@x", 1, "all", term::array({"hello"}));
  EXPECT_EQ(got, (std::map<std::string, int>{{"mallory@x", 100}, {"ann@x", 1}})) << "ten seconds' worth";
  EXPECT_EQ(busy.node().count(drop::overrun), 200U);
  w.advance(1s);
  from("mallory@x", 300, "all", term::array({"hello"}));
  EXPECT_EQ(got["mallory@x"], 110);
}

TEST_F(flood, of_one_node_a_hundred_questions_a_second_are_answered) {
  w.broker().max_queued = 10'000;
  auto& calm = w.start("calm@x");  // without a bound of its own
  w.advance(10ms);
  std::map<std::string, int> answers;
  w.broker().on_publish = [&](const nodelink::publication& p) {
    if (p.payload.find("PONG") != std::string::npos) ++answers[p.topic.substr(0, p.topic.find("/from/"))];
  };
  const auto ask = [&](const std::string& node, int count) {
    const nodelink::pid who{node, 7, 1};
    for (int i = 0; i < count; ++i)
      w.broker().publish({"nodelink/1/test/to/calm@x/net_kernel/from/" + node, encode(nodelink::write_ping(who))});
    w.advance(10ms);
    return std::exchange(answers["nodelink/1/test/to/" + node + "/7-1"], 0);
  };
  EXPECT_EQ(ask("mallory@x", 3'000), 1'000) << "ten seconds' worth";
  EXPECT_EQ(ask("ann@x", 1), 1);
  w.advance(1s);
  EXPECT_NEAR(ask("mallory@x", 3'000), 100, 3);
  EXPECT_GE(calm.node().count(drop::overrun), 4'000U);
}
