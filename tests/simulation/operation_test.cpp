// What operators have: presence, figures, limits, kick and drain (topics.md).
#include <map>

#include "client/room_view.hpp"
#include "messenger_world.hpp"
#include "node/reporter.hpp"
#include "protocol/admin.hpp"
#include "protocol/presence.hpp"
#include "protocol/summary.hpp"

using namespace nodelink::simulation;
using nodelink::message;
using nodelink::term;

class operation_test : public messenger_world {
 protected:
  operation_test() {
    broker().on_publish = [this](const publication& p) {
      if (p.topic.find("/room/_users/from/messenger@super") != std::string::npos) presence.push_back(p.payload);
    };
  }
  void use(messenger::server_options options) {
    options.counted = counted;
    boot_server(std::move(options));
    advance(10ms);
    presence.clear();
  }
  // A process of another node, which says what it likes and hears what comes.
  struct stranger {
    nodelink::simulation::host& host;
    std::shared_ptr<lines> heard = std::make_shared<lines>();

    void send(term content) {
      host.when_running([this, content] { host.node().send_local("stranger", term::array({"send", content})); });
    }
    std::string pid() { return to_string(*host.node().whereis("stranger")); }
  };
  stranger a_stranger(const std::string& node) {
    stranger s{start(node)};
    const auto body = [heard = s.heard](nodelink::self me) -> nodelink::process {
      for (;;)
        co_await me.receive([&](const message& m) {
          if (m.local && m.content[0] == "send")
            me.send(nodelink::registered{"messenger", server_node}, m.content[1]);
          else
            heard->push_back(nodelink::to_json(m.content));
        });
    };
    s.host.node().register_name("stranger", s.host.node().spawn(body));
    s.host.run();
    advance(10ms);
    return s;
  }
  // Of a node that says nothing else.
  void log_on_from(const std::string& node, int serial, const std::string& name) {
    publish("to/messenger@super/messenger/from/" + node,
            "[\"" + node + "/7-" + std::to_string(serial) + "\",\"logon\",\"" + name + "\"]");
  }
  static std::string without_numbers(const std::string& json) {
    std::string why;
    auto t = nodelink::decode(json, why).value();
    term all = term::array();
    for (std::size_t i = 0; i < t.size(); ++i)
      if (i != 2) all.push_back(t[i]);
    return nodelink::to_json(all);
  }
  static std::uint64_t number_of(const std::string& json) {
    std::string why;
    return nodelink::decode(json, why).value()[2].get<std::uint64_t>();
  }

  lines presence;
  std::shared_ptr<messenger::statistics> counted = std::make_shared<messenger::statistics>();
};

TEST_F(operation_test, who_logs_on_and_off_is_said_once_with_reason_and_cause) {
  use({.idle_timeout = 1h});
  auto& ann = logged_on("ann");
  auto& bob = logged_on("bob");
  auto& cid = logged_on("cid");
  auto& dan = logged_on("dan");
  logged_on("eve");
  ann.type("/logoff");
  advance(10ms);
  bob.host().kill();
  advance(10ms);
  cid.host().node().stop();
  advance(10ms);
  dan.host().kill_without_will();
  advance(80s);
  EXPECT_EQ(presence.size(), 9U);
  advance(1h);
  lines said;
  for (const auto& p : presence) said.push_back(without_numbers(p));
  EXPECT_EQ(said,
            (lines{R"(["logged_on","_users","ann","ann@ann-host"])", R"(["logged_on","_users","bob","bob@bob-host"])",
                   R"(["logged_on","_users","cid","cid@cid-host"])", R"(["logged_on","_users","dan","dan@dan-host"])",
                   R"(["logged_on","_users","eve","eve@eve-host"])",
                   R"(["logged_off","_users","ann","ann@ann-host","normal","logoff"])",
                   R"(["logged_off","_users","bob","bob@bob-host","noconnection","node_died"])",
                   R"(["logged_off","_users","cid","cid@cid-host","noconnection","node_stopped"])",
                   R"(["logged_off","_users","dan","dan@dan-host","noconnection","tick"])",
                   R"(["logged_off","_users","eve","eve@eve-host","idle_timeout","idle"])"}));
  for (std::size_t i = 1; i < presence.size(); ++i) EXPECT_EQ(number_of(presence[i]), number_of(presence[i - 1]) + 1);
  EXPECT_EQ(counted->logons, 5U);
  EXPECT_EQ((counted->logoffs[{"noconnection", "node_died"}]), 1U);
  EXPECT_EQ((counted->logoffs[{"noconnection", "tick"}]), 1U);
  EXPECT_EQ((counted->logoffs[{"idle_timeout", "idle"}]), 1U);
  EXPECT_EQ((counted->logoffs[{"normal", "logoff"}]), 1U);
  EXPECT_EQ(counted->users, 0U);
}

