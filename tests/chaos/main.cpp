// chaos: runs schedules in which everything goes wrong, and looks whether the laws hold.
#include <chrono>
#include <iostream>

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "chaotic_world.hpp"

namespace {

// The server's log is how it tells who is on its list.
class log_of_the_server final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  chaos::chaotic_world* world = nullptr;

 private:
  void sink_it_(const spdlog::details::log_msg& m) override {
    if (world) world->server_logged({m.payload.data(), m.payload.size()});
  }
  void flush_() override {}
};

std::optional<std::string> run(std::uint64_t seed, log_of_the_server& log, const chaos::trace& t = {}) {
  chaos::chaotic_world world(seed, t);
  log.world = &world;
  auto violation = world.run();
  log.world = nullptr;
  return violation;
}

int replay(std::uint64_t seed, log_of_the_server& log) {
  const auto violation = run(seed, log, [](const std::string& line) { std::cout << line << "\n"; });
  std::cout << (violation ? "VIOLATED: " + *violation : "no violation") << "\n";
  return violation ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs messengers in which everything goes wrong, and looks whether the laws hold.", "chaos"};
  constexpr std::uint64_t max_seed = 1'000'000'000'000;
  std::uint64_t schedules = 1'000, first = 1;
  std::optional<std::uint64_t> seed;
  app.add_option("--schedules", schedules, "How many")
      ->check(CLI::Range(std::uint64_t{1}, max_seed))
      ->capture_default_str();
  app.add_option("--first", first, "The seed of the first; the others follow")
      ->check(CLI::Range(std::uint64_t{1}, max_seed))
      ->capture_default_str();
  app.add_option("--replay", seed, "Run the schedule of this seed and print all that happens in it");
  CLI11_PARSE(app, argc, argv);

  const auto log = std::make_shared<log_of_the_server>();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("server", log));
  if (seed) return replay(*seed, *log);

  const auto start = std::chrono::steady_clock::now();
  for (auto s = first; s < first + schedules; ++s)
    if (const auto violation = run(s, *log)) {
      std::cout << "schedule " << s << " violates: " << *violation << "\nreplay it: " << argv[0] << " --replay " << s
                << "\n";
      return 1;
    }
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::cout << schedules << " schedules from seed " << first << " on: no violation, " << seconds << " s\n";
}
