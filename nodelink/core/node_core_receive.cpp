// The receiving half of a node: every rule about what comes from the wire is here.
#include "core/node_core.hpp"

namespace nodelink {

// How many links one other node may have with the processes here when it asks for another: what somebody
// who asks for them without end can cost.
constexpr std::size_t max_links_from_node = 1'000;

// What is in a signal or a status may go on to others, who may know JSON only.
static bool has_binary(std::string_view payload, const term& content) {
  return payload.front() != '[' && encode(content).front() != '[';
}

void node_core::received(std::string_view topic, std::string_view payload, bool retained) {
  const auto parsed = topics_.parse(topic);
  if (!parsed) return note(drop::malformed, "", "a topic that is not of this wire");
  if (const auto* status = std::get_if<status_topic>(&*parsed)) return received_status(status->node, payload);
  if (const auto* in = std::get_if<channel_topic>(&*parsed)) {
    if (retained && !in->is_state) return note(drop::retained, in->from, "retained messages are no messages");
    return received_in_channel(*in, payload);
  }
  const auto& inbox = std::get<inbox_topic>(*parsed);
  if (inbox.node != settings_.name) return note(drop::malformed, inbox.from, "an inbox of another node");
  if (retained) return note(drop::retained, inbox.from, "retained messages are no messages");  // rule 2
  received_inbox(inbox, payload);
}

void node_core::received_status(std::string_view node, std::string_view payload) {
  const bool own = node == settings_.name;
  if (payload.empty()) {  // somebody cleared it; only its owner minds
    if (own) incarnation_.own_status(std::nullopt);
    return;
  }
  std::string why;
  const auto content = decode(payload, why);
  const auto status = content ? read_status(*content) : std::nullopt;
  if (!status || has_binary(payload, *content))
    return note(drop::malformed, node, content ? "not a node's status" : why);
  if (status->node != node) return note(drop::forged, node, "the status of another node");
  if (own) return incarnation_.own_status(status);
  if (status->up)
    newer_incarnation(status->node, status->creation);
  else
    node_went_down(*status);
}

// Rule 4.
void node_core::newer_incarnation(const std::string& node, std::uint64_t creation) {
  const bool was_up = table_.is_up(node) == true;
  const auto place = scheduler_.next_place();
  links_ended(table_.nodeup(node, creation, env_.now(), place), reason::noconnection, cause::node_died);
  if (table_.changed_at(node) != place) return;
  if (was_up) tell_monitors(node, false, cause::node_died);
  tell_monitors(node, true, cause::node_died);
  send_kept(node);
}

void node_core::node_went_down(const node_status& status) {
  const bool is_present = table_.may_live({status.node, status.creation, 0});
  const cause why = status.reason == reason::normal ? cause::node_stopped : cause::node_died;
  const auto place = scheduler_.next_place();
  links_ended(table_.nodedown(status.node, status.creation, env_.now(), place), status.reason, why);  // rule 3
  if (table_.changed_at(status.node) == place) tell_monitors(status.node, false, why);
  if (is_present)
    expected_links_lost([&](const process_state& of, instant) { return of.expected_link->node == status.node; }, why);
}

void node_core::received_inbox(const inbox_topic& to, std::string_view payload) {
  if (to.from != name() && !from_one_.allows(to.from, env_.now()))
    return note(drop::overrun, to.from, "more than one node may send");
  std::string why;
  auto content = decode(payload, why);
  if (!content) return note(drop::malformed, to.from, why);
  table_.heard(to.from, env_.now());
  if (const auto s = read_signal(*content)) {
    if (has_binary(payload, *content)) return note(drop::malformed, to.from, "a binary in a signal");
    return received_signal(*s, to);
  }
  if (const auto* const first = (*content)[0].get_if<std::string>())
    if (const auto sender = parse_pid(*first)) {
      if (sender->node != to.from) return note(drop::forged, to.from, "a message with the pid " + to_string(*sender));
      newer_incarnation(sender->node, sender->creation);  // its message is its birth
    }
  auto* state = addressee(to);
  if (!state && to.process == net_kernel)
    return answer_as_net_kernel({.from = std::string(to.from), .content = std::move(*content)});
  if (!state || state->monitor) return note(drop::no_process, to.from, to.process);
  if (!state->hears.empty() && state->hears != to.from)
    return note(drop::unheard, to.from, "a message to " + std::string(to.process));
  message m{.from = std::string(to.from), .content = std::move(*content)};
  if (is_late_reply(*state, m)) return note(drop::unexpected, to.from, "a reply to nothing that it was asked");
  if (!scheduler_.deliver_remote(*state, std::move(m), payload.size()))
    note(drop::overrun, to.from, "more than can be dealt with");
}

void node_core::received_in_channel(const channel_topic& in, std::string_view payload) {
  std::string why;
  const bool is_cleared = in.is_state && payload.empty();
  const auto content = is_cleared ? std::optional(term()) : decode(payload, why);
  if (!content) return note(drop::malformed, in.from, why);
  if (!is_cleared && read_signal(*content)) return note(drop::malformed, in.from, "a signal in a channel");
  if (!in.is_state) table_.heard(in.from, env_.now());  // a state may be as old as it likes
  channel where(std::string(in.channel), std::string(in.from));
  where.is_state = in.is_state;
  const auto listeners = listeners_.find(where);
  if (listeners == listeners_.end()) return note(drop::no_process, in.from, in.channel);  // has just stopped listening
  const message m{.from = where.node, .content = *content, .channel = where.name, .is_state = in.is_state};
  for (const auto serial : listeners->second)
    if (!scheduler_.deliver_remote(*scheduler_.find(serial), m, payload.size()))
      note(drop::overrun, in.from, "more than can be dealt with");
}

// The process that an inbox topic names. One of an earlier incarnation is no more, whatever its serial.
process_state* node_core::addressee(const inbox_topic& to) {
  const auto p = parse_process(to.node, to.process);
  if (!p) return scheduler_.whereis(std::string(to.process));
  return p->creation == creation() ? scheduler_.find(p->serial) : nullptr;
}

void node_core::received_signal(const any_signal& s, const inbox_topic& to) {
  std::visit(
      [&](const auto& one) {
        if constexpr (requires { one.from; })
          if (one.from.node != to.from)  // rule 1
            return note(drop::forged, to.from, "a signal with the pid " + to_string(one.from));
        heed(one, to);
      },
      s);
}

void node_core::heed(const link_signal& s, const inbox_topic& to) { linked_by(s.from, addressee(to), to); }

void node_core::heed(const monitor_signal& s, const inbox_topic& to) { linked_by(s.from, addressee(to), to, true); }

void node_core::heed(const unlink_signal& s, const inbox_topic& to) {
  if (auto* state = addressee(to); state && !state->monitor) end_link(*state, s.from);
}

void node_core::heed(const exit_wire_signal& s, const inbox_topic& to) {
  auto* state = addressee(to);
  if (!state) return;
  if (state->monitored_by.contains(s.from)) return void(end_link(*state, s.from));  // a monitor, which has ended
  if (state->monitor && state->expected_link && state->expected_link->node == s.from.node) {  // nobody has that name
    expected_link_came(*state);
    return scheduler_.signal_exit(*state, s.from, s.reason, cause::process);
  }
  // A repeat, somebody's invention; or the link is still to be made.
  if (!end_link(*state, s.from)) return scheduler_.remember_exit(*state, s.from, s.reason);
  const bool is_of_node = s.reason == reason::noconnection;
  scheduler_.signal_exit(*state, s.from, s.reason, is_of_node ? cause::node_stopped : cause::process);
}

void node_core::heed(const ping_signal& s, const inbox_topic& to) { pinged_by(s.from, addressee(to), to); }

// That it came is what it says to the tick: table_.heard(). The process itself may have asked too.
void node_core::heed(const pong_signal& s, const inbox_topic& to) {
  if (s.node != to.from) return note(drop::forged, to.from, "a PONG of " + s.node);
  if (auto* state = addressee(to); state && state->pinged.erase(s.node) > 0)
    scheduler_.deliver(*state, {.from = std::string(to.from), .local = true, .content = ping_answer::write(s.node)});
}

void node_core::heed(const echo_signal& s, const inbox_topic& to) {
  if (to.from != name()) return note(drop::forged, to.from, "an ECHO of another node");
  echoed(s.number);
}

void node_core::heed(const bad_signal&, const inbox_topic& to) {
  note(drop::malformed, to.from, "a signal of no known form");
}

// @returns false if there was none.
bool node_core::end_link(process_state& state, const pid& with) {
  if (state.remote_links.erase(with) + state.monitored_by.erase(with) == 0) return false;
  table_.unlink({with, state.serial}, env_.now());
  return true;
}

bool node_core::may_answer(const std::string& node) {
  if (node == name() || answers_.allows(node, env_.now())) return true;
  note(drop::overrun, node, "more questions than a node may ask");
  return false;
}

// To a name, or to net_kernel: is the node there? To a process: is that there, and the two linked? If not it is told
// so, by the EXIT that it has missed.
void node_core::pinged_by(const pid& from, process_state* to, const inbox_topic& topic) {
  const auto p = parse_process(topic.node, topic.process);
  // It would not ask if it had not linked: its LINK is lost.
  if (to && to->expected_link && to->expected_link->node == from.node) linked_by(from, to, topic);
  const bool is_good = !p || *p == pid_of(0) || (to && table_.asked_after({from, to->serial}, env_.now()));
  if (!may_answer(from.node)) return;
  if (is_good) return publish(topics_.inbox(from, name()), write_pong(name()), true);
  publish(topics_.inbox(from, name()), write_exit(*p, to ? reason::noconnection : reason::noproc));
}

void node_core::linked_by(const pid& from, process_state* to, const inbox_topic& topic, bool is_monitor) {
  const auto p = parse_process(topic.node, topic.process);
  if (!to || (is_monitor && to->monitor)) {
    if ((p || is_monitor) && may_answer(from.node))
      publish(topics_.inbox(from, name()), write_exit(p ? *p : pid_of(0), reason::noproc));  // rule 5
    return;
  }
  if (to->monitor && !(to->expected_link && to->expected_link->node == from.node))
    return note(drop::refused, from.node, "a link to a monitor");
  if (!to->hears.empty() && to->hears != from.node)
    return note(drop::unheard, from.node, "a link to " + std::string(topic.process));
  if (!table_.may_live(from)) {
    if (may_answer(from.node))
      publish(topics_.inbox(from, name()), write_exit(pid_of(to->serial), reason::noconnection));
    return;
  }
  if (to->remote_links.contains(from) || to->monitored_by.contains(from)) return;  // a repeat
  if (table_.links_to(from.node) >= max_links_from_node) {
    if (may_answer(from.node))
      publish(topics_.inbox(from, name()), write_exit(pid_of(to->serial), reason::system_limit));
    return note(drop::refused, from.node, "more links");
  }
  newer_incarnation(from.node, from.creation);
  if (!table_.link({from, to->serial}, env_.now())) return;
  if (is_monitor) {
    to->monitored_by.insert(from);
    if (!p) publish(topics_.inbox(from, name()), write_link(pid_of(to->serial)));  // whom it has found by the name
  } else {
    to->remote_links.insert(from);
    if (to->monitor) to->monitor->process = from;
    if (to->expected_link && to->expected_link->node == from.node) expected_link_came(*to);
  }
  watch(from.node);
}

}  // namespace nodelink
