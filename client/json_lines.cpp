#include "client/json_lines.hpp"

#include <nlohmann/json.hpp>

#include "client/lines.hpp"

namespace messenger {

using json = nlohmann::ordered_json;

static json value(const nodelink::term& t) { return json::parse(to_json(t)); }

static json object(const event& e) {
  return std::visit(
      overloaded{
          [](const shown::reply& r) {
            return json{{"type", "reply"}, {"reply", r.what}};
          },
          [](const shown::refused& r) {
            return json{{"type", "refused"}, {"reason", r.why}};
          },
          [](const shown::message& m) {
            return json{{"type", "message"}, {"from", m.from}, {"text", m.text}};
          },
          [](const shown::exit& x) {
            return json{{"type", "exit"}, {"reason", value(x.reason)}, {"rejoining", x.is_rejoining}};
          },
          [](const shown::joined& j) {
            return json{
                {"type", j.again ? "joined_again" : "joined"}, {"room", j.room}, {"seq", j.seq}, {"users", j.users}};
          },
          [](const shown::left& l) {
            return json{{"type", "left"}, {"room", l.room}};
          },
          [](const shown::in_room& r) {
            const auto& e = r.event;
            json o{{"type", "user_joined"}, {"room", e.room}, {"seq", e.seq}, {"user", e.name}, {"own", r.own}};
            if (e.what == room_event::kind::left) {
              o["type"] = "user_left";
              o["reason"] = value(e.content);
            }
            if (e.what == room_event::kind::said) {
              o["type"] = "said";
              o["text"] = value(e.content);
            }
            return o;
          },
          [](const shown::users& u) {
            json o{{"type", "users"}};
            if (u.room) o["room"] = *u.room;
            o["users"] = u.all;
            return o;
          },
          [](const shown::rooms& r) {
            json o{{"type", "rooms"}, {"rooms", json::array()}};
            for (const auto& [room, count] : r.all) o["rooms"].push_back({{"room", room}, {"users", count}});
            return o;
          },
          [](const shown::nodes& n) {
            json o{{"type", "nodes"}, {"nodes", json::array()}};
            for (const auto& [node, creation] : n.all)
              o["nodes"].push_back({{"node", node}, {"since", utc_time(creation)}, {"creation", creation}});
            return o;
          },
          [](const shown::pong& p) {
            return json{
                {"type", "pong"}, {"node", p.node}, {"ms", std::chrono::duration<double, std::milli>(p.time).count()}};
          },
          [](const shown::pang& p) {
            return json{{"type", "pang"}, {"node", p.node}, {"reason", p.why}};
          },
          [](const shown::status& s) {
            json o{{"type", "status"}, {"node", s.node}, {"up", s.is_up ? json(*s.is_up) : json()}};
            if (s.latest) {
              o["creation"] = s.latest->creation;
              o["figures_time"] = s.latest->time_ms;
              o["figures"] = value(s.latest->figures);
            }
            return o;
          },
          [](const shown::load& l) {
            const auto ms = [](nodelink::duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
            const auto times = [&](const shown::times& t) -> json {
              if (t.all == nodelink::duration{}) return nullptr;  // there were none
              return json{{"p50", ms(t.half)}, {"p99", ms(t.most)}, {"max", ms(t.all)}};
            };
            return json{{"type", "load"},
                        {"users", l.users},
                        {"logon_ms", ms(l.logon_time)},
                        {"writing_ms", ms(l.writing_time)},
                        {"sent", l.sent},
                        {"delivered", l.delivered},
                        {"lost", l.lost},
                        {"unanswered", l.unanswered},
                        {"refusals", l.refusals},
                        {"ended", l.ended.empty() ? json() : json(l.ended)},
                        {"delivery_ms", times(l.delivery)},
                        {"reply_ms", times(l.reply)},
                        {"round_trip_ms", times(l.round_trip)}};
          },
          [](const shown::progress& p) {
            return json{{"type", "progress"}, {"text", p.text}};
          },
          [](const shown::note& n) {
            return json{{"type", n.is_mistake ? "mistake" : "note"}, {"text", n.text}};
          },
      },
      e);
}

std::string as_json(const event& e, std::uint64_t unix_time_ms) {
  json o = object(e);
  o["time"] = unix_time_ms;
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace messenger
