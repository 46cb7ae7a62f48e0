// One node with good credentials does its worst, as fast as it can. What a user who behaves notices of it, and the
// server: its memory, who is logged off.
// Usage: hostile [SECONDS [PROGRAM [OPTION...]]]    for each attack; another messenger-node, and options of it
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <thread>

#include <gtest/gtest.h>

#include "system/programs.hpp"
#include "system/raw_node.hpp"

using namespace testing_system;
using std::chrono::steady_clock;

namespace {

double resident_mb(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  for (std::string word; file >> word;)
    if (word == "VmRSS:") {
      double kb = 0;
      file >> kb;
      return kb / 1'024;
    }
  return 0;
}

struct service {
  double p50 = 0, p99 = 0, worst = 0;  // ms
  std::size_t answered = 0, unanswered = 0;
};

// Asks thirty times a second, as somebody who types very fast, and waits for each reply.
service used(raw_node& user, const std::string& name, double seconds) {
  std::vector<double> times;
  service s;
  const auto end = steady_clock::now() + std::chrono::duration<double>(seconds);
  while (steady_clock::now() < end) {
    const auto start = steady_clock::now();
    user.send("messenger", "[\"" + user.pid() + "\",\"message_to\",\"" + name + "\",\"hello\"]");
    bool is_answered = false;
    while (!is_answered && steady_clock::now() < start + 10s) {
      const auto reply = user.next(1s);
      if (reply.find("[\"PING\"") != std::string::npos) continue;
      is_answered = reply.find("\"sent\"") != std::string::npos;
    }
    is_answered ? ++s.answered : ++s.unanswered;
    times.push_back(std::chrono::duration<double, std::milli>(steady_clock::now() - start).count());
    nap(33ms);
  }
  std::sort(times.begin(), times.end());
  const auto at = [&](double part) {
    return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
  };
  s.p50 = at(.5), s.p99 = at(.99), s.worst = times.back();
  return s;
}

struct attack {
  const char* name;
  // What is sent the i-th time, as process and payload.
  std::function<std::pair<std::string, std::string>(const raw_node&, std::uint64_t)> request;
};

std::string tuple(const raw_node& n, int serial, const std::string& rest) {
  return "[\"" + n.pid(serial) + "\"," + rest + "]";
}

std::vector<std::string> server_options;  // besides

const std::vector<attack> attacks{
    {"messages to a user",
     [](auto& n, auto) {
       return std::pair{"messenger", tuple(n, 1, R"("message_to","ann","x")")};
     }},
    {"texts of 60 KB to oneself",
     [text = std::string(60'000, 'x')](auto& n, auto) {
       return std::pair{"messenger", tuple(n, 1, R"("message_to","mallory",")" + text + "\"")};
     }},
    {"logons of ever new names",
     [](auto& n, auto i) {
       const auto serial = static_cast<int>(i % 10'000) + 2;
       return std::pair{"messenger", tuple(n, serial, R"("logon","name)" + std::to_string(serial) + "\"")};
     }},
    {"lists of all users",
     [](auto& n, auto) {
       return std::pair{"messenger", tuple(n, 1, R"("users")")};
     }},
    {"rooms opened and left",
     [](auto& n, auto i) {
       const auto room = "\"room" + std::to_string(i / 2 % 30'000) + "\"";
       return std::pair{"messenger", tuple(n, 1, (i % 2 == 0 ? R"("join",)" : R"("leave",)") + room)};
     }},
    {"links asked for",
     [](auto& n, auto i) {
       return std::pair{"messenger", "[\"LINK\",\"" + n.pid(static_cast<int>(i % 1'000'000) + 2) + "\"]"};
     }},
    {"pings",
     [](auto& n, auto) {
       return std::pair{"net_kernel", "[\"PING\",\"" + n.pid() + "\"]"};
     }},
    {"nonsense",
     [](auto& n, auto) {
       return std::pair{"messenger", tuple(n, 1, "\"nonsense\"")};
     }},
};

void run(const attack& a, double seconds, const std::string& program_path, std::size_t crowd) {
  const mosquitto broker(
      "allow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 100000\nmax_queued_bytes 67108864\n"
      "max_packet_size 131072\nset_tcp_nodelay true");
  std::vector<std::string> options{"-p",    broker.port_text(), "--name", "messenger@test", "--log-level",
                                   "error", "--net-ticktime",   "3600"};
  options.insert(options.end(), server_options.begin(), server_options.end());
  program server(program_path, options);
  std::vector<std::unique_ptr<raw_node>> others;
  raw_node ann(broker.port(), "ann@host", 1'000);
  const auto is_on = [&] {
    ann.send("messenger", tuple(ann, 1, R"("logon","ann")"));
    return ann.next(300ms).find("logged_on") != std::string::npos;
  };
  if (!eventually(is_on)) throw std::runtime_error("no server");
  raw_node mallory(broker.port(), "mallory@host", 1'000);
  mallory.logon("mallory");
  for (std::size_t i = 0; i < crowd; ++i) {  // a thousand users a node, with long names
    if (i % 1'000 == 0)
      others.push_back(std::make_unique<raw_node>(broker.port(), "crowd" + std::to_string(i / 1'000) + "@host", 1'000));
    others.back()->send("messenger", tuple(*others.back(), static_cast<int>(i % 1'000) + 1,
                                           "\"logon\",\"a user of the crowd " + std::to_string(i) + "\""));
    if (i % 100 == 99) others.back()->connection.read(10ms);
  }
  nap(2s);
  const auto alone = used(ann, "ann", seconds);
  const double before = resident_mb(server.pid());
  std::atomic<bool> is_over = false;
  std::atomic<std::uint64_t> sent = 0;
  std::thread attacker([&] {
    try {
      for (std::uint64_t i = 0; !is_over; ++i) {
        const auto [process, payload] = a.request(mallory, i);
        mallory.send(process, payload);
        ++sent;
        if (i % 50 == 0) mallory.connection.read(0ms);
        while (mallory.next(0ms) != "") {
        }
      }
    } catch (const std::exception&) {  // the broker has had enough
    }
  });
  const auto start = steady_clock::now();
  const auto beside = used(ann, "ann", seconds);
  const double rate = static_cast<double>(sent) / seconds_since(start);
  const double after = resident_mb(server.pid());
  is_over = true;
  attacker.join();
  std::printf("| %-26s | %7.0f | %6.1f | %6.1f | %5.1f | %8.1f | %5.0f | %s |\n", a.name, rate, alone.p99, beside.p99,
              beside.p99 / alone.p99, beside.worst, after - before, beside.unanswered == 0 ? "no" : "YES");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::stod(argv[1]) : 10;
  const std::string path = argc > 2 ? argv[2] : node_program;
  for (int i = 3; i < argc; ++i) server_options.emplace_back(argv[i]);
  std::printf(
      "| attack                     | a second | p99 alone, ms | beside | times | worst | memory, +MB | unanswered "
      "|\n");
  std::printf("|---|---|---|---|---|---|---|---|\n");
  try {
    const char* const only = std::getenv("ATTACK");  // one of them alone
    for (const auto& a : attacks)
      if (!only || std::string_view(a.name).starts_with(only))
        run(a, seconds, path, std::string_view(a.name).starts_with("lists") ? 100'000 : 0);
  } catch (const std::exception& e) {
    std::cerr << "hostile: " << e.what() << "\n";
    return 1;
  }
}