TEST_F(operation_test, the_list_as_of_an_event_can_be_asked_for_by_who_is_not_logged_on) {
  use({});
  logged_on("ann");
  auto stranger = a_stranger("page@web");
  stranger.send(messenger::ask_presence{*stranger.host.node().whereis("stranger")}.write());
  advance(10ms);
  EXPECT_EQ(*stranger.heard, (lines{R"(["messenger","presence",)" + std::to_string(number_of(presence.back())) +
                                    R"(,[["ann","ann@ann-host"]]])"}));
}

TEST_F(operation_test, the_numbers_of_presence_grow_over_the_life_of_servers_and_show_that_something_was_missed) {
  use({});
  logged_on("ann");
  const auto before = number_of(presence.back());
  server().kill();
  advance(10ms);
  use({});
  logged_on("bob");
  EXPECT_GT(number_of(presence.back()), before + 1) << "ann's end was said by nobody";
}

TEST_F(operation_test, nobody_can_be_in_the_servers_own_channel) {
  auto& ann = logged_on("ann");
  ann.type("/join _users");
  advance(10ms);
  EXPECT_EQ(ann.seen(), lines{"bad_name"});
  ann.type("/users _users");
  advance(10ms);
  EXPECT_EQ(ann.seen(), lines{"bad_name"});
}

TEST_F(operation_test, an_operator_may_kick_and_nobody_else) {
  use({.admins = {"op@hub"}});
  auto& ann = logged_on("ann");
  auto& bob = logged_on("bob");
  bob.type("/kick ann");
  advance(10ms);
  EXPECT_EQ(bob.seen(), lines{"not_allowed"});
  auto& op = add_user("op@hub");
  op.type("/kick nobody");
  advance(10ms);
  EXPECT_EQ(op.seen(), lines{"receiver_not_found"});
  op.type("/kick ann");
  advance(10ms);
  EXPECT_EQ(op.seen(), lines{"kicked"});
  EXPECT_EQ(ann.seen(), lines{"exit: kicked"});
  EXPECT_EQ(without_numbers(presence.back()), R"(["logged_off","_users","ann","ann@ann-host","kicked","kicked"])");
  EXPECT_EQ(count_logged("kick: ann by op@hub/"), 1U);
  ann.type("/logon ann");
  advance(10ms);
  EXPECT_EQ(ann.seen(), lines{"logged_on"}) << "the name is free";
}

TEST_F(operation_test, an_operator_may_drain) {
  int drained = 0;
  use({.admins = {"op@hub"}, .drain = [&] { ++drained; }});
  auto& op = add_user("op@hub");
  auto& bob = add_user("bob@hub");
  bob.type("/drain");
  op.type("/drain");
  advance(10ms);
  EXPECT_EQ(bob.seen(), lines{"not_allowed"});
  EXPECT_EQ(op.seen(), lines{"draining"});
  EXPECT_EQ(drained, 1);
}

