#include "client/lines.hpp"

#include <array>
#include <cstdio>
#include <ctime>

#include "client/printable.hpp"
#include "client/status_text.hpp"

namespace messenger {

std::string reason_text(const nodelink::term& reason) {
  return printable(reason.is_string() ? reason.get<std::string>() : nodelink::to_json(reason));
}

std::string utc_time(std::uint64_t unix_time_ms) {
  const auto seconds = static_cast<std::time_t>(unix_time_ms / 1'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string milliseconds(nodelink::duration time) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.1f ms", std::chrono::duration<double, std::milli>(time).count());
  return text.data();
}

std::string list_text(const names& all) {
  std::string text;
  for (const auto& name : all) text += (text.empty() ? "" : ", ") + printable(name);
  return text;
}

static std::string text_of(const room_event& e) {
  const std::string who = e.room + ": " + printable(e.name);
  switch (e.what) {
    case room_event::kind::joined: return who + " joined";
    case room_event::kind::left: return who + " left: " + reason_text(e.content);
    case room_event::kind::said: break;
  }
  return who + " said " + messenger::quoted(e.content.get<std::string>());
}

std::vector<std::string> as_lines(const event& e) {
  using lines = std::vector<std::string>;
  return std::visit(overloaded{
                        [](const shown::reply& r) { return lines{printable(r.what)}; },
                        [](const shown::refused& r) { return lines{printable(r.why)}; },
                        [](const shown::message& m) {
                          return lines{"Message from " + printable(m.from) + ": " + messenger::quoted(m.text)};
                        },
                        [](const shown::exit& x) {  // that there was no answer has been said
                          return x.reason == nodelink::reason::timeout ? lines{}
                                                                       : lines{"exit: " + reason_text(x.reason)};
                        },
                        [](const shown::joined& j) {
                          return j.again ? lines{} : lines{"joined " + j.room + ": " + list_text(j.users)};
                        },
                        [](const shown::left& l) { return lines{"left " + printable(l.room)}; },
                        [](const shown::in_room& r) {
                          const bool is_known = r.own && r.event.what == room_event::kind::said;
                          return is_known ? lines{} : lines{text_of(r.event)};
                        },
                        [](const shown::users& u) {
                          return lines{(u.room ? "users in " + *u.room : "users") + ": " + list_text(u.all)};
                        },
                        [](const shown::rooms& r) {
                          std::string text;
                          for (const auto& [room, count] : r.all)
                            text += (text.empty() ? "" : ", ") + printable(room) + " " + std::to_string(count);
                          return lines{"rooms: " + text};
                        },
                        [](const shown::nodes& n) {
                          lines all;
                          for (const auto& [node, creation] : n.all)
                            all.push_back("node " + node + " up since " + utc_time(creation));
                          return all;
                        },
                        [](const shown::pong& p) { return lines{"pong " + milliseconds(p.time)}; },
                        [](const shown::pang& p) { return lines{"pang: " + p.why}; },
                        [](const shown::status& s) {
                          auto all = status_lines(s);
                          if (s.is_screen) all.front().insert(0, "\x1b[H\x1b[J");  // from the top, over the last
                          return all;
                        },
                        [](const shown::load& l) { return load_lines(l); },
                        [](const shown::progress& p) { return lines{p.text}; },
                        [](const shown::note& n) { return lines{n.text}; },
                    },
                    e);
}

}  // namespace messenger
