// How long a fail-over takes: from SIGKILL of the server to the first message that the standby delivers, and until a
// hundred users who rejoin are all on again; over TLS, at the broker as it is shipped.
// Usage: failover [ROUNDS [USERS]]
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "system/deployment.hpp"

namespace {

using namespace testing_system;
using std::chrono::steady_clock;

double milliseconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - start).count();
}

void print(const char* what, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  std::printf("%-50s median %6.0f ms, worst of %zu %6.0f ms\n", what, times[times.size() / 2], times.size(),
              times.back());
}

std::unique_ptr<program> start_candidate(const deployment& broker, const std::string& node) {
  auto p = std::make_unique<program>(node_program, broker.as(node, {"--standby", "--standby-delay", "0"}));
  if (!p->says("node " + node + " is up")) throw std::runtime_error(p->errors());
  return p;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 20, count = argc > 2 ? std::atoi(argv[2]) : 100;
  std::vector<std::string> nodes{"one@test+messenger@test", "two@test+messenger@test"};
  for (int i = 0; i < count; ++i) nodes.push_back("user" + std::to_string(i) + "@test");
  const deployment broker(nodes);
  auto serving = start_candidate(broker, "one@test");
  serving->says("node messenger@test is up");
  auto waiting = start_candidate(broker, "two@test");
  std::string serving_name = "one@test", waiting_name = "two@test";
  std::vector<std::unique_ptr<program>> users;
  for (int i = 0; i < count; ++i) {
    const auto name = "user" + std::to_string(i);
    users.push_back(
        std::make_unique<program>(client_program, broker.as(name + "@test", {"--logon", name, "--rejoin"})));
    if (users.back()->next_line() != "logged_on") throw std::runtime_error(users.back()->errors());
  }

  std::vector<double> first, all;
  for (int round = 0; round < rounds; ++round) {
    for (auto& u : users) u->rest();
    nap(6s);  // who was on for a shorter time waits longer
    const auto start = steady_clock::now();
    serving->signal(SIGKILL);
    int on = 0;
    bool is_delivered = false;
    while (on < count || !is_delivered) {
      if (milliseconds_since(start) > 60'000) throw std::runtime_error("not everybody is on again after a minute");
      for (int i = 0; i < count; ++i) {
        auto& user = *users[static_cast<std::size_t>(i)];
        user.errors();  // reads what there is
        for (const auto& line : user.rest()) {
          if (line == "logged_on" && ++on <= 3) user.type("/message user" + std::to_string(i) + " hello");
          if (line.starts_with("Message from") && !std::exchange(is_delivered, true))
            first.push_back(milliseconds_since(start));
        }
      }
    }
    all.push_back(milliseconds_since(start));
    serving->end();
    std::swap(serving, waiting);
    std::swap(serving_name, waiting_name);
    waiting = start_candidate(broker, waiting_name);
  }
  print("SIGKILL to the first message of the standby's", first);
  print("SIGKILL until every user is on again", all);
}
