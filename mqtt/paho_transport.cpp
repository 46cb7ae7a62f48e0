#include "mqtt/paho_transport.hpp"

#include <atomic>
#include <deque>
#include <mutex>
#include <utility>
#include <variant>

#include <sys/eventfd.h>
#include <unistd.h>

#include <MQTTAsync.h>
#include <mqtt/async_client.h>

#include "mqtt/sentences.hpp"
#include "mqtt/sockets.hpp"

namespace paho {

using runtime::connection_loss;
using runtime::publication;
using runtime::transport_events;

// How many PUBLISHes wait for their PUBACK inside Paho; the others wait here. With MQTT 5 the broker may allow
// as few as 20 (Mosquitto's default), and beyond its Receive Maximum Paho stalls for up to a second.
constexpr int window_mqtt_5 = 20;
constexpr int window_mqtt_311 = 100;

namespace {

// What Paho's threads have to tell, besides losses and messages.
enum class news { connected, subscribed, acknowledged, closed };
using event = std::variant<news, connection_loss, mqtt::const_message_ptr>;

}  // namespace

// From Paho's threads to the node's. Shared, so that a late callback finds it alive.
struct paho_transport::event_queue {
  event_queue() : fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~event_queue() { ::close(fd); }

  void push(std::uint64_t from, event e) {
    {
      const std::lock_guard lock(guard);
      waiting.emplace_back(from, std::move(e));
      if (waiting.size() > 1) return;  // the reader has been woken for the first
    }
    ::eventfd_write(fd, 1);
  }

  std::deque<std::pair<std::uint64_t, event>> take() {
    eventfd_t count = 0;
    ::eventfd_read(fd, &count);
    const std::lock_guard lock(guard);
    return std::exchange(waiting, {});
  }

  const int fd;
  std::mutex guard;  // of `waiting`
  std::deque<std::pair<std::uint64_t, event>> waiting;
};

// One Paho client object, for one connection. What is called by it, the handlers and the methods of
// mqtt::iaction_listener, runs on Paho's receive thread.
struct paho_transport::connection final : mqtt::iaction_listener {
  connection(const broker_settings& broker, std::string client_id, std::shared_ptr<event_queue> queue, std::uint64_t n)
      : number(n),
        settings(broker),
        node(std::move(client_id)),
        events(std::move(queue)),
        client("tcp://" + address(broker), node,
               mqtt::create_options(broker.mqtt_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1, 1'000'000), nullptr) {
    // Not set_callback(): that one holds a lock of the C++ library while it takes one of the C library's, and the
    // receive thread takes them the other way round.
    client.set_message_callback([this](mqtt::const_message_ptr m) {
      // On a connection that began clean this one is here already: TCP loses nothing.
      if (!m->is_duplicate()) events->push(number, std::move(m));
    });
    client.set_connection_lost_handler(
        [this](const std::string&) { lost(connection_lost(disconnect_code, address(settings), node)); });
    client.set_disconnected_handler(
        [this](const mqtt::properties&, mqtt::ReasonCode code) { disconnect_code = static_cast<int>(code); });
  }

  void on_success(const mqtt::token& token) override {
    switch (token.get_type()) {
      case mqtt::token::Type::CONNECT:
        if (std::exchange(is_connected, true)) return;  // Paho says it twice
        set_tcp_nodelay(settings.port);
        return events->push(number, news::connected);
      case mqtt::token::Type::SUBSCRIBE: {
        const auto response = token.get_subscribe_response();
        for (const auto code : response.get_reason_codes())
          if (static_cast<int>(code) >= 0x80) return lost(subscription_refused(address(settings), node));
        if (--subscribing == 0) events->push(number, news::subscribed);
        return;
      }
      case mqtt::token::Type::PUBLISH: return acknowledged();
      case mqtt::token::Type::DISCONNECT: return events->push(number, news::closed);
      default: return;
    }
  }

  void on_failure(const mqtt::token& token) override {
    switch (token.get_type()) {
      case mqtt::token::Type::CONNECT: {
        const int code =
            std::max(settings.mqtt_5 ? static_cast<int>(token.get_reason_code()) : 0, token.get_return_code());
        return lost(connect_failure(code, settings.mqtt_5, address(settings), node));
      }
      case mqtt::token::Type::SUBSCRIBE: return lost(subscription_refused(address(settings), node));
      case mqtt::token::Type::PUBLISH:
        return acknowledged();  // refused, by the ACL for one: there is room again all the same
      case mqtt::token::Type::DISCONNECT: return events->push(number, news::closed);
      default: return;
    }
  }

  void acknowledged() {
    --in_flight;
    if (has_queued) events->push(number, news::acknowledged);
  }

  void lost(connection_loss loss) {
    if (!is_lost.exchange(true)) events->push(number, std::move(loss));
  }

  const std::uint64_t number;  // tells its events from those of the ones before
  const broker_settings settings;
  const std::string node;
  const std::shared_ptr<event_queue> events;
  std::atomic<bool> is_lost = false;
  std::atomic<int> in_flight = 0;
  std::atomic<int> subscribing = 0;  // SUBACKs to come
  std::atomic<bool> has_queued = false;
  bool is_connected = false;  // Paho's thread
  std::atomic<int> disconnect_code = 0;

