// Standbys at every moment of a takeover, and through faults at random.
#include "standbys.hpp"

namespace nodelink::simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t seeds = 40;
#else
constexpr std::uint64_t seeds = 300;
#endif

struct with_seed final : standbys {
  using standbys::standbys;
  void TestBody() override {}
};

// As on a machine that sleeps, and wakes when another has served for a while.
TEST(standbys_by_chance, one_that_is_frozen_while_it_takes_over_takes_nothing_from_who_serves_by_then) {
  int frozen = 0;
  for (const auto time : {duration(30s), duration(10min)})  // its connection stands, or does not
    for (auto moment = 0us; moment < 400ms; moment += 250us) {
      with_seed s(1);
      s.w.broker().latency = 2ms;
      auto& first = s.add("first@x", 0s);
      s.w.advance(3s);
      auto& second = s.add("second@x", 0s);
      auto& third = s.add("third@x", 3s);
      s.w.advance(10s);
      first.kill();
      s.w.advance(moment);
      second.freeze();
      s.w.advance(time);
      if (!third.is_up_as_server()) continue;
      ++frozen;
      second.thaw();
      s.w.advance(2min);
      ASSERT_TRUE(third.is_up_as_server()) << moment.count() << " us";
    }
  EXPECT_GT(frozen, 200);
}

// A program that is told to end ends, at whatever moment of its fail-over that is.
TEST(standbys_by_chance, one_that_is_told_to_end_while_it_takes_over_ends) {
  for (auto moment = 0us; moment < 400ms; moment += 250us) {
    with_seed s(1);
    s.w.broker().latency = 2ms;
    auto& first = s.add("first@x", 0s);
    s.w.advance(3s);
    auto& second = s.add("second@x", 0s);
    s.w.advance(10s);
    first.kill();
    s.w.advance(moment);
    // Together with whatever else comes within 5 ms.
    second.freeze();
    second.stop();
    s.w.advance(5ms);
    second.thaw();
    s.w.advance(1min);
    ASSERT_FALSE(second.is_running()) << moment.count() << " us";
  }
}

// Case 42, 300 times with other chances: two that decide at the same moment.
TEST(standbys_by_chance, of_those_that_decide_at_the_same_time_one_goes_on) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    with_seed s(seed);
    s.w.broker().jitter = 50ms;
    for (const char* name : {"a@x", "b@x", "c@x"}) s.add(name, 0s);
    s.w.advance(3min);
    ASSERT_EQ(s.count_serving(), 1U) << "seed " << seed;
    const int terms = s.nodeups;
    s.w.advance(30min);
    ASSERT_EQ(s.nodeups, terms) << "seed " << seed << ": nobody takes the name again";
  }
}

// Whoever hears nothing because it is cut off itself does not take the name when its cable is mended.
TEST(standbys_by_chance, one_that_waits_and_is_cut_off_takes_nothing_from_a_server_that_serves) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    with_seed s(seed);
    auto& w = s.w;
    if (seed % 2 == 0) w.broker().keepalive = 8s;
    if (seed % 3 == 0) w.broker().jitter = 100ms;
    s.add("first@x", 0s, 20s);
    w.advance(3s);
    auto& second = s.add("second@x", 0s, 20s);
    for (int i = 0; i < 20; ++i) {
      w.advance(std::chrono::milliseconds(w.random() % 30'000));
      second.cut();
      w.advance(std::chrono::milliseconds(w.random() % (i % 2 == 0 ? 30'000 : 300'000)));
      second.heal();
    }
    w.advance(5min);
    ASSERT_TRUE(second.node().is_up()) << "seed " << seed;
    ASSERT_EQ(second.terms(), 0) << "seed " << seed;
    ASSERT_EQ(s.nodeups, 1) << "seed " << seed;
  }
}

// Faults of every kind, at random; then all is well, and who rejoins is on the list of the one server there is.
TEST(standbys_by_chance, after_every_fault_one_serves_and_everybody_is_on_its_list) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    with_seed s(seed);
    auto& w = s.w;
    w.broker().keepalive = 8s;
    w.broker().jitter = seed % 2 == 0 ? 30ms : 0ms;
    for (int i = 0; i < 3; ++i) s.add("server" + std::to_string(i) + "@x", i * 1s, 8s);
    w.advance(5s);
    for (const char* name : {"ann", "bob", "cid"}) s.add_user(name);
    for (int i = 0; i < 8; ++i) {
      auto& c = *s.candidates[w.random() % 3];
      const auto time = std::chrono::milliseconds(w.random() % 30'000);
      switch (w.random() % 6) {
        case 0:
          c.kill(w.random() % 3 != 0);
          w.schedule(time, [&c] { c.restart(); });
          break;
        case 1:
          c.freeze();
          w.schedule(time, [&c] { c.thaw(); });
          break;
        case 2:
          c.cut();
          w.schedule(time, [&c] { c.heal(); });
          break;
        case 3:
          if (!w.broker().is_running()) break;
          w.random() % 2 == 0 ? w.broker().crash() : w.broker().stop();
          w.schedule(time / 3, [&w] { w.broker().restart(); });
          break;
        case 4:
          c.stop();
          w.schedule(time, [&c] { c.restart(); });
          break;
        default: break;
      }
      w.advance(std::chrono::milliseconds(w.random() % 20'000));
    }
    w.advance(4min);
    ASSERT_EQ(s.count_serving(), 1U) << "seed " << seed;
    for (auto& u : s.users)
      for (const char* name : {"ann", "bob", "cid"}) {
        u->seen();
        u->type("/message " + std::string(name) + " hello");
        w.advance(1s);
        ASSERT_EQ(u->seen().front(), "sent") << "seed " << seed << ": to " << name;
      }
  }
}

}  // namespace
}  // namespace nodelink::simulation
