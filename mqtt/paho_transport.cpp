#include "mqtt/paho_transport.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <MQTTClient.h>

#include "mqtt/sentences.hpp"
#include "mqtt/sockets.hpp"

namespace paho {

using runtime::connection_loss;
using runtime::publication;
using runtime::transport_events;

// How many PUBLISHes wait for their PUBACK inside Paho, which goes through the list of them at each; the others wait
// here. The broker's Receive Maximum may be lower: Mosquitto's is 20 unless it is told otherwise.
constexpr int max_window = 100;

// Paho reads for 100 ms when it waits to write. A socket that is_writable() keeps it from that, except behind a PUBACK
// that found the socket full.
constexpr auto least_paho_waits = std::chrono::milliseconds(90);

// How many packets are read before the node has its turn.
constexpr int packets_at_once = 16;

constexpr int connect_timeout_seconds = 10;

// Where the threads that do the blocking calls leave what came of them. Shared with those threads: one that hangs in
// a call for as long as a network may hang is left to itself.
struct paho_transport::helper {
  helper() : fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~helper() { ::close(fd); }

  void wake() const { ::eventfd_write(fd, 1); }
  std::deque<outcome> take() {
    eventfd_t count = 0;
    ::eventfd_read(fd, &count);
    const std::lock_guard lock(guard);
    return std::exchange(outcomes, {});
  }

  const int fd;  // readable when there is something to look at
  std::mutex guard;
  std::deque<outcome> outcomes;
  // One at a time: a client of Paho's that waits reads the sockets of all of them.
  std::mutex one_at_a_time;
};

// One Paho client, for one connection. While it is busy it belongs to the thread that is in a blocking call.
struct paho_transport::connection {
  connection(const broker_settings& broker, std::string client_id, std::uint64_t n)
      : number(n), settings(broker), node(std::move(client_id)) {}
  ~connection() {
    if (!client) return;
    disconnect();
    MQTTClient_destroy(&client);
  }
  connection(const connection&) = delete;

  std::optional<connection_loss> connect(const publication& will);
  std::optional<connection_loss> subscribe(const std::vector<std::string>& filters);
  void publish(const publication& p);
  // Says DISCONNECT if there still is a connection, and closes the socket.
  void disconnect();

  bool is_connected() const { return MQTTClient_isConnected(client) != 0; }
  // Whether this can go out at once and whole.
  bool has_room_for(const publication& p) {
    if (in_flight >= window && count_in_flight() >= window) return false;
    constexpr std::size_t of_a_packet = 2'048;  // what the kernel needs besides
    const std::size_t needed = of_a_packet + (p.topic.size() + p.payload.size()) * 5 / 4;
    if (room < needed) {
      if (!is_writable(fd)) return false;
      room = std::max(least_room, needed);
    }
    room -= needed;
    return true;
  }
  int count_in_flight();
  connection_loss lost() const { return connection_lost(disconnect_reason, address(settings), node); }

  const std::uint64_t number;  // tells its outcomes from those of the ones before
  const broker_settings settings;
  const std::string node;
  MQTTClient client = nullptr;
  bool is_busy = false;
  bool is_held = false;  // until flush()
  int fd = -1;           // once connected
  short watched = 0;
  std::size_t least_room = 0;  // bytes that the socket takes when it is writable
  std::size_t room = 0;        // bytes that it takes in any case
  int window = max_window;
  int in_flight = 0;           // or less, since PUBACKs are not seen to come; see count_in_flight()
  bool may_have_kept = false;  // Paho may have read messages while it waited for something else
  int disconnect_reason = 0;
};

namespace {

// MQTT 5 properties, given back at the end.
struct properties {
  explicit properties(std::uint32_t expiry_seconds) {
    if (expiry_seconds == 0) return;
    MQTTProperty expiry{};
    expiry.identifier = MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL;
    expiry.value.integer4 = expiry_seconds;
    MQTTProperties_add(&list, &expiry);
  }
  ~properties() { MQTTProperties_free(&list); }
  properties(const properties&) = delete;

