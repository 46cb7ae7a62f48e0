#include "node/quotas.hpp"

#include <gtest/gtest.h>

#include "node/http_server.hpp"
#include "node/page_queue.hpp"

using namespace messenger;
using namespace std::chrono_literals;
using nodelink::term;

static int asked_at_once(quotas& of, const std::string& node, nodelink::instant now) {
  int count = 0;
  while (count < 1'000'000 && of.may_ask(node, now)) ++count;
  return count;
}

TEST(quotas, give_a_node_its_requests_a_second_and_ten_seconds_of_them_at_once) {
  quotas of({.requests_of_node = 100});
  nodelink::instant now{};
  EXPECT_EQ(asked_at_once(of, "a@b", now), 1'000);
  EXPECT_EQ(asked_at_once(of, "c@d", now), 1'000) << "each node has its own";
  EXPECT_EQ(asked_at_once(of, "a@b", now += 1s), 100);
  EXPECT_EQ(asked_at_once(of, "a@b", now += 1h), 1'000);
}

TEST(quotas, make_a_node_wait_that_was_sent_too_much) {
  quotas of({.requests_of_node = 0, .reply_bytes_of_node = 1'000});
  nodelink::instant now{};
  EXPECT_TRUE(of.may_ask("a@b", now));
  of.replied("a@b", 12'000, now);
  EXPECT_FALSE(of.may_ask("a@b", now));
  EXPECT_FALSE(of.may_ask("a@b", now += 2s));
  EXPECT_TRUE(of.may_ask("a@b", now += 1ms));
}

TEST(quotas, have_no_bound_where_there_is_0) {
  quotas of({.users_of_node = 0, .memberships_of_node = 0, .requests_of_node = 0, .reply_bytes_of_node = 0});
  nodelink::instant now{};
  of.replied("a@b", 1'000'000'000, now);
  EXPECT_EQ(asked_at_once(of, "a@b", now), 1'000'000);
  of.add_user("a@b", now);
  EXPECT_TRUE(of.may_have_user("a@b") && of.may_have_room("a@b"));
}

TEST(quotas, say_once_in_ten_seconds_that_a_node_asks_too_much) {
  quotas of({});
  nodelink::instant now{};
  EXPECT_TRUE(of.is_news("a@b", now));
  EXPECT_FALSE(of.is_news("a@b", now += 9s));
  EXPECT_TRUE(of.is_news("c@d", now));
  EXPECT_TRUE(of.is_news("a@b", now += 1s));
}

TEST(quotas, tell_a_node_fifty_times_a_second_that_it_is_refused) {
  quotas of({});
  nodelink::instant now{};
  const auto told = [&] {
    int count = 0;
    while (count < 10'000 && of.is_told("a@b", now)) ++count;
    return count;
  };
  EXPECT_EQ(told(), 500) << "ten seconds' worth";
  EXPECT_TRUE(of.is_told("c@d", now));
  now += 1s;
  EXPECT_EQ(told(), 50);
}

TEST(quotas, forget_who_has_nothing_and_remember_who_has) {
  quotas of({});
  nodelink::instant now{};
  of.add_user("stays@b", now);
  for (int i = 0; i < 100'000; ++i) of.may_ask("n" + std::to_string(i) + "@b", now += 1ms);
  EXPECT_LT(of.size(), 5'000U);
  of.remove_user("stays@b");  // is there still
}

static page_queue with_lists(const std::vector<std::pair<nodelink::pid, std::string>>& lists) {
  page_queue all;
  for (const auto& [to, text] : lists) {
    term items = term::array();
    for (int i = 0; i < 3; ++i) items.push_back(text + std::string(20'000, 'x'));  // a page each
    all.add(to, paged_list(term::array({text}), items));
  }
  return all;
}

TEST(lists, go_out_a_page_of_each_in_turn) {
  const nodelink::pid ann{"ann@a", 1, 1}, bob{"bob@b", 1, 1};
  auto queue = with_lists({{ann, "first"}, {ann, "second"}, {bob, "other"}});
  std::string order;
  while (!queue.empty()) {
    const auto [to, page] = queue.take();
    order += to.node + " " + page[0].get<std::string>() + (page.size() == 3 ? " more\n" : "\n");
  }
  EXPECT_EQ(order,
            "ann@a first more\nbob@b other more\nann@a first more\nbob@b other more\nann@a first\nbob@b other\n"
            "ann@a second more\nann@a second more\nann@a second\n");
}

TEST(lists, of_one_node_are_few_at_a_time) {
  const nodelink::pid ann{"ann@a", 1, 1};
  page_queue queue;
  for (std::size_t i = 0; i < page_queue::most_of_node; ++i) {
    EXPECT_TRUE(queue.may_add("ann@a"));
    queue.add({"ann@a", 1, i + 1}, paged_list(term::array({"x"}), term::array({"y"})));
  }
  EXPECT_FALSE(queue.may_add("ann@a"));
  EXPECT_TRUE(queue.may_add("bob@b"));
  queue.take();
  EXPECT_TRUE(queue.may_add("ann@a"));
}

TEST(an_address_for_metrics, is_a_port_or_has_a_host) {
  EXPECT_EQ(http_address::read("9641")->host, "127.0.0.1");
  EXPECT_EQ(http_address::read("9641")->port, 9641);
  EXPECT_EQ(http_address::read("0.0.0.0:80")->host, "0.0.0.0");
  EXPECT_EQ(http_address::read("[::1]:80")->host, "::1");
  for (const auto* bad : {"", ":", "host", "host:", ":80", "::1:80", "1:2:3", "80x", "-1", "65536", "h:99999", "[]:80"})
    EXPECT_FALSE(http_address::read(bad)) << bad;
}
