// The broker of the simulation is honest: in every scenario its clients see what those of a real Mosquitto see.
#include <gtest/gtest.h>

#include "stage.hpp"

namespace {

using model::stage;
using lines = std::vector<std::string>;

struct scenario : testing::TestWithParam<bool> {
  // Plays it on both, and compares what was seen. @returns that.
  template <class F>
  static lines play(F script, bool persistent = false) {
    const auto simulated = model::make_simulated_stage(GetParam(), persistent);
    const auto real = model::make_mosquitto_stage(GetParam(), persistent);
    const lines in_simulation = script(*simulated);
    EXPECT_EQ(in_simulation, script(*real)) << "first: the simulation; then: Mosquitto";
    return in_simulation;
  }
  static lines watch(stage& s, const std::string& filter = "will/+") {
    s.connect("watcher");
    s.subscribe("watcher", filter);
    return s.seen("watcher");
  }
  static void append(lines& all, const lines& more) { all.insert(all.end(), more.begin(), more.end()); }
  // As received live: MQTT 5 subscriptions are asked to keep the retain flag as published.
  static std::string live(const std::string& message) { return message + (GetParam() ? " (retained)" : ""); }
};
INSTANTIATE_TEST_SUITE_P(model, scenario, testing::Bool(),
                         [](const auto& p) { return p.param ? "mqttv5" : "mqttv311"; });

}  // namespace

TEST_P(scenario, a_killed_client_has_its_will_published_and_retained) {
  const auto seen = play([](stage& s) {
    lines all = watch(s);
    s.connect("peter");
    s.kill("peter");
    append(all, s.seen("watcher"));
    s.connect("late");
    s.subscribe("late", "will/+");
    append(all, s.seen("late"));
    return all;
  });
  EXPECT_EQ(seen, (lines{live("will/peter=peter is gone"), "will/peter=peter is gone (retained)"}));
}

TEST_P(scenario, disconnect_discards_the_will) {
  const auto seen = play([](stage& s) {
    lines all = watch(s);
    s.connect("peter");
    s.disconnect("peter");
    append(all, s.seen("watcher"));
    return all;
  });
  EXPECT_EQ(seen, lines{});
}

TEST_P(scenario, a_takeover_publishes_the_will_of_the_one_before_and_closes_it) {  // cases 5, 6
  const auto seen = play([](stage& s) {
    lines all = watch(s);
    s.connect("same#1");
    s.connect("same#2");
    append(all, s.seen("watcher"));
    append(all, s.seen("same#1"));
    s.publish("same#2", "will/same", "born", true);
    append(all, s.seen("watcher"));
    s.kill("same#2");
    append(all, s.seen("watcher"));
    return all;
  });
  EXPECT_EQ(seen,
            (lines{live("will/same=same is gone"), "closed", live("will/same=born"), live("will/same=same is gone")}));
}

TEST_P(scenario, a_second_connect_swallows_the_will) {  // case 12
  const auto seen = play([](stage& s) {
    lines all = watch(s);
    s.connect("peter");
    s.connect_again("peter");
    append(all, s.seen("peter"));
    append(all, s.seen("watcher"));
    return all;
  });
  EXPECT_EQ(seen, lines{"closed"});
}

TEST_P(scenario, retained_messages_are_the_last_of_their_topic_until_an_empty_one) {
  const auto seen = play([](stage& s) {
    s.connect("peter");
    s.publish("peter", "a", "1", true);
    s.publish("peter", "a", "2", true);
    s.publish("peter", "a", "3", false);
    lines all = watch(s, "a");
    s.publish("peter", "a", "4", true);
    s.publish("peter", "a", "", true);
    append(all, s.seen("watcher"));
    s.connect("late");
    s.subscribe("late", "a");
    append(all, s.seen("late"));
    return all;
  });
  EXPECT_EQ(seen, (lines{"a=2 (retained)", live("a=4"), live("a=")}));
}

TEST_P(scenario, who_does_not_want_what_is_retained_is_sent_none_of_it_with_mqtt_5) {
  const auto seen = play([](stage& s) {
    s.connect("peter");
    s.publish("peter", "a", "old", true);
    s.connect("watcher");
    s.subscribe("watcher", "a", false);
    s.publish("peter", "a", "new", false);
    return s.seen("watcher");
  });
  EXPECT_EQ(seen, GetParam() ? lines{"a=new"} : (lines{"a=old (retained)", "a=new"}));
}

TEST_P(scenario, a_broker_that_is_stopped_publishes_every_will_and_keeps_it) {  // case 34
  for (const bool persistent : {false, true}) {
    const auto seen = play(
        [](stage& s) {
          s.connect("peter");
          lines all = watch(s);
          s.publish("peter", "status", "up", true);
          s.stop_broker();
          append(all, s.seen("watcher"));
          append(all, s.seen("peter"));
          s.restart_broker();
          append(all, watch(s, "status"));
          append(all, watch(s, "will/peter"));
          return all;
        },
        persistent);
    EXPECT_EQ(seen.back() == "will/peter=peter is gone (retained)", persistent);
  }
}

TEST_P(scenario, a_broker_that_is_killed_publishes_no_will_and_goes_back_to_what_it_saved) {  // cases 35, 36
  for (const bool persistent : {false, true}) {
    const auto seen = play(
        [&](stage& s) {
          s.connect("peter");
          s.publish("peter", "status", "saved", true);
          s.save();
          s.publish("peter", "status", "not saved", true);
          lines all = watch(s, "#");
          s.crash_broker();
          append(all, s.seen("watcher"));
          s.restart_broker();
          append(all, watch(s, "status"));
          append(all, watch(s, "will/peter"));
          return all;
        },
        persistent);
    EXPECT_EQ(seen, persistent ? (lines{"status=not saved (retained)", "closed", "status=saved (retained)"})
                               : (lines{"status=not saved (retained)", "closed"}));
  }
}

TEST_P(scenario, what_is_queued_beyond_the_limit_is_dropped_the_will_too) {  // case 40
  const auto seen = play([](stage& s) {
    lines all = watch(s, "#");
    s.connect("peter");
    s.pause("watcher");
    for (int i = 1; i <= 1'100; ++i) s.publish("peter", "a", std::to_string(i), false);
    s.kill("peter");
    s.resume("watcher");
    // Mosquitto 2.0.11 keeps 1,020, 2.0.21 keeps 1,040.
    const auto kept = s.seen("watcher");
    all.push_back(kept.size() >= 1'020 && kept.size() <= 1'040 ? "as many as there is room for" : "another number");
    for (std::size_t i = 0; i < kept.size(); ++i)
      if (kept[i] != "a=" + std::to_string(i + 1)) all.push_back("not the first ones: " + kept[i]);
    s.connect("fred");
    s.publish("fred", "a", "room again", false);
    append(all, s.seen("watcher"));
    return all;
  });
  EXPECT_EQ(seen, (lines{"as many as there is room for", "a=room again"}));
}