  MQTTProperties list = MQTTProperties_initializer;
};

// MQTT 5 responses, likewise.
struct response : MQTTResponse {
  explicit response(MQTTResponse r) : MQTTResponse(r) {}
  ~response() { MQTTResponse_free(*this); }
  // Paho puts negative numbers into its enumeration, which has none.
  int code() const {
    int number = 0;
    std::memcpy(&number, &reasonCode, sizeof number);
    return number;
  }
  response(const response&) = delete;
};

}  // namespace

std::optional<connection_loss> paho_transport::connection::connect(const publication& will) {
  MQTTClient_createOptions creation = MQTTClient_createOptions_initializer;
  creation.MQTTVersion = settings.mqtt_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
  MQTTClient_createWithOptions(&client, ("tcp://" + address(settings)).c_str(), node.c_str(),
                               MQTTCLIENT_PERSISTENCE_NONE, nullptr, &creation);
  MQTTClient_willOptions last_will = MQTTClient_willOptions_initializer;
  last_will.topicName = will.topic.c_str();
  last_will.payload = {static_cast<int>(will.payload.size()), will.payload.data()};
  last_will.qos = 1;
  last_will.retained = will.retain ? 1 : 0;
  MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
  options.MQTTVersion = creation.MQTTVersion;
  options.cleanstart = settings.mqtt_5 ? 1 : 0;
  options.cleansession = settings.mqtt_5 ? 0 : 1;
  options.keepAliveInterval = settings.keepalive_seconds;
  options.connectTimeout = connect_timeout_seconds;
  options.maxInflightMessages = 65'535;  // beyond it Paho waits; `window` is lower
  options.will = &last_will;
  if (!settings.username.empty()) options.username = settings.username.c_str();
  if (!settings.password.empty()) options.password = settings.password.c_str();
  int code = 0;
  if (settings.mqtt_5) {
    properties of_will(will.expiry_seconds);
    const response r(MQTTClient_connect5(client, &options, nullptr, &of_will.list));
    code = r.code();
    if (r.properties && MQTTProperties_hasProperty(r.properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM))
      window = std::min<int>(window, MQTTProperties_getNumericValue(r.properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM));
  } else {
    code = MQTTClient_connect(client, &options);
  }
  if (code != MQTTCLIENT_SUCCESS) return connect_failure(code, settings.mqtt_5, address(settings), node);
  fd = find_socket(settings.port);
  if (fd < 0) return lost();
  least_room = set_options(fd);
  return std::nullopt;
}

std::optional<connection_loss> paho_transport::connection::subscribe(const std::vector<std::string>& filters) {
  // What is retained under `to/` is no message (rule 2): MQTT 5 lets the subscriber know it even of one that
  // is published with the retain flag while the subscription stands.
  MQTTSubscribe_options as_published = MQTTSubscribe_options_initializer;
  as_published.retainAsPublished = 1;
  std::vector<MQTTSubscribe_options> options(filters.size(), as_published);
  std::vector<char*> topics;
  for (const auto& filter : filters) topics.push_back(const_cast<char*>(filter.c_str()));
  std::vector<int> qos(filters.size(), 1);
  const int count = static_cast<int>(filters.size());
  int code = 0;
  if (settings.mqtt_5) {
    const response r(MQTTClient_subscribeMany5(client, count, topics.data(), qos.data(), options.data(), nullptr));
    code = r.code();
    if (r.reasonCodes) code = *std::max_element(r.reasonCodes, r.reasonCodes + r.reasonCodeCount);
  } else {
    code = MQTTClient_subscribeMany(client, count, topics.data(), qos.data());
    if (code >= 0) code = *std::max_element(qos.begin(), qos.end());
  }
  if (!is_connected()) return lost();
  if (code < 0 || code >= 0x80) return subscription_refused(address(settings), node);
  return std::nullopt;
}

void paho_transport::connection::publish(const publication& p) {
  MQTTClient_message message = MQTTClient_message_initializer;
  message.payload = const_cast<char*>(p.payload.data());
  message.payloadlen = static_cast<int>(p.payload.size());
  message.qos = p.qos;
  message.retained = p.retain ? 1 : 0;
  if (p.qos > 0) ++in_flight;
  if (settings.mqtt_5) {
    const properties expiry(p.expiry_seconds);
    message.properties = expiry.list;
    const response r(MQTTClient_publishMessage5(client, p.topic.c_str(), &message, nullptr));
  } else {
    MQTTClient_publishMessage(client, p.topic.c_str(), &message, nullptr);
  }
}

void paho_transport::connection::disconnect() {
  if (settings.mqtt_5)
    MQTTClient_disconnect5(client, 0, MQTTREASONCODE_SUCCESS, nullptr);
  else
    MQTTClient_disconnect(client, 0);
}

int paho_transport::connection::count_in_flight() {
  MQTTClient_deliveryToken* pending = nullptr;
  MQTTClient_getPendingDeliveryTokens(client, &pending);
  in_flight = 0;
  if (pending)
    while (pending[in_flight] >= 0) ++in_flight;
  MQTTClient_free(pending);
  return in_flight;
}

std::string address(const broker_settings& broker) {
  const bool ipv6 = broker.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + broker.host + "]" : broker.host) + ":" + std::to_string(broker.port);
}

