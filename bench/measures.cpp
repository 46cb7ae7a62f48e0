#include "bench/measures.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>

#include "bench/audience.hpp"
#include "bench/fleet.hpp"
#include "bench/in_memory.hpp"
#include "bench/observers.hpp"
#include "bench/pairs.hpp"
#include "bench/stage.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using has_to_be = figure::has_to_be;

constexpr const char* relay_node = "relay@bench";
constexpr const char* server_node = "messenger@bench";

void must_be_whole(const load& l) {
  if (l.replies != l.requests || l.delivered != l.requests)
    throw std::runtime_error("of " + std::to_string(l.requests) + " messages " + std::to_string(l.delivered) +
                             " were delivered and " + std::to_string(l.replies) + " answered");
}

// R and the server at one broker, and one fleet that is logged on at both.
struct course {
  course(const scale& s, int qos)
      : at(qos),
        relay(at.start_relay(relay_node)),
        server(at.start_server(server_node)),
        users(at.port(), "user", static_cast<std::size_t>(s.many_clients), qos) {
    users.log_on(relay_node);
    users.log_on(server_node);
  }

  stage at;
  program relay;
  program server;
  fleet users;
};

result round_trip(course& c, const scale& s) {
  pairs p50, p99, p999;
  std::map<bool, load> last;
  alternate(s.pairs + 2, [&](bool ours) {
    auto& l = last[ours] = c.users.closed_loop(ours ? server_node : relay_node, 1, 1, s.round);
    must_be_whole(l);
    if (last.size() < 2) return;
    const auto at = [&last](bool which, double part) {
      return static_cast<double>(last[which].latency.at(part).count());
    };
    p50.add(at(true, .5), at(false, .5));
    p99.add(at(true, .99), at(false, .99));
    p999.add(at(true, .999), at(false, .999));
    last.clear();
  });
  return {1, "round trip of one client", {p50.as_time("p50", 1.25), p99.as_time("p99", 1.4), p999.as_time("p99.9", 3)}};
}

struct capacities {
  pairs rate;
  pairs cpu;  // of the server per message, and of the broker meanwhile
};

capacities capacity(course& c, const scale& s, int clients, int window) {
  capacities result;
  result.rate = in_turn(s.pairs, [&](bool ours) {
    const auto server_before = cpu_of(c.server.pid()), broker_before = c.at.broker_cpu();
    const auto l =
        c.users.closed_loop(ours ? server_node : relay_node, static_cast<std::size_t>(clients), window, s.round);
    must_be_whole(l);
    const auto messages = static_cast<double>(l.replies);
    if (ours)
      result.cpu.add(static_cast<double>((cpu_of(c.server.pid()) - server_before).count()) / messages,
                     static_cast<double>((c.at.broker_cpu() - broker_before).count()) / messages);
    return l.rate;
  });
  return result;
}

result latency_under_load(course& c, const scale& s, double relay_capacity, plots& plotted) {
  pairs p99;
  std::map<bool, load> last;
  alternate(s.pairs, [&](bool ours) {
    auto& l = last[ours] = c.users.open_loop(ours ? server_node : relay_node, static_cast<std::size_t>(s.clients),
                                             0.7 * relay_capacity, 2 * s.round);
    must_be_whole(l);
    (ours ? plotted.server_latency : plotted.relay_latency).add(l.latency);
    if (last.size() < 2) return;
    p99.add(static_cast<double>(last[true].latency.at(.99).count()),
            static_cast<double>(last[false].latency.at(.99).count()));
    last.clear();
  });
  return {4, "latency at 70 % of R's capacity", {p99.as_time("p99", 1.5)}};
}

