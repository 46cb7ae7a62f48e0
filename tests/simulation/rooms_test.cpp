// The rooms (topics.md, "Rooms"), and the other nodes, as users see them.
#include "messenger_world.hpp"

using namespace nodelink::simulation;
using messenger::word::not_in_room;

class rooms_test : public messenger_world {
 protected:
  // Logged on and in the room.
  user& in(const std::string& room, const std::string& name) {
    user& u = logged_on(name);
    do_as(u, "/join " + room);
    u.seen();
    return u;
  }
  // Types a line, and what came of it.
  lines do_as(user& u, const std::string& line, duration time = 10ms) {
    u.type(line);
    advance(time);
    return u.seen();
  }
  lines seen_by(user& u) {
    advance(10ms);
    return u.seen();
  }
  static std::string topic(const std::string& room) { return "room/" + room + "/from/messenger@super"; }
  // The number of the latest event of a room.
  std::uint64_t latest() const { return latest_; }

  rooms_test() {
    broker().on_publish = [this](const publication& p) {
      std::string why;
      if (p.topic.find("/room/") != std::string::npos && !is_forging)
        latest_ = nodelink::decode(p.payload, why).value()[2].get<std::uint64_t>();
      if (p.topic.find("/to/messenger@super/messenger/") != std::string::npos) requests.push_back(p.payload);
    };
  }
  bool is_forging = false;
  lines requests;

 private:
  std::uint64_t latest_ = 0;
};

TEST_F(rooms_test, who_joins_hears_who_is_there_and_what_is_said) {
  user& ann = logged_on("ann");
  EXPECT_EQ(do_as(ann, "/join"), lines{"joined lobby: ann"});
  user& bob = logged_on("bob");
  EXPECT_EQ(do_as(bob, "/join lobby"), lines{"joined lobby: ann, bob"});
  EXPECT_EQ(seen_by(ann), lines{"lobby: bob joined"});
  EXPECT_EQ(do_as(bob, "hello there"), lines{"sent"});
  EXPECT_EQ(seen_by(ann), lines{R"(lobby: bob said "hello there")"});
  EXPECT_EQ(do_as(ann, "/say /join is how"), lines{"sent"});
  EXPECT_EQ(seen_by(bob), lines{R"(lobby: ann said "/join is how")"});
  EXPECT_EQ(do_as(ann, "/users lobby"), lines{"users in lobby: ann, bob"});
  EXPECT_EQ(do_as(ann, "/rooms"), lines{"rooms: lobby 2"});
  EXPECT_EQ(do_as(ann, "/leave"), lines{"left lobby"});
  EXPECT_EQ(seen_by(bob), lines{"lobby: ann left: normal"});
  EXPECT_EQ(do_as(bob, "gone?"), lines{"sent"});
  EXPECT_EQ(seen_by(ann), lines{}) << "who has left hears no more";
  EXPECT_EQ(do_as(ann, "hello?"), lines{"! you are in no room; /join takes you into one"});
  EXPECT_EQ(do_as(ann, "/users"), lines{"users: ann, bob"});
  EXPECT_EQ(do_as(ann, "/users nowhere"), lines{"users in nowhere: "});
}

TEST_F(rooms_test, one_is_in_several_and_speaks_in_the_one_joined_last) {
  user& ann = in("dev", "ann");
  user& bob = in("dev", "bob");
  user& cid = in("ops", "cid");
  do_as(ann, "/join ops");
  seen_by(bob), seen_by(cid);
  do_as(ann, "to ops");
  EXPECT_EQ(seen_by(bob), lines{});
  EXPECT_EQ(seen_by(cid), lines{R"(ops: ann said "to ops")"});
  do_as(ann, "/leave");
  do_as(ann, "to dev");
  EXPECT_EQ(seen_by(bob), lines{R"(dev: ann said "to dev")"});
  EXPECT_EQ(do_as(cid, "/rooms"), (lines{"ops: ann left: normal", "rooms: dev 2, ops 1"}));
}

TEST_F(rooms_test, the_reason_of_an_end_is_for_all_to_see_in_every_room) {
  user& ann = in("dev", "ann");
  do_as(ann, "/join ops");
  user& bob = in("dev", "bob");
  user& cid = in("ops", "cid");
  ann.host().kill();
  EXPECT_EQ(seen_by(bob), lines{"dev: ann left: noconnection"});
  EXPECT_EQ(seen_by(cid), lines{"ops: ann left: noconnection"});
  do_as(bob, "/join ops");
  do_as(bob, "/logoff");
  EXPECT_EQ(seen_by(cid), (lines{"ops: bob joined", "ops: bob left: normal"}));
  EXPECT_EQ(do_as(cid, "/rooms"), lines{"rooms: ops 1"});
}