TEST_F(operation_test, a_node_that_asks_too_much_is_told_so_and_the_others_are_served) {
  use({.at_most = {.requests_of_node = 2}});
  auto& ann = logged_on("ann");
  auto& bob = logged_on("bob");
  for (int i = 0; i < 60; ++i) {
    ann.type("/users");
    advance(1ms);
  }
  advance(10ms);
  const auto seen = ann.seen();
  EXPECT_EQ(seen.size(), 60U) << "each has an answer";
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "too_many_requests"), 60 - 19);
  EXPECT_EQ(counted->refusals["too_many_requests"], 41U);
  EXPECT_EQ(count_logged("too many"), 0U);
  EXPECT_EQ(server().node().count(nodelink::drop::refused), 1U) << "one line of the log";
  bob.type("/users");
  advance(10ms);
  EXPECT_EQ(bob.seen(), lines{"users: ann, bob"});
  advance(1s);
  ann.type("/rooms");
  advance(10ms);
  EXPECT_EQ(ann.seen(), lines{"rooms: "});
}

TEST_F(operation_test, one_node_has_only_so_many_users_and_rooms) {
  use({.at_most = {.users = 3, .rooms = 2, .users_of_node = 2, .memberships_of_node = 3}});
  log_on_from("many@hub", 1, "one");
  log_on_from("many@hub", 2, "two");
  log_on_from("many@hub", 3, "three");
  advance(10ms);
  auto& ann = logged_on("ann");
  auto& bob = add_user("bob@hub");
  bob.type("/logon bob");
  advance(10ms);
  EXPECT_EQ(bob.seen(), lines{"too_many_users"});
  EXPECT_EQ(counted->refusals["too_many_users"], 2U);
  ann.type("/join a");
  ann.type("/join b");
  ann.type("/join c");
  advance(10ms);
  EXPECT_EQ(ann.seen(), (lines{"joined a: ann", "joined b: ann", "too_many_rooms"})) << "two rooms in all";
  ann.type("/leave b");
  ann.type("/join c");
  advance(10ms);
  EXPECT_EQ(ann.seen(), (lines{"left b", "joined c: ann"}));
  EXPECT_EQ(counted->members, 2U);
  ann.type("/logoff");
  advance(10ms);
  EXPECT_EQ(counted->rooms, 0U);
  bob.type("/logon bob");
  advance(10ms);
  EXPECT_EQ(bob.seen(), lines{"logged_on"}) << "there is room again";
}

TEST_F(operation_test, who_has_gone_makes_room_for_others_of_his_node) {
  use({.at_most = {.users_of_node = 2, .memberships_of_node = 2}});
  auto& ann = add_user("ann@hub");
  for (int i = 0; i < 5; ++i) {
    ann.type("/logon ann");
    ann.type("/join a");
    ann.type("/join b");
    if (i % 2 == 0) ann.type("/leave a");
    if (i % 2 == 0) ann.type("/join c");
    advance(10ms);
    const auto seen = ann.seen();
    EXPECT_EQ(seen.front(), "logged_on");
    EXPECT_EQ(std::count(seen.begin(), seen.end(), "too_many_rooms"), 0);
    ann.type("/logoff");
    advance(10ms);
    EXPECT_EQ(ann.seen(), lines{"logged_off"});
  }
}