  // The node's thread.
  transport_events* listener = nullptr;
  std::deque<publication> queued;
  bool closing = false;

  mqtt::async_client client;  // last, so that it goes first and takes its callbacks with it
};

std::string address(const broker_settings& broker) {
  const bool ipv6 = broker.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + broker.host + "]" : broker.host) + ":" + std::to_string(broker.port);
}

paho_transport::paho_transport(broker_settings settings)
    : settings_(std::move(settings)), events_(std::make_shared<event_queue>()) {
  MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);  // the default costs a vsnprintf a packet
}

paho_transport::~paho_transport() = default;

int paho_transport::fd() const { return events_->fd; }

static mqtt::properties expiry(const publication& p, bool mqtt_5) {
  mqtt::properties properties;
  if (mqtt_5 && p.expiry_seconds > 0)
    properties.add({mqtt::property::MESSAGE_EXPIRY_INTERVAL, static_cast<std::int32_t>(p.expiry_seconds)});
  return properties;
}

void paho_transport::connect(const std::string& client_id, const publication& will, transport_events& events) {
  retire();
  try {
    present_ = std::make_unique<connection>(settings_, client_id, events_, ++connections_);
    retired_.reset();
    present_->listener = &events;
    // Built in place: copied MQTT 5 options lose properties before Paho C++ 1.3.
    mqtt::connect_options options;
    options.set_mqtt_version(settings_.mqtt_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1);
    if (settings_.mqtt_5)
      options.set_clean_start(true);
    else
      options.set_clean_session(true);
    options.set_keep_alive_interval(settings_.keepalive_seconds);
    options.set_connect_timeout(10);
    if (!settings_.username.empty()) options.set_user_name(settings_.username);
    if (!settings_.password.empty()) options.set_password(settings_.password);
    options.set_will(mqtt::will_options(will.topic, will.payload, 1, will.retain, expiry(will, settings_.mqtt_5)));
    present_->client.connect(std::move(options), nullptr, *present_);
  } catch (const mqtt::exception& e) {
    if (present_)
      present_->lost({connection_loss::kind::unreachable, "cannot connect to " + address(settings_) + ": " + e.what()});
  }
}

void paho_transport::subscribe(const std::vector<std::string>& filters) {
  if (!present_) return;
  // What is retained under `to/` is no message (rule 2): MQTT 5 lets the subscriber know it even of one that
  // is published with the retain flag while the subscription stands.
  const mqtt::subscribe_options options(mqtt::subscribe_options::SUBSCRIBE_LOCAL,
                                        mqtt::subscribe_options::RETAIN_AS_PUBLISHED);
  present_->subscribing += static_cast<int>(filters.size());
  try {
    // One by one: Paho C++ 1.2 loses the options of a list on the way.
    for (const auto& filter : filters) present_->client.subscribe(filter, 1, nullptr, *present_, options);
  } catch (const mqtt::exception&) {
    present_->lost(connection_lost(0, address(settings_), present_->node));
  }
}

void paho_transport::publish(publication p) {
  if (!present_) return;
  present_->queued.push_back(std::move(p));
  send_queued();
}

void paho_transport::send_queued() {
  if (!present_) return;
  auto& c = *present_;
  c.has_queued = true;
  const int window = settings_.mqtt_5 ? window_mqtt_5 : window_mqtt_311;
  try {
    while (!c.queued.empty() && c.in_flight < window) {
      publication& p = c.queued.front();
      ++c.in_flight;
      c.client.publish(
          mqtt::message::create(std::move(p.topic), std::move(p.payload), 1, p.retain, expiry(p, settings_.mqtt_5)),
          nullptr, c);
      c.queued.pop_front();
    }
    c.has_queued = !c.queued.empty() || c.closing;
    if (c.closing && c.queued.empty() && c.in_flight == 0) {
      c.closing = false;
      c.client.disconnect(1000, nullptr, c);
    }
  } catch (const mqtt::exception&) {
    c.lost(connection_lost(0, address(settings_), c.node));
  }
}

void paho_transport::close() {
  if (!present_) return;
  present_->closing = true;
  send_queued();
}

void paho_transport::abort() {
  cut(settings_.port);
  retire();
}

void paho_transport::withdraw() {
  say_disconnect(settings_.port);
  retire();
}

// A client object whose connection is over is kept until the next one is made: when the last is destroyed Paho
// ends its threads, and waits up to a second for them.
void paho_transport::retire() {
  if (present_) retired_ = std::move(present_);
}

void paho_transport::dispatch() {
  for (auto& [from, what] : events_->take()) {
    if (!present_ || from != present_->number) continue;  // of a connection that is over
    auto& listener = *present_->listener;
    if (const auto* loss = std::get_if<connection_loss>(&what)) {
      retire();
      listener.disconnected(*loss);
    } else if (const auto* m = std::get_if<mqtt::const_message_ptr>(&what)) {
      listener.received((*m)->get_topic(), (*m)->get_payload(), (*m)->is_retained());
    } else if (std::get<news>(what) == news::connected) {
      listener.connected();
    } else if (std::get<news>(what) == news::subscribed) {
      listener.subscribed();
    } else if (std::get<news>(what) == news::closed) {
      retire();
      listener.closed();
    }
  }
  send_queued();
}

}  // namespace paho