TEST_F(rooms_test, what_is_refused_is_refused_in_a_word) {
  user& stranger = add_user("s@s");
  for (const auto* line : {"/join", "/leave", "hello", "/users", "/rooms"})
    EXPECT_EQ(do_as(stranger, line), lines{"not_logged_on"}) << line;
  user& ann = logged_on("ann");
  EXPECT_EQ(do_as(ann, "/leave"), lines{not_in_room});
  EXPECT_EQ(do_as(ann, "/leave dev"), lines{not_in_room});
  for (std::size_t i = 0; i < messenger::room_list::max_rooms_of_user; ++i) do_as(ann, "/join r" + std::to_string(i));
  EXPECT_EQ(do_as(ann, "/join one-more"), lines{"too_many_rooms"});
  EXPECT_EQ(do_as(ann, "/leave r1"), lines{"left r1"});
  EXPECT_EQ(do_as(ann, "/join one-more"), lines{"joined one-more: ann"});
}

TEST_F(rooms_test, the_servers_own_name_is_nobodys) {
  user& u = add_user("s@s");
  for (const auto* name : {"server", "Server", "SERVER"})
    EXPECT_EQ(do_as(u, std::string("/logon ") + name), lines{"nick_not_allowed"});
  EXPECT_EQ(do_as(u, "/logon server1"), lines{"logged_on"});
}

TEST_F(rooms_test, join_logs_on_first_if_it_knows_the_name) {
  user& ann = logged_on("ann");
  do_as(ann, "/logoff");
  EXPECT_EQ(do_as(ann, "/join"), (lines{"logged_on", "joined lobby: ann"}));
  do_as(ann, "/logoff");
  logged_on("ann-2");
  user& other = add_user("o@o");
  do_as(other, "/logon ann");
  EXPECT_EQ(do_as(ann, "/join"), lines{"user_exists_at_other_node"});
}

TEST_F(rooms_test, an_event_is_one_publish_whatever_the_size_of_the_room) {
  const auto packets_to_say = [&](user& who) {
    who.seen();
    const auto before = broker().publications();
    EXPECT_EQ(do_as(who, "hello"), lines{"sent"});
    return broker().publications() - before;
  };
  user& ann = in("lobby", "ann");
  std::vector<user*> others;
  for (int i = 0; i < 2; ++i) others.push_back(&in("lobby", "user" + std::to_string(i)));
  const auto packets_for_3 = packets_to_say(ann);
  EXPECT_EQ(packets_for_3, 3U) << "the request, the event, the reply";
  for (int i = 2; i < 299; ++i) others.push_back(&in("lobby", "user" + std::to_string(i)));
  for (auto* u : others) seen_by(*u);
  EXPECT_EQ(packets_to_say(ann), packets_for_3);
  for (auto* u : others) EXPECT_EQ(u->seen(), lines{R"(lobby: ann said "hello")"});
}

TEST_F(rooms_test, a_long_list_comes_in_pages_and_is_whole) {
  constexpr int count = 700;
  user& ann = logged_on("ann");
  const std::string long_name(60, 'x');
  for (int i = 0; i < count; ++i) {  // behind one gateway
    const std::string pid = "g@g/1-" + std::to_string(i + 1);
    publish("to/messenger@super/messenger/from/g@g",
            R"([")" + pid + R"(","logon",")" + long_name + std::to_string(i) + R"("])");
    publish("to/messenger@super/messenger/from/g@g", R"([")" + pid + R"(","join","lobby"])");
    if (i % 100 == 0) advance(10ms);
  }
  advance(1s);
  std::size_t pages = 0;
  const auto before = broker().on_publish;
  broker().on_publish = [&](const publication& p) { pages += p.payload.find(R"(["messenger","joined")") == 0; };
  const auto seen = do_as(ann, "/join", 1s);
  broker().on_publish = before;
  EXPECT_GT(pages, 1U);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(std::count(seen[0].begin(), seen[0].end(), ','), count);
  const auto users = do_as(ann, "/users", 1s);
  ASSERT_EQ(users.size(), 1U);
  EXPECT_EQ(std::count(users[0].begin(), users[0].end(), ','), count);
}

