#include "client/status_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "client/lines.hpp"
#include "client/printable.hpp"
#include "protocol/messages.hpp"

namespace messenger {
namespace {

using nodelink::term;

template <class... A>
std::string format(const char* pattern, A... values) {
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(), pattern, values...);
  return text.data();
}

// 1,234,567
std::string grouped(double value) {
  if (!(value >= 0 && value < 1e15)) return "?";
  std::string text = format("%.0f", value);
  for (auto at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string span(double seconds) {
  if (!(seconds >= 0 && seconds < 1e10)) return "?";
  const auto s = static_cast<long>(seconds);
  if (s < 120) return format("%ld s", s);
  if (s < 7'200) return format("%ld min", s / 60);
  if (s < 172'800) return format("%ld h %ld min", s / 3'600, s / 60 % 60);
  return format("%ld days", s / 86'400);
}

std::string size(double bytes) {
  if (!(bytes >= 0 && bytes < 1e15)) return "?";
  if (bytes < 1e5) return format("%.1f KB", bytes / 1e3);
  return format(bytes < 1e7 ? "%.1f MB" : "%.0f MB", bytes / 1e6);
}

std::string time_text(double seconds) {
  if (!(seconds >= 0 && seconds < 1e6)) return "?";
  return seconds < 1 ? format(seconds < 0.01 ? "%.1f ms" : "%.0f ms", seconds * 1e3) : format("%.1f s", seconds);
}

// Adds up the numbers by their last label.
void add_up(const term& counts, const std::string& label, std::map<std::string, double>& sums) {
  if (counts.is_number()) sums[label] += counts.get<double>();
  if (const auto* const members = counts.get_if<term::object_type>())
    for (const auto& [name, inside] : *members) add_up(inside, name, sums);
}

// `logoff 3, node_died 2`, the most frequent first; what is 0 is left out.
std::string parts(const term& counts) {
  std::map<std::string, double> sums;
  add_up(counts, "", sums);
  std::erase_if(sums, [](const auto& sum) { return !(sum.second > 0); });
  std::vector<std::pair<std::string, double>> all(sums.begin(), sums.end());
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  constexpr std::size_t most = 6;
  std::string text;
  for (std::size_t i = 0; i < std::min(all.size(), most); ++i)
    text += (text.empty() ? "" : ", ") + printable(all[i].first) + " " + grouped(all[i].second);
  return text.empty() ? "none" : all.size() > most ? text + ", ..." : text;
}

std::string state_of_node(const shown::status& s) {
  if (s.is_up == true) return "up";
  return s.is_up == false ? "DOWN" : "not known to the broker";
}

class lines_of {
 public:
  lines_of(const shown::status& s, const summary& latest) : s_(s), f_(latest) {}

  std::vector<std::string> all() {
    const double started = f_.number("process_start_time_seconds");
    std::string versions = "?";
    if (const auto* const v = f_.figures["messenger_build_info"].get_if<term::object_type>(); v && !v->empty())
      versions = printable(v->begin()->first);
    std::string server = s_.node + ", " + state_of_node(s_) + ", version " + versions + ", running for " +
                         (started > 0 ? span(static_cast<double>(f_.time_ms) / 1e3 - started) : "?");
    if (age() > 15) server += "; figures of " + span(age()) + " ago";
    row("server", server);
    row("now", number("messenger_users") + " users, " + number("messenger_rooms") + " rooms with " +
                   number("messenger_room_members") + " members; " + number("nodelink_nodes") + " nodes up, " +
                   number("nodelink_links") + " links");
    row("traffic", "messages " + counted("messenger_messages_total") + "; in rooms " +
                       counted("messenger_room_events_total") + "; requests " + counted("messenger_requests_total"));
    row("logons", counted("messenger_logons_total"));
    row("logoffs", parts(f_.figures["messenger_logoffs_total"]));
    row("refused", parts(f_.figures["messenger_refusals_total"]));
    row("dropped", parts(f_.figures["nodelink_dropped_total"]));
    row("broker", "round trip p50 " + time_text(f_.number_of(trip, "p50")) + ", p99 " +
                      time_text(f_.number_of(trip, "p99")) + "; connections " + number("nodelink_connections_total") +
                      ", lost " + number("nodelink_connection_losses_total"));
    row("waiting", number("nodelink_mailbox_messages") + " in mailboxes; " +
                       number("nodelink_transport_queued_messages") + " to leave, " +
                       number("nodelink_transport_in_flight_messages") + " in flight");
    std::string cpu;
    if (s_.before) cpu = format(", CPU %.1f %%", rate("process_cpu_seconds_total") * 100);
    row("program", "memory " + size(f_.number("process_resident_memory_bytes")) + cpu + ", a turn p99 " +
                       time_text(f_.number_of("messenger_loop_turn_seconds", "p99")) + ", crashes " +
                       number("nodelink_crashes_total"));
    if (s_.is_screen) recent();
    return std::move(lines_);
  }

 private:
  static constexpr const char* trip = "nodelink_round_trip_seconds";

  double age() const { return s_.now_ms > f_.time_ms ? static_cast<double>(s_.now_ms - f_.time_ms) / 1e3 : 0; }
  std::string number(const char* name) const { return f_.figures[name].is_null() ? "?" : grouped(f_.number(name)); }
  double rate(const char* name) const {
    const double seconds = static_cast<double>(f_.time_ms - s_.before->time_ms) / 1e3;
    return seconds > 0 ? std::max(0.0, f_.number(name) - s_.before->number(name)) / seconds : 0;
  }
  std::string counted(const char* name) const {
    return number(name) + (s_.before ? format(" (%.1f/s)", rate(name)) : "");
  }
  void row(const char* what, const std::string& text) { lines_.push_back(format("%-9s", what) + text); }
  void recent() {
    lines_.emplace_back();
    lines_.push_back(s_.recent.empty() ? "Nobody has logged on or off since this began." : "Logged on and off:");
    for (const auto& e : s_.recent)
      lines_.push_back(
          "  " + printable(e.name) + " at " + printable(e.node) +
          (e.is_on ? " logged on" : " is off: " + reason_text(e.reason) + " (" + printable(e.cause) + ")"));
  }

  const shown::status& s_;
  const summary& f_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> load_lines(const shown::load& l) {
  const auto seconds = [](nodelink::duration d) { return std::chrono::duration<double>(d).count(); };
  std::vector<std::string> all;
  const auto many = [](std::uint64_t n, const char* what) {
    return grouped(static_cast<double>(n)) + " " + what + (n == 1 ? "" : "s");
  };
  all.push_back(many(l.users, "user") + ", logged on in " + time_text(seconds(l.logon_time)));
  if (l.unanswered > 0) all.push_back(many(l.unanswered, "logon") + " had no answer");
  if (l.sent > 0) {
    const double writing = seconds(l.writing_time);
    all.push_back(many(l.sent, "message") + " in " + time_text(writing) + ", " +
                  grouped(static_cast<double>(l.sent) / writing) +
                  " a second: " + grouped(static_cast<double>(l.delivered)) + " delivered, " +
                  grouped(static_cast<double>(l.lost)) + " lost");
  }
  for (const auto& [why, count] : l.refusals)
    all.push_back("refused: " + printable(why) + " " + grouped(static_cast<double>(count)));
  if (l.refusals.contains(word::name_belongs_to_other_node))
    all.emplace_back("names belong to nodes at this server: --users 1 logs on under this node's own");
  if (!l.ended.empty()) all.push_back("it ended before its time: " + l.ended);
  if (l.delivered == 0) return all;
  const auto row = [&](const char* what, const shown::times& t) {
    all.push_back(format("%-36s %10s %10s %10s", what, time_text(seconds(t.half)).c_str(),
                         time_text(seconds(t.most)).c_str(), time_text(seconds(t.all)).c_str()));
  };
  all.push_back(format("%-36s %10s %10s %10s", "", "half", "99 of 100", "all"));
  row("delivered, from sender to receiver", l.delivery);
  row("the server's reply to the sender", l.reply);
  row("the broker alone, there and back", l.round_trip);
  return all;
}

std::vector<std::string> status_lines(const shown::status& s) {
  if (s.latest) return lines_of(s, *s.latest).all();
  return {"no figures of " + s.node + ", which is " + state_of_node(s) +
          (s.is_up == true ? ": it is no server, or an older one, or the broker does not let it say them" : "")};
}

}  // namespace messenger
