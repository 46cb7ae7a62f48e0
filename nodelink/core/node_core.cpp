#include "core/node_core.hpp"

#include <algorithm>
#include <stdexcept>

namespace nodelink {

const char* to_string(drop why) {
  constexpr std::array<const char*, drop_kinds> names{"malformed",  "forged",  "retained", "no process", "unheard",
                                                      "unexpected", "refused", "unsent",   "overrun"};
  return names[static_cast<std::size_t>(why)];
}

static void need(bool is_valid, const char* what, const std::string& value, const char* rule) {
  if (!is_valid) throw std::invalid_argument(std::string(what) + " '" + value + "' " + rule);
}

// What becomes part of a topic: with anything else in it the broker would end the connection.
static void need_node(const std::string& name) { need(is_node_name(name), "the node name", name, node_name_rule); }
static void need_name(const std::string& name) { need(is_name(name), "the registered name", name, name_rule); }
static void need_registered(const registered& r) {
  need_node(r.node);
  need_name(r.name);
  need(!parse_process(r.node, r.name), "the registered name", r.name, "is that of a pid");
}
static void need_pid(const pid& p) {
  need_node(p.node);
  need(p.creation <= max_number && p.serial <= max_number, "the pid", to_string(p), "has a number above 2^53 - 1");
}
static void need_channel(const std::string& name) { need(is_name(name), "the channel", name, name_rule); }

static node_settings checked(node_settings s) {
  need_node(s.name);
  need(is_name(s.cookie), "the cookie", s.cookie, name_rule);
  need(is_topic_root(s.topic_root), "the topic root", s.topic_root, topic_root_rule);
  need(s.net_ticktime > duration::zero(), "net_ticktime", std::to_string(s.net_ticktime.count()) + " ns",
       "must be longer than nothing");
  need(s.message_qos == 0 || s.message_qos == 1, "message_qos", std::to_string(s.message_qos), "must be 0 or 1");
  need(s.max_rate_of_one >= 0, "max_rate_of_one", std::to_string(s.max_rate_of_one), "must not be negative");
  need(s.patience > 0, "patience", std::to_string(s.patience), "must be 1 or more");
  return s;
}

node_core::node_core(node& facade, node_settings settings, environment env, transport& via)
    : facade_(facade),
      settings_(checked(std::move(settings))),
      env_(std::move(env)),
      topics_(settings_.topic_root, settings_.cookie),
      transport_(via),
      table_(settings_.name, settings_.net_ticktime),
      scheduler_(env_.now, [this](process_state& state, const term& reason) { process_ended(state, reason); }),
      incarnation_(
          settings_.name, settings_.patience, topics_, env_, transport_,
          {{settings_.monitor_nodes ? topics_.every_status() : topics_.status(settings_.name)},
           {topics_.every_inbox(settings_.name), false}},
          {.up = [this] { connection_is_up(); },
           .down = [this] { connection_went_down(); },
           .lost = [this](const connection_loss& loss,
                          duration wait) { tell([&](node_observer& o) { o.connection_lost(loss, wait); }); },
           .replaced = [this](std::uint64_t creation) { tell([&](node_observer& o) { o.replaced(creation); }); },
           .unheard = [this] { tell([](node_observer& o) { o.unheard(); }); },
           .stopped = [this] { tell([](node_observer& o) { o.stopped(); }); },
           .received = [this](auto topic, auto payload, bool retained) { received(topic, payload, retained); }}),
      from_one_(settings_.max_rate_of_one) {}

void node_core::start() { incarnation_.start(); }

void node_core::stop() {
  if (scheduler_.is_in_turn()) {  // by a process, which is not to be ended under its own feet
    is_to_stop_ = true;
    return;
  }
  for (const auto& node : offline_.nodes())
    while (offline_.take(node)) note(drop::unsent, name(), "the node stops");
  // As when an Erlang node halts, what is left of it is seen to end with noconnection.
  scheduler_.for_each([this](process_state& state) {
    if (!state.monitor) scheduler_.kill(state, reason::noconnection);
  });
  while (scheduler_.count() > 0) scheduler_.run(turns_at_once);
  incarnation_.stop();
}

void node_core::run() {
  incarnation_.run();
  tick();
  // What was sent to the processes waits while too much waits to be sent; time does not.
  const auto is_congested = [this] { return transport_.is_congested(); };
  is_congested() ? scheduler_.run_due() : scheduler_.run(turns_at_once, turns_time, is_congested);
  if (std::exchange(is_to_stop_, false)) stop();
}

std::optional<instant> node_core::next_deadline() const {
  std::optional<instant> first;
  const auto earlier = [&first](const std::optional<instant>& next) {
    if (next && (!first || *next < *first)) first = next;
  };
  earlier(incarnation_.next_deadline());
  earlier(table_.next_deadline());
  earlier(transport_.is_congested() ? scheduler_.next_time_out() : scheduler_.next_deadline());
  for (const auto& [serial, until] : expecting_) earlier(until);
  earlier(offline_.next_deadline());
  return first;
}

pid node_core::spawn_function(std::function<process(self)> body) {
  return pid_of(scheduler_.spawn(*this, std::move(body)).serial);
}

bool node_core::register_name(const std::string& name, const pid& process) {
  auto* state = local(process);
  return state && is_name(name) && !parse_process(settings_.name, name) && scheduler_.register_name(*state, name);
}

std::optional<pid> node_core::whereis(const std::string& name) const {
  const auto* state = scheduler_.whereis(name);
  return state ? std::optional(pid_of(state->serial)) : std::nullopt;
}

void node_core::stop_process(const std::string& registered_name, const term& reason) {
  if (auto* state = scheduler_.whereis(registered_name)) scheduler_.kill(*state, reason);
}

// A process keeps its serial over reconnects, so a pid that this program made earlier still finds it, one from
// before the first connection (creation 0) too.
process_state* node_core::local(const pid& p) {
  const bool ours = p.node == settings_.name && p.creation <= creation() &&
                    (p.creation == 0 || p.creation >= incarnation_.first_creation());
  auto* const found = ours ? scheduler_.find(p.serial) : nullptr;
  return found && !found->monitor ? found : nullptr;
}

node_figures node_core::figures() const {
  const auto& waiting = scheduler_.waiting();
  const auto others = table_.count();
  return {.nodes = others.up,
          .links = others.links,
          .waiting = waiting.messages,
          .waiting_bytes = waiting.bytes,
          .kept = offline_.size(),
          .transport = transport_.load()};
}

void node_core::note(drop why, std::string_view from, std::string_view what) {
  const auto count = ++dropped_[static_cast<std::size_t>(why)];
  tell([&](node_observer& o) { o.dropped(why, from, what, count); });
}

void node_core::publish(const std::string& topic, const term& content, bool is_urgent) {
  if (!content.is_array() || content.empty()) return note(drop::unsent, name(), "not a JSON array: " + brief(content));
  std::string payload = encode(content);
  if (!incarnation_.is_up()) return note(drop::unsent, name(), "no connection to the broker");
  if (payload.size() > max_payload)
    return note(drop::unsent, name(), "longer than " + std::to_string(max_payload) + " bytes");
  transport_.publish(
      {.topic = topic, .payload = std::move(payload), .qos = settings_.message_qos, .is_urgent = is_urgent});
}

// Only a message: a signal without a connection has no meaning later. What follows waits behind what is kept.
bool node_core::is_to_be_kept(const process_state* by, const std::string& to, const term& content) const {
  return by && by->keep_offline > duration::zero() && to != settings_.name &&
         (!incarnation_.is_up() || offline_.has(to)) && content.is_array() && !content.empty();
}

void node_core::keep(const std::string& node, const std::string& topic, term content, const process_state& by) {
  const auto size = encode(content).size();
  if (size > max_payload) return publish(topic, content);  // says what is wrong with it
  const bool is_signed = content[0] == to_string(pid_of(by.serial));
  const instant until = after(env_.now(), by.keep_offline);
  for (auto gone = offline_.put({node, topic, std::move(content), size, until, is_signed ? by.serial : 0}); gone > 0;
       --gone)
    note(drop::unsent, name(), "no connection to the broker, and more than can be kept");
}

void node_core::send_kept(const std::string& node) {
  while (auto one = offline_.take(node)) {
    if (one->signed_by == 0) {
      publish(one->topic, one->content);
      continue;
    }
    term signed_now = term::array({to_string(pid_of(one->signed_by))});
    for (std::size_t i = 1; i < one->content.size(); ++i) signed_now.push_back(one->content[i]);
    publish(one->topic, signed_now);
  }
}

void node_core::send(const pid& to, term content, const process_state* by) {
  need_node(to.node);
  if (is_to_be_kept(by, to.node, content)) return keep(to.node, topics_.inbox(to, name()), std::move(content), *by);
  if (to.node != settings_.name) return publish(topics_.inbox(to, name()), content);
  if (auto* state = local(to)) deliver_local(*state, std::move(content));
}

void node_core::send(const registered& to, term content, const process_state* by) {
  need_node(to.node);
  need_name(to.name);
  if (is_to_be_kept(by, to.node, content)) return keep(to.node, topics_.inbox(to, name()), std::move(content), *by);
  if (to.node != settings_.name) return publish(topics_.inbox(to, name()), content);
  if (auto* state = scheduler_.whereis(to.name)) return deliver_local(*state, std::move(content));
  if (to.name == net_kernel) answer_as_net_kernel({.from = name(), .local = true, .content = std::move(content)});
}

request_id node_core::ask_whereis(process_state& by, const registered& of) {
  need_registered(of);
  const auto reference = begin_request(by, of.node);
  send(registered{net_kernel, of.node},
       call_request::write(pid_of(by.serial), static_cast<std::uint64_t>(reference), term::array({"whereis", of.name})),
       &by);
  return reference;
}

request_id node_core::begin_request(process_state& by, const std::string& node) {
  const auto reference = scheduler_.next_reference();
  by.calls.emplace(reference, node);
  return request_id{reference};
}

// What may be asked of a node itself: which process has a name.
void node_core::answer_as_net_kernel(const message& m) {
  const auto request = call_request::match(m);
  if (!request || request->content.size() != 2 || request->content[0] != "whereis")
    return note(drop::unexpected, m.from, "to net_kernel: " + brief(m.content));
  const auto* const of = request->content[1].get_if<std::string>();
  const auto found = of ? whereis(*of) : std::nullopt;
  send(request->from, call_reply::write(request->reference, found ? term(to_string(*found)) : term()));
}

void node_core::deliver_local(process_state& to, term content) {
  message m{.from = name(), .local = true, .content = std::move(content)};
  if (is_late_reply(to, m)) return note(drop::unexpected, name(), "a reply to nothing that it was asked");
  if (!scheduler_.deliver_local(to, std::move(m))) note(drop::overrun, name(), "more than the mailbox may have");
}

bool node_core::is_late_reply(const process_state& to, const message& m) {
  const auto reply = call_reply::match(m);
  if (!reply) return false;
  const auto asked = to.calls.find(reply->reference);
  return asked == to.calls.end() || asked->second != m.from;
}

// Rule 5. What cannot be linked to answers with an exit signal, as if it had ended just after.
void node_core::link(process_state& from, const pid& to) {
  need_pid(to);
  if (to.node == settings_.name) {
    auto* other = local(to);
    if (!other) return scheduler_.signal_exit(from, to, reason::noproc, cause::process);
    if (other == &from) return;
    from.links.insert(other->serial);
    other->links.insert(from.serial);
    return;
  }
  link_remote(from, to, write_link(pid_of(from.serial)));
}

void node_core::link_remote(process_state& from, const pid& to, const term& signal) {
  if (!incarnation_.is_up()) return scheduler_.signal_exit(from, to, reason::noconnection, cause::connection);
  // What is known of its end is no news: it has its place in the mailbox.
  if (const auto early = from.early_exits.extract(to))
    return scheduler_.signal_exit(from, to, early.mapped().reason, cause::process, early.mapped().place);
  if (!table_.may_live(to))
    return scheduler_.signal_exit(from, to, reason::noproc, cause::node_died, table_.changed_at(to.node));
  if (!table_.link({to, from.serial}, env_.now())) return;
  from.remote_links.insert(to);
  watch(to.node);
  publish(topics_.inbox(to, name()), signal);
}

reference node_core::monitor(process_state& by, const pid& of) {
  need_pid(of);
  auto& monitor = scheduler_.start_monitor(*this, by, of);
  const reference made{monitor.serial};
  if (of.node == settings_.name)
    monitor_local(monitor, local(of));
  else
    link_remote(monitor, of, write_monitor(pid_of(monitor.serial)));
  return made;
}

// That process answers with its LINK, so that its end is known by its pid.
reference node_core::monitor(process_state& by, const registered& of) {
  need_registered(of);
  auto& monitor = scheduler_.start_monitor(*this, by, pid{of.node, 0, 0});
  const reference made{monitor.serial};
  if (of.node == settings_.name) {
    monitor_local(monitor, scheduler_.whereis(of.name));
  } else if (!incarnation_.is_up()) {
    scheduler_.signal_exit(monitor, pid_of(0), reason::noconnection, cause::connection);
  } else if (table_.is_up(of.node) == false) {
    scheduler_.signal_exit(monitor, pid_of(0), reason::noconnection, cause::node_died, table_.changed_at(of.node));
  } else {
    monitor.expected_link = of;
    expecting_.emplace(monitor.serial, env_.now() + settings_.net_ticktime * 5 / 4);
    watch(of.node);
    publish(topics_.inbox(of, name()), write_monitor(pid_of(monitor.serial)));
  }
  return made;
}

void node_core::monitor_local(process_state& monitor, process_state* of) {
  if (!of) return scheduler_.signal_exit(monitor, pid_of(0), reason::noproc, cause::process);
  monitor.monitor->process = pid_of(of->serial);
  monitor.links.insert(of->serial);
  of->links.insert(monitor.serial);
}

void node_core::demonitor(process_state& by, reference which) {
  const auto serial = static_cast<serial_number>(which);
  if (by.monitors.contains(serial))
    end_monitor(*scheduler_.find(serial));
  else
    scheduler_.forget_down(by, serial);
}

void node_core::end_monitor(process_state& monitor) {
  const auto self = pid_of(monitor.serial);
  if (monitor.expected_link) publish(topics_.inbox(*monitor.expected_link, name()), write_unlink(self));
  expecting_.erase(monitor.serial);
  for (const auto& remote : monitor.remote_links) {
    table_.unlink({remote, monitor.serial}, env_.now());
    publish(topics_.inbox(remote, name()), write_unlink(self));
  }
  scheduler_.end_monitor(monitor);
}

void node_core::unlink(process_state& from, const pid& to) {
  if (auto* other = local(to)) {
    from.links.erase(other->serial);
    other->links.erase(from.serial);
  } else if (from.remote_links.erase(to) > 0) {
    table_.unlink({to, from.serial}, env_.now());
    publish(topics_.inbox(to, name()), write_unlink(pid_of(from.serial)));
  }
}

void node_core::say(const std::string& channel, const term& content) {
  need_channel(channel);
  publish(topics_.in({channel, name()}), content);
}

void node_core::set_state(const std::string& name, term content) {
  need_channel(name);
  if (!content.is_null() && (!content.is_array() || content.empty()))
    return note(drop::unsent, settings_.name, "not a JSON array: " + brief(content));
  if (encode(content).size() > max_payload)
    return note(drop::unsent, settings_.name, "longer than " + std::to_string(max_payload) + " bytes");
  if (incarnation_.is_up()) say_state(name, content);
  states_.insert_or_assign(name, std::move(content));
}

void node_core::say_state(const std::string& name, const term& content) {
  transport_.publish({.topic = topics_.in(state_of(name, settings_.name)),
                      .payload = content.is_null() ? "" : encode(content),
                      .retain = true,
                      .expiry_seconds = incarnation::nodedown_expiry_seconds});
}

void node_core::listen(process_state& state, const channel& to) {
  need_channel(to.name);
  need_node(to.node);
  if (!state.channels.insert(to).second) return;
  auto& listeners = listeners_[to];
  // A state comes again from the broker, for this listener; what comes twice does no harm.
  if ((listeners.empty() || to.is_state) && incarnation_.is_up()) transport_.subscribe({{topics_.in(to), to.is_state}});
  listeners.insert(state.serial);
}

void node_core::unlisten(process_state& state, const channel& to) {
  if (state.channels.erase(to) == 0) return;
  const auto listeners = listeners_.find(to);
  listeners->second.erase(state.serial);
  if (!listeners->second.empty()) return;
  listeners_.erase(listeners);
  if (incarnation_.is_up()) transport_.unsubscribe({topics_.in(to)});
}

void node_core::ping(process_state& from, const std::string& node) {
  need_node(node);
  watch(node);
  from.pinged.insert(node);
  publish(topics_.inbox(registered{net_kernel, node}, name()), write_ping(pid_of(from.serial)));
}

void node_core::monitor_node(process_state& by, const std::string& node, bool flag) {
  need_node(node);
  if (!flag) {
    by.monitored.erase(node);
    return stop_monitoring(by.serial, node);
  }
  if (!by.monitored.insert(node).second) return;
  monitors_[node].insert(by.serial);
  if (node == name())
    return scheduler_.deliver(
        by,
        {.from = name(), .local = true, .content = node_event::write(node, incarnation_.is_up(), cause::connection)});
  // What is known it hears at once, at its place; what has been forgotten, or was lost on the way, is retained.
  if (const auto is_up = table_.is_up(node)) {
    const auto ended = ended_by_.find(node);
    const cause why = ended == ended_by_.end() ? cause::node_died : ended->second;
    scheduler_.deliver(by, {.from = name(), .local = true, .content = node_event::write(node, *is_up, why)},
                       table_.changed_at(node));
  }
  watched_.erase(node);
  watch(node);
}

void node_core::stop_monitoring(serial_number by, const std::string& node) {
  const auto found = monitors_.find(node);
  if (found == monitors_.end()) return;
  found->second.erase(by);
  if (!found->second.empty()) return;
  monitors_.erase(found);
  ended_by_.erase(node);
}

void node_core::tell_monitors(const std::string& node, bool is_up, cause why) {
  const auto found = monitors_.find(node);
  if (found == monitors_.end()) return;
  if (!is_up) ended_by_[node] = why;
  for (const auto by : found->second)
    scheduler_.deliver(*scheduler_.find(by),
                       {.from = name(), .local = true, .content = node_event::write(node, is_up, why)});
}

void node_core::monitor_nodes() {
  if (!std::exchange(settings_.monitor_nodes, true)) began_to_monitor_ = true;
  // Again at each call: what has been forgotten of who lives is retained.
  if (incarnation_.is_up()) transport_.subscribe({{topics_.every_status()}});
}

// The status of a node, from its retained present on.
void node_core::watch(const std::string& node) {
  if (incarnation_.is_up() && !settings_.monitor_nodes && node != name() && watched_.insert(node).second)
    transport_.subscribe({{topics_.status(node)}});
}

void node_core::expect_link(process_state& from, const registered& to) {
  need_node(to.node);
  need_name(to.name);
  const bool is_here =
      std::any_of(from.remote_links.begin(), from.remote_links.end(), [&](const pid& p) { return p.node == to.node; });
  if (is_here) return;
  // What it was told lay in the mailbox when the connection went.
  if (!incarnation_.is_up()) return scheduler_.signal_exit(from, pid_of(0), reason::noconnection, cause::connection);
  // Likewise what its node has become since.
  if (table_.is_up(to.node) == false && table_.changed_at(to.node) > from.taken)
    return scheduler_.signal_exit(from, pid_of(0), reason::noconnection, cause::node_died, table_.changed_at(to.node));
  from.expected_link = to;
  // The other side repeats its LINK within that time: if it has not come by then there is none.
  expecting_.emplace(from.serial, env_.now() + settings_.net_ticktime * 5 / 4);
  watch(to.node);
}

void node_core::expected_link_came(process_state& state) {
  state.expected_link.reset();
  expecting_.erase(state.serial);
}

void node_core::expected_links_lost(const std::function<bool(const process_state&, instant)>& is_lost, cause why) {
  const auto expecting = expecting_;
  for (const auto& [serial, until] : expecting) {
    auto* state = scheduler_.find(serial);
    if (!is_lost(*state, until)) continue;
    if (incarnation_.is_up())
      publish(topics_.inbox(*state->expected_link, name()), write_exit(pid_of(serial), reason::noconnection));
    expected_link_came(*state);
    scheduler_.signal_exit(*state, pid_of(0), reason::noconnection, why);
  }
}

void node_core::exit(process_state& from, const pid& to, const term& reason) {
  if (from.remote_links.erase(to) > 0) {
    table_.unlink({to, from.serial}, env_.now());
    publish(topics_.inbox(to, name()),
            write_exit(pid_of(from.serial), reason == reason::kill ? reason::killed : reason));
    return;
  }
  auto* other = local(to);
  if (!other) return;
  if (reason == reason::kill)
    scheduler_.kill(*other, reason::killed);
  else
    scheduler_.signal_exit(*other, pid_of(from.serial), reason, cause::process);
}

// Rule 6. The exit signals go before anything else that the node sends: links hear of the end once.
void node_core::process_ended(process_state& state, const term& reason) {
  while (!state.channels.empty()) unlisten(state, channel(*state.channels.begin()));
  for (const auto& node : state.monitored) stop_monitoring(state.serial, node);
  if (state.expected_link)
    publish(topics_.inbox(*state.expected_link, name()), write_exit(pid_of(state.serial), reason));
  expecting_.erase(state.serial);
  for (const auto* remotes : {&state.remote_links, &state.monitored_by}) {
    for (const auto& remote : *remotes) {
      table_.unlink({remote, state.serial}, env_.now());
      publish(topics_.inbox(remote, name()), write_exit(pid_of(state.serial), reason));
    }
  }
  for (const auto serial : std::set(state.monitors)) end_monitor(*scheduler_.find(serial));
  tell([&, ended = pid_of(state.serial)](node_observer& o) { o.process_ended(ended, reason); });
}

void node_core::links_ended(const std::vector<remote_link>& links, const term& reason, cause why) {
  for (const auto& l : links) {
    auto* state = scheduler_.find(l.local);
    if (!state || state->monitored_by.erase(l.remote) > 0 || state->remote_links.erase(l.remote) == 0) continue;
    // A node that stops says `normal`, which a process that does not trap exits ignores; it would
    // stay linked to nothing. Erlang's nodes say noconnection, however they end.
    const bool ignorable = reason == reason::normal && !state->trap_exit;
    scheduler_.signal_exit(*state, l.remote, ignorable ? term(reason::noconnection) : reason, why);
  }
}

void node_core::connection_is_up() {
  if (began_to_monitor_) transport_.subscribe({{topics_.every_status()}});
  std::vector<subscription> channels;
  for (const auto& [channel, listeners] : listeners_) channels.push_back({topics_.in(channel), channel.is_state});
  if (!channels.empty()) transport_.subscribe(channels);
  for (const auto& [name, content] : states_) say_state(name, content);
  for (const auto& [node, by] : monitors_) watch(node);
  tell_monitors(name(), true, cause::connection);
  for (const auto& node : offline_.nodes()) watch(node);
  tell([this](node_observer& o) { o.node_up(creation()); });
}

// Rule 7.
void node_core::connection_went_down() {
  watched_.clear();
  echoes_.clear();
  links_ended(table_.disconnect(), reason::noconnection, cause::connection);
  expected_links_lost([](const process_state&, instant) { return true; }, cause::connection);
  for (const auto& [node, by] : monitors_) tell_monitors(node, false, cause::connection);
}

void node_core::tick() {
  const auto [ask, is_echo_wanted, dead] = table_.tick(env_.now());
  for (const auto& l : ask) publish(topics_.inbox(l.remote, name()), write_ping(pid_of(l.local)));
  // No tombstone: a node that was only slow may link again. It is told, so that both sides agree.
  for (const auto& l : dead)
    publish(topics_.inbox(l.remote, name()), write_exit(pid_of(l.local), reason::noconnection));
  links_ended(dead, reason::noconnection, cause::silence);
  expected_links_lost([now = env_.now()](const process_state&, instant until) { return until <= now; }, cause::silence);
  if (is_echo_wanted) echo();
  for (auto gone = offline_.expire(env_.now()); gone > 0; --gone)
    note(drop::unsent, name(), "no connection, or nobody there, for too long");
}

// What the broker has for this node by the time that this is there comes before it.
void node_core::echo() {
  if (!incarnation_.is_up()) return;
  echoes_.emplace(++last_echo_, env_.now());
  publish(topics_.inbox(registered{net_kernel, name()}, name()), write_echo(last_echo_));
}

void node_core::echoed(std::uint64_t number) {
  const auto found = echoes_.find(number);
  if (found == echoes_.end()) return;
  const instant sent = found->second;
  const bool is_whole = found == echoes_.begin();
  echoes_.erase(echoes_.begin(), std::next(found));
  table_.read_up_to(sent, is_whole, env_.now());
}

}  // namespace nodelink