TEST_F(rooms_test, a_member_that_sees_a_gap_asks_for_the_list_again) {
  user& ann = in("lobby", "ann");
  is_forging = true;
  const auto event = [&](std::uint64_t seq) {
    publish(topic("lobby"), R"(["said","lobby",)" + std::to_string(seq) + R"(,"bob","x"])");
    return seen_by(ann);
  };
  requests.clear();
  EXPECT_EQ(event(latest()), lines{}) << "a repeat";
  EXPECT_EQ(event(1), lines{}) << "an old one";
  EXPECT_EQ(event(latest() + 1), lines{R"(lobby: bob said "x")"});
  EXPECT_EQ(requests, lines{});
  EXPECT_EQ(event(latest() + 3), lines{R"(lobby: bob said "x")"}) << "shown in spite of the gap";
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_NE(requests[0].find(R"("join","lobby")"), std::string::npos);
  EXPECT_EQ(event(latest() + 3), lines{}) << "never twice";
  EXPECT_EQ(do_as(ann, "/users lobby"), lines{"users in lobby: ann"}) << "she is in it once";
}

TEST_F(rooms_test, a_gap_that_is_seen_while_another_room_is_joined_or_left_is_not_forgotten) {
  user& ann = in("lobby", "ann");
  const auto in_lobby = latest();
  const auto event = [&](const std::string& room, std::uint64_t seq) {
    publish(topic(room), R"(["said",")" + room + "\"," + std::to_string(seq) + R"(,"bob","x"])");
  };
  const auto with_event_meanwhile = [&](const std::string& command, const std::string& room, std::uint64_t seq) {
    server().freeze();
    ann.type(command);
    advance(10ms);
    requests.clear();
    is_forging = true;
    event(room, seq);
    is_forging = false;
    server().thaw();
    return seen_by(ann);
  };
  EXPECT_EQ(with_event_meanwhile("/join dev", "lobby", in_lobby + 3),
            (lines{"joined dev: ann", R"(lobby: bob said "x")"}));
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_NE(requests[0].find(R"("join","lobby")"), std::string::npos);
  EXPECT_EQ(with_event_meanwhile("/leave dev", "lobby", in_lobby + 6), (lines{"left dev", R"(lobby: bob said "x")"}));
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_NE(requests[0].find(R"("join","lobby")"), std::string::npos);
  EXPECT_EQ(with_event_meanwhile("/join ops", "ops", std::uint64_t{1} << 52),
            (lines{"joined ops: ann", R"(ops: bob said "x")"}))
      << "it has overtaken the list";
}

// What it had to wait for itself counts: the promise is to the user.
TEST_F(rooms_test, a_request_ends_in_time_though_the_list_of_a_room_is_asked_for_before_it) {
  int n = 0;
  for (const char* line : {"/leave", "/users", "/rooms", "/say x", "/join dev"}) {
    user& ann = in("lobby", "ann" + std::to_string(++n));
    is_forging = true;
    server().freeze();
    publish(topic("lobby"), R"(["said","lobby",)" + std::to_string(latest() + 3) + R"(,"bob","x"])");
    is_forging = false;
    advance(1s);
    ann.type(line);
    advance(3s);
    broker().loses = [](const nodelink::publication& p) {  // what answers the second request
      return p.topic.find("/to/ann") != std::string::npos && p.payload.find(R"("joined","lobby")") == std::string::npos;
    };
    server().thaw();
    advance(1980ms);
    EXPECT_EQ(seen_by(ann), lines{R"(lobby: bob said "x")"}) << line;
    advance(20ms);
    const auto seen = seen_by(ann);
    ASSERT_FALSE(seen.empty()) << line;
    EXPECT_EQ(seen.front(), "No response from server") << line;
    broker().loses = nullptr;
    ann.host().kill();
    advance(10s);
  }
}

TEST_F(rooms_test, nobody_but_the_server_speaks_in_its_room) {
  user& ann = in("lobby", "ann");
  is_forging = true;
  const auto next = std::to_string(latest() + 1);
  const std::string said = R"(["said","lobby",)" + next + R"(,"bob","x"])";
  publish("room/lobby/from/mallory@x", said);
  publish(topic("lobby"), said, true);
  publish(topic("lobby"), R"(["said","dev",)" + next + R"(,"bob","x"])");
  publish(topic("lobby"), R"(["said","lobby",0,"bob","x"])");
  publish(topic("lobby"), R"(["said","lobby",-1,"bob","x"])");
  publish(topic("lobby"), R"(["said","lobby","1","bob","x"])");
  publish(topic("lobby"), R"(["said","lobby"])");
  publish(topic("lobby"), R"(["EXIT","messenger@super/1-1","killed"])");
  publish("to/ann@ann-host/mess_client/from/mallory@x", said);
  EXPECT_EQ(seen_by(ann), lines{});
  EXPECT_EQ(do_as(ann, "still here"), lines{"sent"});
}

