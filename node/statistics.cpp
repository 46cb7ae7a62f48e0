#include "node/statistics.hpp"

#include <algorithm>

namespace messenger {

using nodelink::term;

static std::string reason_label(const term& reason) {
  static const std::array<const char*, 9> known{"normal",  "noconnection", "noproc", "killed",      "shutdown",
                                                "timeout", "idle_timeout", "kicked", "system_limit"};
  for (const auto* each : known)
    if (reason == each) return each;
  return reason.is_array() && reason[0] == "error" ? "error" : "other";
}

void statistics::logged_off(const term& reason, const char* cause) { ++logoffs[{reason_label(reason), cause}]; }

static std::string label(nodelink::drop why) {
  std::string text = to_string(why);
  std::replace(text.begin(), text.end(), ' ', '_');
  return text;
}

figures read(const statistics& counted, const nodelink::node& node, bool serves) {
  using enum figure::kind;
  figures all;
  const auto one = [&all](const char* name, const char* help, figure::kind what, auto value) {
    all.push_back({name, help, what, {}, {{{}, static_cast<double>(value)}}});
  };
  const auto by = [&all](const char* name, const char* help, const char* label_name, const auto& counts) {
    figure f{name, help, counter, {label_name}};
    for (const auto& [key, count] : counts) f.values.push_back({{key}, static_cast<double>(count)});
    all.push_back(std::move(f));
  };
  const auto times = [&all](const char* name, const char* help, const messenger::histogram& h) {
    all.push_back({name, help, figure::kind::histogram, {}, {}, &h});
  };
  const auto now = node.figures();

  one("messenger_serving", "Whether this program is the server: 1, or 0 of a standby.", gauge, serves);
  one("messenger_users", "Users who are logged on.", gauge, counted.users);
  one("messenger_rooms", "Rooms that somebody is in.", gauge, counted.rooms);
  one("messenger_room_members", "Memberships of users in rooms.", gauge, counted.members);
  one("messenger_logons_total", "Logons that were accepted.", counter, counted.logons);
  figure logoffs{"messenger_logoffs_total",
                 "Users who are off the list, by the reason of their EXIT and what stands "
                 "behind it.",
                 counter,
                 {"reason", "cause"}};
  for (const auto& [key, count] : counted.logoffs)
    logoffs.values.push_back({{key.first, key.second}, static_cast<double>(count)});
  all.push_back(std::move(logoffs));
  by("messenger_requests_total", "Requests, those that were refused too.", "request", counted.requests);
  by("messenger_refusals_total", "Requests that were refused, by the reply.", "reply", counted.refusals);
  one("messenger_messages_total", "Messages passed on from one user to another.", counter, counted.messages);
  by("messenger_room_events_total", "What was said to rooms: joined, left, said.", "event", counted.room_events);
  one("messenger_presence_seq", "Number of the latest event of who logs on and off.", gauge,
      std::max(counted.last_presence, node.creation()));

  one("nodelink_up", "Whether the node has its connection to the broker.", gauge, node.is_up());
  one("nodelink_nodes", "Other nodes that are up, as far as their status was heard.", gauge, now.nodes);
  one("nodelink_links", "Links and monitors with processes of other nodes.", gauge, now.links);
  one("nodelink_connections_total", "Connections to the broker that were made.", counter, counted.connections);
  one("nodelink_connection_losses_total", "Connections that were lost, or came to nothing.", counter,
      counted.connections_lost);
  one("nodelink_crashes_total", "Processes of this node that ended with an error.", counter, counted.crashes);
  std::map<std::string, std::uint64_t> drops;
  for (std::size_t i = 0; i < nodelink::drop_kinds; ++i)
    drops[label(static_cast<nodelink::drop>(i))] = counted.drops[i];
  by("nodelink_dropped_total", "What came, or was to be sent, and went nowhere.", "kind", drops);
  one("nodelink_mailbox_messages", "Messages of other nodes that wait in mailboxes.", gauge, now.waiting);
  one("nodelink_mailbox_bytes", "Payload of those.", gauge, now.waiting_bytes);
  one("nodelink_transport_queued_messages", "Publications that have not left.", gauge, now.transport.queued);
  one("nodelink_transport_in_flight_messages", "Publications that the broker has not acknowledged.", gauge,
      now.transport.in_flight);
  one("nodelink_transport_unread_bytes", "Read from the network, and not looked at yet.", gauge,
      now.transport.unread_bytes);
  times("nodelink_round_trip_seconds", "From this node to itself, through the broker, every five seconds.",
        counted.round_trip);
  times("messenger_loop_turn_seconds", "How long each turn of the program's loop took: what comes meanwhile waits.",
        counted.turn);
  return all;
}

}  // namespace messenger
