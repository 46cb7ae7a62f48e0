#include "client/terminal_text.hpp"

#include <algorithm>

#include "client/lines.hpp"
#include "client/printable.hpp"
#include "client/status_text.hpp"
#include "protocol/user_name.hpp"

namespace messenger {

std::string name_text(const std::string& name) {
  const bool is_plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c >= 0x80 || std::isalnum(c) || c == '_' || c == '-' || c == '.';
  });
  return is_plain && printable(name) == name ? name : messenger::quoted(name);
}

namespace {

constexpr const char* dim = "\x1b[2m";
constexpr const char* bold = "\x1b[1m";
constexpr const char* private_colour = "\x1b[1;35m";
constexpr const char* alarm_colour = "\x1b[1;31m";
constexpr const char* mistake_colour = "\x1b[33m";

class writer {
 public:
  explicit writer(const look& l) : look_(l) {}

  std::string in(const char* colour, const std::string& text) const {
    return look_.has_colours ? colour + text + "\x1b[0m" : text;
  }
  std::string timed(const std::string& text) const { return in(dim, look_.time) + " " + text; }

  std::string operator()(const shown::reply& r) const { return timed(printable(r.what)); }
  std::string operator()(const shown::refused& r) const { return timed(in(mistake_colour, printable(r.why))); }
  std::string operator()(const shown::message& m) const {
    return timed(in(private_colour, name_text(m.from) + " to you:") + " " + printable(m.text));
  }
  std::string operator()(const shown::exit& x) const {
    std::string next = x.is_rejoining ? "You are logged on again as soon as it is back; /logoff gives that up."
                                      : "You are logged off. /logon " + name_text(look_.user_name) + " tries again.";
    std::string what = "exit: " + reason_text(x.reason);
    if (x.reason == nodelink::reason::noconnection) what += " - the server is gone, or the way to it";
    if (x.reason == nodelink::reason::timeout) what += " - the server has not answered for 5 seconds";
    return timed(in(alarm_colour, "*** " + what + " ***")) + "\n" + timed(in(alarm_colour, "*** " + next));
  }
  std::string operator()(const shown::joined& j) const {
    if (j.again) return "";
    messenger::names others = j.users;
    std::erase(others, look_.user_name);
    return timed("you are in " + in(bold, j.room) + " with " + (others.empty() ? "nobody else yet" : names(others)));
  }
  std::string operator()(const shown::left& l) const { return timed("you have left " + printable(l.room)); }
  std::string operator()(const shown::in_room& r) const {
    const auto& e = r.event;
    const std::string where = in(dim, e.room);
    switch (e.what) {
      case room_event::kind::joined: return timed(in(dim, e.room + " " + name_text(e.name) + " joined"));
      case room_event::kind::left:
        return timed(in(dim, e.room + " " + name_text(e.name) + " left (" + reason_text(e.content) + ")"));
      case room_event::kind::said: break;
    }
    if (r.own) return "";
    return timed(where + " " + in(bold, name_text(e.name) + ":") + " " + printable(e.content.get<std::string>()));
  }
  std::string operator()(const shown::users& u) const {
    const std::string where = u.room ? "in " + *u.room : "logged on";
    return timed(std::to_string(u.all.size()) + " " + where + ": " + names(u.all));
  }
  std::string operator()(const shown::rooms& r) const {
    if (r.all.empty()) return timed("nobody is in a room; /join opens one");
    std::string text;
    for (const auto& [room, count] : r.all)
      text += (text.empty() ? "" : ", ") + printable(room) + " (" + std::to_string(count) + ")";
    return timed("rooms: " + text);
  }
  std::string operator()(const shown::nodes& n) const {
    std::size_t longest = 0;
    for (const auto& [node, creation] : n.all) longest = std::max(longest, node.size());
    std::string text;
    for (const auto& [node, creation] : n.all)
      text += (text.empty() ? "" : "\n") +
              timed(node + std::string(longest - node.size(), ' ') + "  up since " + utc_time(creation));
    return text;
  }
  std::string operator()(const shown::pong& p) const {
    return timed("pong from " + p.node + ", " + milliseconds(p.time));
  }
  std::string operator()(const shown::pang& p) const { return timed("pang: " + p.node + " - " + p.why); }
  std::string operator()(const shown::status& s) const {
    std::string text;
    for (const auto& line : status_lines(s)) text += (text.empty() ? "" : "\n") + line;
    return text;
  }
  std::string operator()(const shown::load& l) const {
    std::string text;
    for (const auto& line : load_lines(l)) text += (text.empty() ? "" : "\n") + line;
    return text;
  }
  std::string operator()(const shown::progress& p) const { return p.text; }
  std::string operator()(const shown::note& n) const { return n.is_mistake ? in(mistake_colour, n.text) : n.text; }

 private:
  static std::string names(const messenger::names& all) {
    std::string text;
    for (const auto& name : all) text += (text.empty() ? "" : ", ") + name_text(name);
    return text;
  }

  const look& look_;
};

}  // namespace

std::string as_terminal_text(const event& e, const look& l) { return std::visit(writer(l), e); }

}  // namespace messenger