TEST_F(operation_test, long_lists_go_out_between_other_requests) {
  use({.at_most = {.users_of_node = 0, .requests_of_node = 0}});
  for (int n = 0; n < 4; ++n)
    for (int i = 1; i <= 900; ++i) {
      log_on_from("n" + std::to_string(n) + "@hub", i, std::string(50, 'x') + std::to_string(n * 1'000 + i));
      if (i % 100 == 0) advance(10ms);
    }
  auto& bob = logged_on("bob");
  ASSERT_EQ(counted->users, 3'601U);
  // What each is sent, in order.
  lines to_whom;
  broker().on_publish = [&](const publication& p) {
    if (p.topic.find("/to/n0@hub/") != std::string::npos) to_whom.emplace_back("list");
    if (p.topic.find("/to/bob@bob-host/") != std::string::npos) to_whom.emplace_back("bob");
  };
  server().be_busy(5ms);  // so that both requests are there when it looks
  publish("to/messenger@super/messenger/from/n0@hub", R"(["n0@hub/7-1","users"])");
  bob.type("/message bob hi");
  advance(50ms);
  EXPECT_EQ(std::count(to_whom.begin(), to_whom.end(), "list"), 7);
  EXPECT_NE(to_whom.back(), "bob") << "he did not wait for the last page";
  EXPECT_EQ(bob.seen(), (lines{"sent", R"(Message from bob: "hi")"}));
}

TEST_F(operation_test, of_the_lists_for_one_process_the_next_begins_when_the_last_is_over_and_eight_may_wait) {
  use({.at_most = {.users_of_node = 0, .requests_of_node = 0}});
  for (int i = 1; i <= 900; ++i) {
    log_on_from("n@hub", i, std::string(60, 'x') + std::to_string(i));
    if (i % 100 == 0) advance(10ms);
  }
  std::string order;  // of pages: `u` and `p`, in capitals the last of a list; `!` for a refusal
  broker().on_publish = [&](const publication& p) {
    if (p.topic.find("/to/n@hub/7-1/") == std::string::npos) return;
    const bool is_last = p.payload.find(R"("more"])") == std::string::npos;
    if (p.payload.find("too_many_requests") != std::string::npos)
      order += '!';
    else
      order += p.payload.find(R"("users")") != std::string::npos ? (is_last ? 'U' : 'u') : (is_last ? 'P' : 'p');
  };
  server().be_busy(5ms);  // so that all are there when it looks
  for (int i = 0; i < 40; ++i)
    publish("to/messenger@super/messenger/from/n@hub",
            i % 2 == 0 ? R"(["n@hub/7-1","users"])" : R"(["n@hub/7-1","presence"])");
  advance(100ms);
  const auto refused = static_cast<std::size_t>(std::count(order.begin(), order.end(), '!'));
  EXPECT_GT(refused, 5U) << order;
  std::erase(order, '!');
  std::string lists;  // one letter for each
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool is_begin = i == 0 || std::isupper(order[i - 1]);
    EXPECT_TRUE(is_begin || std::tolower(order[i]) == std::tolower(order[i - 1])) << order;
    if (is_begin) lists += static_cast<char>(std::tolower(order[i]));
  }
  EXPECT_EQ(lists.size() + refused, 40U) << order;
  EXPECT_GT(order.size(), 2 * lists.size()) << "of several pages: " << order;
}

TEST_F(operation_test, the_servers_figures_are_a_state_that_anybody_hears) {
  use({});
  server().node().spawn(messenger::reporter, counted,
                        [this] { return messenger::read(*counted, server().node(), true); });
  advance(100ms);
  logged_on("ann");
  advance(10s);
  auto& bob = add_user("bob@hub");
  bob.type("/status");
  advance(10ms);
  const auto seen = bob.seen();
  ASSERT_GT(seen.size(), 3U);
  EXPECT_EQ(seen[0].substr(0, 29), "server   messenger@super, up,");
  EXPECT_EQ(seen[1], "now      1 users, 0 rooms with 0 members; 1 nodes up, 1 links");
  EXPECT_GE(counted->round_trip.count(), 2U);
  server().kill();
  advance(1s);
  bob.type("/status");
  advance(10ms);
  EXPECT_NE(bob.seen()[0].find("messenger@super, DOWN"), std::string::npos) << "what is retained is not believed alone";
}

TEST_F(operation_test, a_crash_of_the_server_leaves_no_users_in_the_figures) {
  use({});
  logged_on("ann");
  const auto last = counted->last_presence;
  server().node().stop_process("messenger", term::array({"error", "test"}));
  server().run();
  advance(100ms);
  EXPECT_EQ(counted->users, 0U);
  EXPECT_EQ((counted->logoffs[{"noconnection", "server_ended"}]), 1U);
  EXPECT_GT(counted->last_presence, last);
}
