#include "node/user_list.hpp"

#include <gtest/gtest.h>

using messenger::user_list;

TEST(user_list, finds_by_pid_and_by_name) {
  user_list users;
  const nodelink::pid peter{"peter@laptop", 7, 1}, james{"james@host", 7, 1};
  users.add(peter, "peter", {});
  users.add(james, "a name that is longer than any small string", {});
  EXPECT_EQ(*users.name_of(peter), "peter");
  EXPECT_EQ(*users.pid_of("a name that is longer than any small string"), james);
  EXPECT_EQ(users.pid_of("fred"), nullptr);
  EXPECT_EQ(users.remove(peter), "peter");
  EXPECT_EQ(users.remove(peter), "");
  EXPECT_EQ(users.name_of(peter), nullptr);
  EXPECT_EQ(users.pid_of("peter"), nullptr);
  EXPECT_EQ(users.size(), 1U);
}

TEST(user_list, keeps_its_two_sides_together_over_many_changes) {
  user_list users;
  for (std::uint64_t i = 1; i <= 10'000; ++i) users.add({"n@h", i, 1}, "user" + std::to_string(i), {});
  for (std::uint64_t i = 1; i <= 10'000; i += 2) users.remove({"n@h", i, 1});
  for (std::uint64_t i = 2; i <= 10'000; i += 2) {
    const auto* pid = users.pid_of("user" + std::to_string(i));
    ASSERT_NE(pid, nullptr);
    EXPECT_EQ(pid->creation, i);
  }
  EXPECT_EQ(users.size(), 5'000U);
}

TEST(user_list, knows_who_has_done_nothing_for_longest) {
  using namespace std::chrono_literals;
  const nodelink::instant start{};
  user_list users;
  const nodelink::pid peter{"peter@laptop", 7, 1}, james{"james@host", 7, 1}, fred{"fred@host", 7, 1};
  users.add(peter, "peter", start);
  users.add(james, "james", start + 1s);
  users.add(fred, "fred", start + 2s);
  users.is_active(peter, start + 3s);
  EXPECT_EQ(users.longest_idle().who, james);
  EXPECT_EQ(users.longest_idle().since, start + 1s);
  users.remove(james);
  EXPECT_EQ(users.longest_idle().who, fred);
  users.remove(fred);
  EXPECT_EQ(users.longest_idle().who, peter);
  EXPECT_EQ(users.longest_idle().since, start + 3s);
}