// Of many servers each is silent for two seconds, while the others are asked.
result after_silence(const scale& s) {
  stage at(1);
  std::vector<program> running;
  std::vector<std::string> relays, servers;
  for (int i = 0; i < s.idle_servers; ++i) {
    relays.push_back("relay" + std::to_string(i) + "@bench");
    servers.push_back("server" + std::to_string(i) + "@bench");
    running.push_back(at.start_relay(relays.back()));
    running.push_back(at.start_server(servers.back()));
  }
  fleet users(at.port(), "user", 2, 1);
  for (const auto& node : servers) users.log_on(node);
  histogram ours, reference;
  for (int round = 0; round < s.idle_rounds; ++round) {
    const auto start = steady_clock::now();
    for (int i = 0; i < s.idle_servers; ++i) {
      ours.add(users.request(servers[static_cast<std::size_t>(i)]));
      reference.add(users.request(relays[static_cast<std::size_t>(i)]));
    }
    users.wait_until(start + 2s + 10ms);
  }
  pairs p99;
  p99.add(static_cast<double>(ours.at(.99).count()), static_cast<double>(reference.at(.99).count()));
  return {5, "first message after 2 s of silence", {p99.as_time("p99", 2)}};
}

result logon_storm(const scale& s) {
  const auto rate = in_turn(std::min(s.pairs, 3), [&](bool ours) {
    // A broker of its own each time: what one storm leaves behind is not the next one's.
    stage at(1);
    const auto target = ours ? at.start_server(server_node) : at.start_relay(relay_node);
    fleet users(at.port(), "user", static_cast<std::size_t>(s.storm), 1);
    return s.storm / seconds(users.log_on(ours ? server_node : relay_node));
  });
  return {6, "logon storm: " + number(s.storm) + " connect, subscribe, log on", {rate.as_rate("logons", 0.75)}};
}

result mass_death(course& c, const scale& s) {
  pairs until_empty;
  for (int i = 0; i < s.pairs; ++i) {
    const auto victims = static_cast<std::size_t>(s.many_clients);
    fleet users(c.at.port(), "victim" + std::to_string(i) + "-", victims, 1);
    users.log_on(server_node);
    will_counter wills(c.at.port());
    log_reader log(c.at.log_of(server_node));
    const auto start = steady_clock::now();
    users.kill();
    std::optional<duration> all_wills, all_off;
    std::size_t off = 0;
    while (!all_wills || !all_off) {
      wills.wait(1ms);
      if (!all_wills && wills.count() >= victims) all_wills = steady_clock::now() - start;
      off += log.count_new(" logoff: ");
      if (!all_off && off >= victims) all_off = steady_clock::now() - start;
      if (steady_clock::now() > start + 60s) throw std::runtime_error("the list does not become empty");
    }
    until_empty.add(static_cast<double>(all_off->count()), static_cast<double>(all_wills->count()));
  }
  return {7,
          number(s.many_clients) + " connections killed at once, until all are off the list",
          {until_empty.as_time("against counting the wills", 3)}};
}

