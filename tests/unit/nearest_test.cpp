#include "program/nearest.hpp"

#include <gtest/gtest.h>

using program::distance;
using program::nearest;

TEST(what_somebody_may_have_meant, is_the_nearest_word) {
  EXPECT_EQ(distance("metrics", "metrics"), 0U);
  EXPECT_EQ(distance("metrcs", "metrics"), 1U);
  EXPECT_EQ(distance("metrisc", "metrics"), 1U);
  EXPECT_EQ(distance("", "abc"), 3U);
  EXPECT_EQ(nearest("--metrcs", {"--name", "--metrics", "--max-users"}), "--metrics");
  EXPECT_EQ(nearest("statsu", {"status", "top", "ping"}), "status");
  EXPECT_EQ(nearest("--nonsense", {"--name", "--metrics"}), "");
  EXPECT_EQ(nearest("x", {}), "");
}
