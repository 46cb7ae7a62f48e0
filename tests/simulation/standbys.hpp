// Programs that stand by to be the server, and users who rejoin, in one world.
#pragma once

#include "candidate.hpp"

namespace nodelink::simulation {

struct standbys : testing::Test {
  explicit standbys(std::uint64_t seed = 1) : w(seed) {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("nobody", std::make_shared<spdlog::sinks::ostream_sink_mt>(ignored)));
    spdlog::set_level(spdlog::level::off);
    w.broker().on_publish = [this](const nodelink::publication& p) {
      if (p.topic == "nodelink/1/test/node/" + server_node && p.payload.find("nodeup") != std::string::npos) ++nodeups;
    };
  }
  ~standbys() override { w.broker().on_publish = nullptr; }

  candidate_program& add(const std::string& name, duration delay, duration net_ticktime = 60s) {
    return *candidates.emplace_back(std::make_unique<candidate_program>(w, name, delay, net_ticktime));
  }
  user& add_user(const std::string& name) {
    auto& u = *users.emplace_back(std::make_unique<user>(w, name + "@" + name + "-host"));
    u.rejoin();
    u.type("/logon " + name);
    w.advance(2s);
    EXPECT_EQ(u.seen(), lines{"logged_on"});
    return u;
  }
  std::size_t count_serving() const {
    return static_cast<std::size_t>(
        std::count_if(candidates.begin(), candidates.end(), [](const auto& c) { return c->is_up_as_server(); }));
  }

  std::ostringstream ignored;
  world w;
  int nodeups = 0;
  std::vector<std::unique_ptr<candidate_program>> candidates;
  std::vector<std::unique_ptr<user>> users;
};

}  // namespace nodelink::simulation
