#include <nodelink/simulation/broker.hpp>

#include <algorithm>

#include <nodelink/simulation/world.hpp>

namespace nodelink::simulation {

// Stands for the topic of what is sent about subscriptions.
constexpr std::string_view subscribing = "+";

bool matches(std::string_view filter, std::string_view topic) {
  for (;;) {
    const auto f = filter.substr(0, filter.find('/'));
    const auto t = topic.substr(0, topic.find('/'));
    if (f == "#") return true;
    if (f != "+" && f != t) return false;
    if (f.size() == filter.size() || t.size() == topic.size())
      return f.size() == filter.size() && t.size() == topic.size();
    filter.remove_prefix(f.size() + 1);
    topic.remove_prefix(t.size() + 1);
  }
}

broker::~broker() {
  unread_.clear();
  for (const auto& w : were_cut_)
    if (const auto s = w.lock()) s->delayed.clear();
}

// Only packets of one topic and direction keep their order.
instant broker::arrival(const session_ptr& s, std::string_view topic, char direction) {
  duration travel = latency;
  if (jitter.count() > 0) travel += duration(world_.random() % static_cast<std::uint64_t>(jitter.count()));
  auto& last = s->last_arrival[direction + std::string(topic)];
  last = std::max(last, world_.now() + travel);
  if (direction == '>') last = std::max(last, s->subscribed);
  return last;
}

void broker::at_broker(const session_ptr& s, std::string_view topic, std::function<void()> what) {
  if (s->cut) return s->delayed.push_back([=, this, t = std::string(topic)] { at_broker(s, t, what); });
  const auto arrives = arrival(s, topic, '>');
  if (topic == subscribing) s->subscribed = arrives;
  world_.schedule(arrives - world_.now(), [this, s, what = std::move(what)] { read(s, what); });
}

void broker::read(const session_ptr& s, std::function<void()> what) {
  if (frozen_) return unread_.emplace_back(s, std::move(what)), void();
  if (running_ && s->broker_open) what();
}

void broker::thaw() {
  frozen_ = false;
  for (auto& [s, what] : std::exchange(unread_, {})) read(s, std::move(what));
}

void broker::at_client(const session_ptr& s, std::string_view topic, std::function<void()> what) {
  if (s->cut) return s->delayed.push_back([=, this, t = std::string(topic)] { at_client(s, t, what); });
  world_.schedule(arrival(s, topic, '<') - world_.now(), [s, what = std::move(what)] {
    if (!s->client_open) return;
    auto guarded = [s, what] {
      if (s->client_open) what();
    };
    if (s->client)
      s->client->when_running(guarded);
    else
      guarded();
  });
}

session_ptr broker::open(const std::string& client_id, const publication& will, nodelink::transport_events& events,
                         host* client, bool is_cut) {
  auto s = std::make_shared<session>();
  s->client_id = client_id;
  s->will = will;
  s->events = &events;
  s->client = client;
  if (is_cut) cut(s);
  if (running_) {
    at_broker(s, "", [this, s] { accept(s); });
  } else {
    at_client(s, "", [s] {
      s->client_open = false;
      s->events->disconnected({nodelink::connection_loss::kind::unreachable, "no broker there"});
    });
  }
  return s;
}

void broker::accept(const session_ptr& s) {
  s->accepted = true;
  if (const auto old = sessions_.find(s->client_id); old != sessions_.end()) close(old->second, true);  // takeover
  sessions_[s->client_id] = s;
  at_client(s, "", [s] { s->events->connected(); });
}

void broker::subscribe(const session_ptr& s, const std::vector<subscription>& to) {
  at_broker(s, subscribing, [this, s, to] {
    for (const auto& each : to) s->filters.insert(each.filter);
    at_client(s, "", [s] { s->events->subscribed(); });
    const auto is_wanted = [&](const std::string& topic) {
      return std::any_of(to.begin(), to.end(), [&](const subscription& each) {
        return (each.wants_retained || !mqtt_5) && matches(each.filter, topic);
      });
    };
    for (const auto& [topic, p] : retained_)
      if (is_wanted(topic)) deliver(s, p, true);
  });
}

void broker::unsubscribe(const session_ptr& s, const std::vector<std::string>& filters) {
  at_broker(s, subscribing, [s, filters] {
    for (const auto& f : filters) s->filters.erase(f);
  });
}

void broker::publish(const session_ptr& s, publication p) {
  const std::string topic = p.topic;
  at_broker(s, topic, [this, p = std::move(p)] { route(p); });
}

// DISCONNECT is the last packet: it overtakes nothing that was sent before.
void broker::disconnect(const session_ptr& s) {
  instant last = world_.now();
  for (const auto& [topic, when] : s->last_arrival) last = std::max(last, when);
  s->last_arrival[">"] = last;
  at_broker(s, "", [this, s] {
    at_client(s, "", [s] {
      s->client_open = false;
      s->events->closed();
    });
    close(s, false);
  });
}

void broker::client_gone(const session_ptr& s) {
  s->client_open = false;
  // TCP never came to a connection: nothing of it will reach the broker.
  if (s->cut && !s->accepted) return s->delayed.clear();
  at_broker(s, "", [this, s] { close(s, true); });
}

void broker::client_gone_without_will(const session_ptr& s) {
  client_gone(s);
  s->will = {};
}

void broker::silence_begins(const session_ptr& s) {
  const auto silence = ++s->silences;
  const auto up_to_5_s = duration(world_.random() % 5'000'000'000U);
  world_.schedule(keepalive * 3 / 2 + up_to_5_s, [this, s, silence] {
    if (s->silences == silence) read(s, [this, s] { close(s, true); });
  });
}

void broker::cut(const session_ptr& s) {
  s->cut = true;
  were_cut_.push_back(s);
  silence_begins(s);
  // The client misses the answer that it asks for.
  world_.schedule(keepalive * 7 / 4, [s, silence = s->silences] {
    if (s->silences != silence || !s->client_open || !s->client) return;
    s->client->when_running([s] {
      if (std::exchange(s->client_open, false))
        s->events->disconnected({nodelink::connection_loss::kind::lost, "no answer from the broker"});
    });
  });
}

void broker::heal(const session_ptr& s) {
  s->cut = false;
  silence_ends(s);
  const auto delayed = std::exchange(s->delayed, {});
  for (const auto& again : delayed) again();
  if (!s->broker_open && s->client_open)
    at_client(s, "", [s] {
      s->client_open = false;
      s->events->disconnected({nodelink::connection_loss::kind::lost, "the connection was lost"});
    });
}

void broker::close(const session_ptr& closing, bool with_will) {
  const session_ptr s = closing;  // NOLINT(performance-*): `closing` may be the own one of the map
  if (!std::exchange(s->broker_open, false)) return;
  // Among the last that it hears is its own will.
  if (with_will && s->accepted && !s->will.topic.empty()) route(s->will);
  if (const auto found = sessions_.find(s->client_id); found != sessions_.end() && found->second == s)
    sessions_.erase(found);
  if (!s->cut && s->client_open)
    at_client(s, "", [s] {
      s->client_open = false;
      s->events->disconnected({nodelink::connection_loss::kind::lost, "the connection was lost"});
    });
}

// First every will, to everybody, and then the end, as Mosquitto does it.
void broker::stop() {
  const auto open = sessions_;
  for (const auto& [id, s] : open)
    if (!s->will.topic.empty()) route(s->will);
  for (const auto& [id, s] : open) close(s, false);
  running_ = frozen_ = false;
  unread_.clear();
}

void broker::crash() {
  const auto open = sessions_;
  for (const auto& [id, s] : open) close(s, false);
  running_ = frozen_ = false;
  unread_.clear();
}

void broker::restart(persistence p) {
  running_ = true;
  if (p == persistence::rolled_back) retained_ = saved_;
  if (p == persistence::none) retained_.clear();
}

std::string broker::retained(const std::string& topic) const {
  const auto found = retained_.find(topic);
  return found == retained_.end() ? "" : found->second.payload;
}

void broker::route(const publication& p) {
  if (!running_) return;
  ++publications_;
  if (on_publish) on_publish(p);
  if (p.retain) {
    if (p.payload.empty())
      retained_.erase(p.topic);
    else
      retained_[p.topic] = p;
  }
  const int times = repeats && repeats(p) ? 2 : 1;
  for (const auto& [id, s] : sessions_)
    if (std::any_of(s->filters.begin(), s->filters.end(), [&](const auto& f) { return matches(f, p.topic); }))
      for (int i = 0; i < times; ++i) deliver(s, p, p.retain && mqtt_5);
}

void broker::deliver(const session_ptr& s, const publication& p, bool retained) {
  if (loses && loses(p)) return;
  if (s->unacknowledged >= max_queued) {
    if (on_overflow) on_overflow(s->client_id, p);
    return;
  }
  ++s->unacknowledged;
  at_client(s, p.topic, [s, p, retained] {
    --s->unacknowledged;
    s->events->received(p.topic, p.payload, retained);
  });
}

void simulated_transport::connect(const std::string& client_id, const publication& will,
                                  nodelink::transport_events& events) {
  abort();
  session_ = broker_.open(client_id, will, events, client_, is_cut_);
}

void simulated_transport::subscribe(const std::vector<subscription>& to) {
  if (session_) broker_.subscribe(session_, to);
}
void simulated_transport::unsubscribe(const std::vector<std::string>& filters) {
  if (session_) broker_.unsubscribe(session_, filters);
}
void simulated_transport::publish(publication p) {
  if (session_) broker_.publish(session_, std::move(p));
}
void simulated_transport::close() {
  if (session_) broker_.disconnect(session_);
}

void simulated_transport::abort() {
  if (session_ && session_->client_open) broker_.client_gone(session_);
  session_.reset();
}

void simulated_transport::withdraw() {
  if (session_ && session_->client_open) broker_.client_gone_without_will(session_);
  session_.reset();
}

void simulated_transport::cut() {
  is_cut_ = true;
  if (session_) broker_.cut(session_);
}

void simulated_transport::heal() {
  is_cut_ = false;
  if (session_ && session_->cut) broker_.heal(session_);
}

void simulated_transport::freeze() {
  if (session_ && !session_->cut) broker_.silence_begins(session_);
}

void simulated_transport::thaw() {
  if (session_ && !session_->cut) broker::silence_ends(session_);
}

}  // namespace nodelink::simulation