paho_transport::paho_transport(broker_settings settings, watcher watch)
    : settings_(std::move(settings)),
      watch_(std::move(watch)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      helper_(std::make_shared<helper>()) {
  MQTTClient_setTraceLevel(MQTTCLIENT_TRACE_ERROR);  // the default costs a vsnprintf a packet
  // Paho would go to these, whatever the broker's address. No other thread is there yet.
  for (const char* proxy : {"http_proxy", "https_proxy"}) ::unsetenv(proxy);
  watch_(helper_->fd, POLLIN, [this] { look_around(); });
  // Paho looks at the keepalive when it is called, a tenth of it after the last time at the soonest.
  using std::chrono::milliseconds;
  const auto interval =
      std::clamp(milliseconds(settings_.keepalive_seconds * 100), milliseconds(100), milliseconds(5'000));
  const timespec time{interval.count() / 1'000, interval.count() % 1'000 * 1'000'000};
  const itimerspec every{time, time};
  ::timerfd_settime(timer_, 0, &every, nullptr);
  watch_(timer_, POLLIN, [this] {
    std::uint64_t times = 0;
    (void)!::read(timer_, &times, sizeof times);
    cut_if_silent();
    receive();
  });
}

paho_transport::~paho_transport() {
  if (present_ && present_->is_busy)
    withdraw();
  else
    abort();  // nobody has stopped the node: its will is to be heard
  watch_(helper_->fd, 0, {});
  watch_(timer_, 0, {});
  ::close(timer_);
}

void paho_transport::connect(const std::string& client_id, const publication& will, transport_events& events) {
  leave();
  present_ = std::make_shared<connection>(settings_, client_id, ++connections_);
  listener_ = &events;
  to_subscribe_.clear();
  queued_.clear();
  is_closing_ = false;
  start(step::connected, [will](connection& c) { return c.connect(will); });
}

void paho_transport::subscribe(const std::vector<std::string>& filters) {
  if (!present_) return;
  to_subscribe_.insert(to_subscribe_.end(), filters.begin(), filters.end());
  if (present_->is_busy) return;
  start(step::subscribed, [now = std::exchange(to_subscribe_, {})](connection& c) { return c.subscribe(now); });
}

void paho_transport::publish(publication p) {
  if (!present_) return;
  queued_.push_back(std::move(p));
  send_queued();
}

void paho_transport::close() {
  if (!present_) return;
  is_closing_ = true;
  send_queued();
}

void paho_transport::abort() {
  if (!present_) return;
  cut(present_->is_busy ? find_socket(settings_.port) : present_->fd);
  leave();
}

void paho_transport::withdraw() {
  if (!present_) return;
  say_disconnect(find_socket(settings_.port));
  leave();
}

// Hands the present connection to another thread, until finished().
void paho_transport::start(step what, std::function<std::optional<connection_loss>(connection&)> blocking_call) {
  flush();
  watch_socket(0);
  present_->is_busy = true;
  std::thread([c = present_, h = helper_, what, call = std::move(blocking_call)]() mutable {
    {
      const std::lock_guard one(h->one_at_a_time);
      if (c.use_count() == 1) return c.reset();  // given up while it waited for its turn
      outcome o{c->number, what, call(*c)};
      c.reset();  // if nobody wants it any more it ends here
      const std::lock_guard lock(h->guard);
      h->outcomes.push_back(std::move(o));
    }
    h->wake();
  }).detach();
}

void paho_transport::finished(const outcome& o) {
  if (!present_ || present_->number != o.connection) return;  // nobody waits for it any more
  present_->is_busy = false;
  present_->may_have_kept = true;
  if (o.loss) return ended(*o.loss);
  if (!to_subscribe_.empty()) return subscribe({});
  watch_socket(POLLIN);
  if (o.what == step::connected)
    listener_->connected();
  else
    listener_->subscribed();
}

void paho_transport::look_around() {
  for (const auto& o : helper_->take()) finished(o);
  receive();
}

// When the broker has not answered PINGREQ. Paho would find out later, and say DISCONNECT, which discards the will.
void paho_transport::cut_if_silent() {
  if (present_ && !present_->is_busy && silence(present_->fd) > std::chrono::seconds(settings_.keepalive_seconds) * 2)
    cut(present_->fd);
}

// Calls Paho at least once, which sees to the keepalive, unless the socket takes nothing; then see cut_if_silent().
void paho_transport::receive() {
  const auto c = present_;
  if (!c || c->is_busy) return;
  // Paho reads nothing from a socket that takes nothing.
  if (!c->may_have_kept && !is_writable(c->fd)) return watch_socket(POLLOUT);
  input next = next_input(c->fd);
  for (int packets = 0; packets < packets_at_once; ++packets) {
    // Paho says nothing of a DISCONNECT that it reads.
    if (next.is_there) c->disconnect_reason = next.disconnect_reason;
    char* topic = nullptr;
    int topic_size = 0;  // 0 if it is a C string
    MQTTClient_message* m = nullptr;
    MQTTClient_receive(c->client, &topic, &topic_size, &m, 0);
    if (m) {
      // On a connection that began clean a duplicate is here already: TCP loses nothing.
      if (!m->dup)
        listener_->received(topic_size > 0 ? std::string_view(topic, static_cast<std::size_t>(topic_size)) : topic,
                            {static_cast<const char*>(m->payload), static_cast<std::size_t>(m->payloadlen)},
                            m->retained != 0);
      MQTTClient_freeMessage(&m);
      MQTTClient_free(topic);
      if (present_ != c || c->is_busy) return;
    } else {
      c->may_have_kept = false;
    }
    if (!c->is_connected()) return ended(c->lost());
    next = next_input(c->fd);
    if (!next.is_there && !c->may_have_kept) return send_queued();
    // There is more to do: what it gives rise to may leave in one segment.
    if (!std::exchange(c->is_held, true)) hold(c->fd);
  }
  if (c->may_have_kept) helper_->wake();
  send_queued();
}

void paho_transport::send_queued() {
  if (!present_ || present_->is_busy) return;
  auto& c = *present_;
  while (!queued_.empty() && c.has_room_for(queued_.front())) {
    const auto start = std::chrono::steady_clock::now();
    c.publish(queued_.front());
    queued_.pop_front();
    if (std::chrono::steady_clock::now() - start > least_paho_waits) {
      c.may_have_kept = true;
      helper_->wake();
    }
    if (!c.is_connected()) return helper_->wake();  // receive() will find out
  }
  if (is_closing_ && queued_.empty() && c.count_in_flight() == 0) {
    c.disconnect();
    return helper_->wake();
  }
  // Room among those in flight comes by PUBACKs, which are input; room in the socket is to be waited for.
  watch_socket(!queued_.empty() && c.in_flight < c.window ? POLLIN | POLLOUT : POLLIN);
}

void paho_transport::flush() {
  if (present_ && std::exchange(present_->is_held, false)) let_go(present_->fd);
}

void paho_transport::ended(const connection_loss& loss) {
  leave();
  if (is_closing_ && queued_.empty())
    listener_->closed();
  else
    listener_->disconnected(loss);
}

void paho_transport::leave() {
  if (!present_) return;
  watch_socket(0);
  present_.reset();
}

void paho_transport::watch_socket(short events) {
  auto& c = *present_;
  if (std::exchange(c.watched, events) != events) watch_(c.fd, events, [this] { receive(); });
}

}  // namespace paho