TEST_F(rooms_test, who_rejoins_is_in_his_rooms_again) {
  user& ann = add_user("ann@ann-host");
  ann.rejoin();
  do_as(ann, "/logon ann");
  do_as(ann, "/join dev");
  do_as(ann, "/join ops");
  do_as(ann, "/join dev");
  const auto before = latest();
  server().kill();
  EXPECT_EQ(seen_by(ann), (lines{"exit: noconnection", "! rejoining"}));
  boot_server();
  advance(60s);
  auto seen = ann.seen();
  EXPECT_EQ(lines(seen.end() - 3, seen.end()), (lines{"logged_on", "joined dev: ann", "joined ops: ann"}));
  EXPECT_GT(latest(), before) << "numbers go on from one server to the next";
  user& bob = in("dev", "bob");
  do_as(ann, "in dev, where I was");
  EXPECT_EQ(seen_by(bob), lines{R"(dev: ann said "in dev, where I was")"});
}

TEST_F(rooms_test, numbers_of_events_go_on_when_the_room_was_empty_or_the_server_process_crashed) {
  user& ann = in("dev", "ann");
  for (int i = 0; i < 20; ++i) do_as(ann, "x");
  auto before = latest();
  do_as(ann, "/leave");
  do_as(ann, "/join dev");
  EXPECT_GT(latest(), before);
  before = latest();
  server().node().stop_process(messenger::server_name, nodelink::reason::error("test"));
  server().run();
  advance(1s);
  EXPECT_EQ(seen_by(ann), lines{R"(exit: ["error","test"])"});
  EXPECT_EQ(do_as(ann, "/join dev"), (lines{"logged_on", "joined dev: ann"}));
  EXPECT_GT(latest(), before);
}

TEST_F(rooms_test, a_user_of_a_room_that_is_idle_leaves_it) {
  boot_server({.idle_timeout = 60s});
  advance(1s);
  user& ann = in("lobby", "ann");
  advance(30s);
  user& bob = in("lobby", "bob");
  seen_by(ann);
  advance(29s);
  do_as(bob, "/users");  // who asks is not idle
  advance(32s);
  EXPECT_EQ(bob.seen(), lines{"lobby: ann left: idle_timeout"});
  EXPECT_EQ(ann.seen(), lines{"exit: idle_timeout"});
}

TEST_F(rooms_test, ping_is_answered_by_who_is_there) {
  user& ann = add_user("ann@host");
  add_user("bob@host");
  EXPECT_EQ(do_as(ann, "/ping messenger@super"), lines{"pong 0.2 ms"});
  EXPECT_EQ(do_as(ann, "/ping bob"), lines{"pong 0.2 ms"}) << "the own host is understood";
  EXPECT_EQ(do_as(ann, "/ping ann@host"), lines{"pong 0.2 ms"});
  EXPECT_EQ(do_as(ann, "/ping nobody@host", 2s), lines{"pang: unknown"});
  server().kill();
  EXPECT_EQ(do_as(ann, "/ping messenger@super", 1s), lines{"pang: down"});
  user& cid = add_user("cid@host");
  cid.host().freeze();
  EXPECT_EQ(do_as(ann, "/ping cid@host", 6s), lines{"pang: no answer"});
  cid.host().thaw();
  EXPECT_EQ(do_as(ann, "/ping cid@host")[0].substr(0, 5), "pong ");
}

TEST_F(rooms_test, a_ping_without_a_connection_does_no_harm) {
  user& ann = logged_on("ann");
  broker().crash();
  advance(10ms);
  ann.seen();
  EXPECT_EQ(do_as(ann, "/ping messenger@super", 1s), lines{"pang: no connection to the broker"});
  broker().restart();
  advance(60s);
  do_as(ann, "/logon ann");
  server().kill();
  EXPECT_EQ(seen_by(ann), lines{"exit: noconnection"});
}

TEST_F(rooms_test, nodes_are_those_that_are_up) {
  user& ann = add_user("ann@host");
  user& bob = add_user("bob@host");
  const auto names_of = [](const lines& seen) {
    lines names;
    for (const auto& line : seen) names.push_back(line.substr(0, line.find(" up since 2026-")));
    return names;
  };
  EXPECT_EQ(names_of(do_as(ann, "/nodes", 1s)), (lines{"node ann@host", "node bob@host", "node messenger@super"}));
  bob.host().kill();
  server().kill();
  advance(1s);
  EXPECT_EQ(names_of(do_as(ann, "/nodes", 1s)), lines{"node ann@host"});
  bob.restart();
  advance(1s);
  EXPECT_EQ(names_of(do_as(ann, "/nodes", 1s)), (lines{"node ann@host", "node bob@host"}));
  broker().crash();
  broker().restart();
  advance(60s);
  EXPECT_EQ(names_of(do_as(ann, "/nodes", 1s)), (lines{"node ann@host", "node bob@host"})) << "after a new connection";
}