// Servers with lists of different lengths at one broker; then what the longest costs.
std::vector<result> long_list(const scale& s, plots& plotted) {
  stage at(1);
  const auto relay = at.start_relay(relay_node);
  fleet users(at.port(), "user", static_cast<std::size_t>(s.clients), 1);
  users.log_on(relay_node);
  std::vector<std::size_t> lengths;
  for (auto n = static_cast<std::size_t>(s.crowd); n > users.size(); n /= 10) lengths.insert(lengths.begin(), n);
  lengths.insert(lengths.begin(), users.size());
  std::vector<program> servers;
  std::vector<std::string> nodes;
  double bytes = 0;
  for (const auto length : lengths) {
    nodes.push_back("server" + std::to_string(length) + "@bench");
    // The crowd does not answer PINGs here.
    servers.push_back(at.start_server(nodes.back(), {"--net-ticktime", "86400"}));
    const auto before = memory_of(servers.back().pid());
    if (length > users.size()) {
      crowd many(at.port(), "crowd", length - users.size(), nodes.back());
      many.log_on();
      bytes =
          static_cast<double>(memory_of(servers.back().pid()) - before) / static_cast<double>(length - users.size());
    }
    users.log_on(nodes.back());
  }
  std::vector<std::vector<double>> rates(lengths.size());
  std::vector<double> relay_rates, ratios;
  for (int i = 0; i < s.pairs; ++i) {
    const auto measured = [&](const std::string& node) {
      const auto l = users.closed_loop(node, users.size(), 1, s.round);
      must_be_whole(l);
      return l.rate;
    };
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      const auto n = i % 2 == 0 ? k : nodes.size() - 1 - k;
      rates[n].push_back(measured(nodes[n]));
    }
    relay_rates.push_back(measured(relay_node));
    ratios.push_back(rates.back().back() / rates.front().back());
  }
  plotted.relay_capacity = median(relay_rates);
  for (std::size_t n = 0; n < lengths.size(); ++n) plotted.capacity.push_back({lengths[n], median(rates[n])});
  return {{8,
           "capacity with " + number(s.crowd) + " users on the list against " + number(s.clients),
           {{"", median(ratios), 0.95, has_to_be::at_least,
             against(number(median(rates.back())) + "/s", number(median(rates.front())) + "/s")}}},
          {10,
           "memory of the server per user, with " + number(s.crowd) + " users",
           {{"KB", bytes / 1'024, 1, has_to_be::at_most, number(bytes) + " bytes"}}}};
}

// Each at a broker of its own, since R loses messages, and what comes of them later would be counted elsewhere.
result overload(const scale& s) {
  struct outcome {
    std::vector<double> peak, goodput, until_through, ratio;
    std::uint64_t lost = 0;
  };
  const auto measure = [&s](bool ours, int times) {
    outcome o;
    stage at(1);
    const auto* node = ours ? server_node : relay_node;
    const auto target = ours ? at.start_server(node) : at.start_relay(node);
    const auto clients = static_cast<std::size_t>(s.clients);
    fleet users(at.port(), "user", clients, 1);
    users.log_on(node);
    for (int i = 0; i < times; ++i) {
      const auto peak = users.closed_loop(node, clients, 1, s.round).rate;
      const auto start = steady_clock::now();
      const auto l = users.open_loop(node, clients, 1.5 * peak, 3 * s.round);
      o.peak.push_back(peak);
      o.goodput.push_back(l.rate);
      o.ratio.push_back(l.rate / peak);
      o.until_through.push_back(static_cast<double>(l.replies) / seconds(steady_clock::now() - start) / peak);
      o.lost += l.requests - std::min(l.delivered, l.replies);
    }
    return o;
  };
  const auto ours = measure(true, std::min(s.pairs, 3));
  const auto reference = measure(false, 1);
  return {11,
          "offered 150 % of capacity",
          {{"goodput meanwhile, against own peak", median(ours.ratio), 0.95, has_to_be::at_least,
            against(number(median(ours.goodput)) + "/s", number(median(ours.peak)) + "/s") + "; R " +
                number(median(reference.ratio), 2)},
           {"goodput until all are through", median(ours.until_through), 0, has_to_be::anything,
            "R " + number(median(reference.until_through), 2)},
           {"messages lost", static_cast<double>(ours.lost), 0, has_to_be::at_most,
            "R " + number(static_cast<double>(reference.lost))}}};
}

result idle(const scale& s) {
  stage at(1);
  const auto server = at.start_server(server_node);
  crowd silent(at.port(), "silent", static_cast<std::size_t>(s.silent_users), server_node);
  silent.log_on();
  const auto before = cpu_of(server.pid());
  const auto pings = silent.answer(s.silence);
  const double part = 100 * seconds(cpu_of(server.pid()) - before) / seconds(s.silence);
  return {12,
          "server CPU for " + number(s.silent_users) + " silent users",
          {{"% of a core", part, 1, has_to_be::at_most,
            number(static_cast<double>(pings)) + " PINGs in " + number(seconds(s.silence)) + " s"}}};
}

result client_start(const scale& s) {
  stage at(1);
  const auto relay = at.start_relay(relay_node);
  const auto server = at.start_server(server_node);
  int started = 0;
  const auto times = in_turn(s.starts, [&](bool ours) {
    const auto start = steady_clock::now();
    const std::string name = "starter" + std::to_string(++started);
    program client = ours ? at.start_client(name, server_node) : at.start_bare_client(name + "@bench", relay_node);
    if (client.next_line() != "logged_on") throw std::runtime_error("a client did not log on: " + client.errors());
    return static_cast<double>((steady_clock::now() - start).count());
  });
  return {13, "start of a client until it is logged on", {times.as_time("against a bare Paho C++ program", 1.1)}};
}

// From the request to the last of the members who hears it, against a PUBLISH to as many.
result full_room(const scale& s) {
  stage at(1);
  const auto server = at.start_server(server_node);
  audience members(at.port(), static_cast<std::size_t>(s.members), server_node);
  auto times = in_turn(
      s.pairs * 10, [&](bool ours) { return static_cast<double>((ours ? members.say() : members.publish()).count()); });
  auto until_the_last = times.as_time("until the last has heard it", 0);
  until_the_last.target_is = has_to_be::anything;
  return {15, "something said in a room of " + number(s.members) + ", against a bare PUBLISH", {until_the_last}};
}

}  // namespace

report run(const scale& s, const std::vector<int>& only, const std::vector<int>& with_qos,
           const std::function<void(const std::string&)>& say) {
  report all;
  const auto wanted = [&only](std::initializer_list<int> numbers) {
    return only.empty() || std::any_of(numbers.begin(), numbers.end(),
                                       [&](int n) { return std::find(only.begin(), only.end(), n) != only.end(); });
  };
  for (const int qos : with_qos) {
    if (!wanted({1, 2, 3, 4, 7, 9})) break;
    auto& results = qos == 1 ? all.results : all.with_qos_0;
    plots unused;
    say("with QoS " + std::to_string(qos) + ": logging on");
    course c(s, qos);
    if (wanted({1})) {
      say("round trips");
      results.push_back(round_trip(c, s));
    }
    double relay_capacity = 0;
    if (wanted({2, 3, 4, 9})) {
      say("capacity");
      result with_one{2, "capacity, one request each", {}};
      capacities hundred;
      for (const int clients : {s.clients / 10, s.clients, s.many_clients}) {
        const auto measured = capacity(c, s, clients, 1);
        with_one.figures.push_back(
            measured.rate.as_rate(number(clients) + " clients", clients == s.clients ? 0.85 : 0.9));
        if (clients == s.clients) hundred = measured;
      }
      results.push_back(with_one);
      relay_capacity = hundred.rate.reference();
      constexpr int window = 8;
      results.push_back({3,
                         "capacity, " + std::to_string(window) + " requests each",
                         {capacity(c, s, s.clients, window).rate.as_rate(number(s.clients) + " clients", 0.85)}});
      results.push_back({9,
                         "server CPU per message against the broker's",
                         {hundred.cpu.as_time(number(s.clients) + " clients", 0.5)}});
    }
    if (wanted({4})) {
      say("latency under load");
      results.push_back(latency_under_load(c, s, relay_capacity, qos == 1 ? all.plotted : unused));
    }
    if (qos == 1 && wanted({7})) {
      say("mass death");
      results.push_back(mass_death(c, s));
    }
  }
  const auto then = [&](int number, const std::string& what, auto measure) {
    if (!wanted({number})) return;
    say(what);
    all.results.push_back(measure());
  };
  then(5, "silence", [&] { return after_silence(s); });
  then(6, "logon storm", [&] { return logon_storm(s); });
  if (wanted({8, 10})) {
    say("long lists");
    for (auto& r : long_list(s, all.plotted)) all.results.push_back(r);
  }
  then(11, "overload", [&] { return overload(s); });
  then(12, "idle users", [&] { return idle(s); });
  then(13, "client start", [&] { return client_start(s); });
  then(14, "in memory", [&] { return in_memory(s); });
  then(15, "a full room", [&] { return full_room(s); });
  for (auto* results : {&all.results, &all.with_qos_0})
    std::sort(results->begin(), results->end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return all;
}

}  // namespace bench
