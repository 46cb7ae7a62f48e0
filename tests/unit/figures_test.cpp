#include "protocol/figures.hpp"

#include <gtest/gtest.h>

#include "client/status_text.hpp"
#include "protocol/summary.hpp"

using namespace messenger;
using enum figure::kind;

TEST(histograms, count_by_bound_and_know_their_quantiles) {
  messenger::histogram h{0.001, 0.01, 0.1};
  EXPECT_EQ(h.quantile(0.5), 0);
  for (int i = 0; i < 98; ++i) h.observe(0.001);  // a bound belongs to its bucket
  h.observe(0.05);
  h.observe(7);
  EXPECT_EQ(h.counts(), (std::vector<std::uint64_t>{98, 0, 1, 1}));
  EXPECT_EQ(h.count(), 100U);
  EXPECT_DOUBLE_EQ(h.sum(), 98 * 0.001 + 0.05 + 7);
  EXPECT_EQ(h.quantile(0.5), 0.001);
  EXPECT_EQ(h.quantile(0.99), 0.1);
  EXPECT_EQ(h.quantile(1), 0.1) << "of the last bucket all that is known is its lower bound";
}

TEST(figures, become_one_object_with_labels_one_in_the_other) {
  messenger::histogram h{0.001};
  h.observe(0.0005);
  const figures all{{"users", "", gauge, {}, {{{}, 3}}},
                    {"logoffs_total",
                     "",
                     counter,
                     {"reason", "cause"},
                     {{{"normal", "logoff"}, 2}, {{"noconnection", "tick"}, 1}, {{"noconnection", "node_died"}, 4}}},
                    {"refusals_total", "", counter, {"reply"}, {}},
                    {"share", "", gauge, {}, {{{}, 0.25}}},
                    {"seconds", "", figure::kind::histogram, {}, {}, &h}};
  EXPECT_EQ(
      nodelink::to_json(to_term(all)),
      R"({"logoffs_total":{"noconnection":{"node_died":4,"tick":1},"normal":{"logoff":2}},)"
      R"("refusals_total":{},"seconds":{"count":1,"p50":0.001,"p99":0.001,"sum":0.0005},"share":0.25,"users":3})");
}

static summary heard(const std::string& figures_json, std::uint64_t time_ms = 1'000'000) {
  std::string why;
  nodelink::message m{
      .from = "messenger@hub",
      .content = nodelink::decode(
                     "[\"summary\",\"messenger@hub\",7," + std::to_string(time_ms) + "," + figures_json + "]", why)
                     .value(),
      .channel = "server",
      .is_state = true};
  return summary::match(m).value();
}

TEST(a_summary, finds_numbers_and_adds_up_what_has_labels) {
  const auto s =
      heard(R"({"users":3,"logoffs_total":{"noconnection":{"node_died":4,"tick":1},"normal":{"logoff":2}}})");
  EXPECT_EQ(s.number("users"), 3);
  EXPECT_EQ(s.number("logoffs_total"), 7);
  EXPECT_EQ(s.number("logoffs_total", {"noconnection"}), 5);
  EXPECT_EQ(s.number("logoffs_total", {"noconnection", "tick"}), 1);
  EXPECT_EQ(s.number("nothing"), 0);
}

TEST(a_summary, is_only_a_state_of_who_it_is_of) {
  const auto match = [](const char* json, const char* channel, bool is_state) {
    std::string why;
    return summary::match(
        {.from = "a@b", .content = nodelink::decode(json, why).value(), .channel = channel, .is_state = is_state});
  };
  EXPECT_TRUE(match(R"(["summary","a@b",7,8,{}])", "server", true));
  EXPECT_FALSE(match(R"(["summary","a@b",7,8,{}])", "server", false));
  EXPECT_FALSE(match(R"(["summary","a@b",7,8,{}])", "other", true));
  EXPECT_FALSE(match(R"(["summary","c@d",7,8,{}])", "server", true));
  EXPECT_FALSE(match(R"(["summary","a@b",-7,8,{}])", "server", true));
  EXPECT_FALSE(match(R"(["summary","a@b",7,8,[]])", "server", true));
}

TEST(a_status, is_a_few_lines_with_rates_since_the_one_before) {
  shown::status s{.node = "messenger@hub", .is_up = true, .latest = {}, .before = {}, .now_ms = 1'010'000};
  EXPECT_EQ(status_lines(s),
            (std::vector<std::string>{"no figures of messenger@hub, which is up: it is no server, or an "
                                      "older one, or the broker does not let it say them"}));
  s.before = heard(R"({"messenger_messages_total":1000})", 1'000'000);
  s.latest = heard(R"({"messenger_users":1234,"messenger_messages_total":1100,"process_start_time_seconds":10,
      "messenger_build_info":{"1.2.3":1},"messenger_logoffs_total":{"normal":{"logoff":2},"noconnection":{"node_died":3}}})",
                   1'010'000);
  const auto lines = status_lines(s);
  EXPECT_EQ(lines[0], "server   messenger@hub, up, version 1.2.3, running for 16 min");
  EXPECT_EQ(lines[1].substr(0, 20), "now      1,234 users");
  EXPECT_EQ(lines[2].substr(0, 32), "traffic  messages 1,100 (10.0/s)");
  EXPECT_EQ(lines[4], "logoffs  node_died 3, logoff 2");
  EXPECT_EQ(lines[5], "refused  none");
  s.is_up = false;
  s.now_ms = 1'040'000;
  EXPECT_EQ(status_lines(s)[0], "server   messenger@hub, DOWN, version 1.2.3, running for 16 min; figures of 30 s ago");
}

TEST(a_status, shows_nothing_that_others_wrote_as_a_command_to_the_terminal) {
  shown::status s{.node = "messenger@hub", .is_up = true, .latest = {}, .before = {}, .is_screen = true};
  s.latest = heard("{\"messenger_build_info\":{\"\\u001b[2J\":1},\"messenger_refusals_total\":{\"\\u001b[1m\":1}}");
  s.recent.push_back(
      {.seq = 1, .name = "\x1b[31m", .node = "\x1b[0m", .is_on = false, .reason = "\x1b[5m", .cause = "\x1b"});
  for (const auto& line : status_lines(s)) EXPECT_EQ(line.find('\x1b'), std::string::npos) << line;
}
