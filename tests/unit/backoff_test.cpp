#include <nodelink/backoff.hpp>

#include <gtest/gtest.h>

using namespace std::chrono_literals;
using nodelink::backoff;

TEST(backoff, begins_between_100_and_200_ms_and_never_leaves_100_ms_to_30_s) {
  for (std::uint64_t random : {std::uint64_t{0}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    backoff b(100ms, 30s);
    const auto first = b.next(random);
    EXPECT_GE(first, 100ms);
    EXPECT_LT(first, 200ms);
    for (int i = 0; i < 100; ++i) {
      const auto wait = b.next(random);
      EXPECT_GE(wait, 100ms);
      EXPECT_LE(wait, 30s);
    }
    EXPECT_GE(b.next(random), 15s);
  }
}

TEST(backoff, differs_between_two_that_lost_the_same_broker) {
  backoff one(100ms, 30s), other(100ms, 30s);
  EXPECT_NE(one.next(123456789), other.next(987654321));
}

TEST(backoff, begins_anew_after_reset) {
  backoff b(100ms, 30s);
  for (int i = 0; i < 10; ++i) (void)b.next(7);
  b.reset();
  EXPECT_LT(b.next(7), 200ms);
}
