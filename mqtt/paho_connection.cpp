#include "mqtt/paho_connection.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <MQTTClient.h>

#include "mqtt/diagnosis.hpp"
#include "mqtt/sentences.hpp"
#include "mqtt/sockets.hpp"
#include "mqtt/tls.hpp"

namespace paho {

using runtime::connection_loss;
using runtime::publication;

// How many PUBLISHes wait for their PUBACK inside Paho, which goes through the list of them at each. The broker's
// Receive Maximum may be lower: Mosquitto's is 20 unless it is told otherwise.
constexpr int max_window = 100;

constexpr int connect_timeout_seconds = 10;

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

void prepare(const broker_settings& broker) {
  if (broker.tls.on) require_version(broker.tls);
  MQTTClient_setTraceLevel(MQTTCLIENT_TRACE_ERROR);  // the default costs a vsnprintf a packet
  // Paho would go to these, whatever the broker's address.
  for (const char* proxy : {"http_proxy", "https_proxy"}) ::unsetenv(proxy);
}

connection::connection(const broker_settings& broker, std::string client_id)
    : broker_(broker), node_(std::move(client_id)), window_(max_window) {}

connection::~connection() {
  if (!client_) return;
  disconnect();
  MQTTClient_destroy(&client_);
}

std::optional<connection_loss> connection::connect(const publication& will) {
  MQTTClient_createOptions creation = MQTTClient_createOptions_initializer;
  creation.MQTTVersion = broker_.mqtt_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
  MQTTClient_createWithOptions(&client_, uri(broker_).c_str(), node_.c_str(), MQTTCLIENT_PERSISTENCE_NONE, nullptr,
                               &creation);
  MQTTClient_willOptions last_will = MQTTClient_willOptions_initializer;
  last_will.topicName = will.topic.c_str();
  last_will.payload = {static_cast<int>(will.payload.size()), will.payload.data()};
  last_will.qos = 1;
  last_will.retained = will.retain ? 1 : 0;
  MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
  options.MQTTVersion = creation.MQTTVersion;
  options.cleanstart = broker_.mqtt_5 ? 1 : 0;
  options.cleansession = broker_.mqtt_5 ? 0 : 1;
  options.keepAliveInterval = broker_.keepalive_seconds;
  options.connectTimeout = connect_timeout_seconds;
  options.maxInflightMessages = 65'535;  // beyond it Paho waits; `window_` is lower
  options.will = &last_will;
  if (!broker_.username.empty()) options.username = broker_.username.c_str();
  if (!broker_.password.empty()) options.password = broker_.password.c_str();
  MQTTClient_SSLOptions tls = MQTTClient_SSLOptions_initializer;
  tls.enableServerCertAuth = tls.verify = broker_.tls.is_insecure ? 0 : 1;
  const auto file = [](const std::string& name) { return name.empty() ? nullptr : name.c_str(); };
  tls.trustStore = file(broker_.tls.ca_file);
  tls.CApath = file(broker_.tls.ca_folder);
  tls.keyStore = file(broker_.tls.certificate);
  tls.privateKey = file(broker_.tls.key);
  if (broker_.tls.on) options.ssl = &tls;
  connect_at_once(!broker_.websockets && !broker_.tls.on);
  int code = 0;
  if (broker_.mqtt_5) {
    properties of_will(will.expiry_seconds);
    const response r(MQTTClient_connect5(client_, &options, nullptr, &of_will.list));
    code = r.code();
    if (r.properties && MQTTProperties_hasProperty(r.properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM))
      window_ = std::min<int>(window_, MQTTProperties_getNumericValue(r.properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM));
  } else {
    code = MQTTClient_connect(client_, &options);
  }
  if (code < 0) return diagnose(broker_);
  if (code > 0) return connect_failure(code, broker_.mqtt_5, address(broker_), node_);
  socket_ = find_socket(broker_.port);
  if (socket_ < 0) return lost();
  least_room_ = set_options(socket_);
  return std::nullopt;
}

static std::vector<char*> pointers(const std::vector<std::string>& filters) {
  std::vector<char*> pointers;
  for (const auto& filter : filters) pointers.push_back(const_cast<char*>(filter.c_str()));
  return pointers;
}

std::optional<connection_loss> connection::subscribe(const std::vector<std::string>& filters) {
  // What is retained under `to/` is no message (rule 2): MQTT 5 lets the subscriber know it even of one that
  // is published with the retain flag while the subscription stands.
  MQTTSubscribe_options as_published = MQTTSubscribe_options_initializer;
  as_published.retainAsPublished = 1;
  std::vector<MQTTSubscribe_options> options(filters.size(), as_published);
  auto topics = pointers(filters);
  std::vector<int> qos(filters.size(), 1);
  const int count = static_cast<int>(filters.size());
  int code = 0;
  if (broker_.mqtt_5) {
    const response r(MQTTClient_subscribeMany5(client_, count, topics.data(), qos.data(), options.data(), nullptr));
    code = r.code();
    if (r.reasonCodes) code = *std::max_element(r.reasonCodes, r.reasonCodes + r.reasonCodeCount);
  } else {
    code = MQTTClient_subscribeMany(client_, count, topics.data(), qos.data());
    if (code >= 0) code = *std::max_element(qos.begin(), qos.end());
  }
  if (!is_connected()) return lost();
  if (code < 0 || code >= 0x80) return subscription_refused(address(broker_), node_);
  return std::nullopt;
}

std::optional<connection_loss> connection::unsubscribe(const std::vector<std::string>& filters) {
  auto topics = pointers(filters);
  const int count = static_cast<int>(filters.size());
  if (broker_.mqtt_5)
    const response r(MQTTClient_unsubscribeMany5(client_, count, topics.data(), nullptr));
  else
    MQTTClient_unsubscribeMany(client_, count, topics.data());
  if (!is_connected()) return lost();
  return std::nullopt;
}

void connection::publish(const publication& p) {
  MQTTClient_message message = MQTTClient_message_initializer;
  message.payload = const_cast<char*>(p.payload.data());
  message.payloadlen = static_cast<int>(p.payload.size());
  message.qos = p.qos;
  message.retained = p.retain ? 1 : 0;
  if (p.qos > 0) ++in_flight_;
  if (broker_.mqtt_5) {
    const properties expiry(p.expiry_seconds);
    message.properties = expiry.list;
    const response r(MQTTClient_publishMessage5(client_, p.topic.c_str(), &message, nullptr));
  } else {
    MQTTClient_publishMessage(client_, p.topic.c_str(), &message, nullptr);
  }
}

bool connection::has_room_for(const publication& p) {
  if (is_window_full()) return false;
  constexpr std::size_t of_a_packet = 2'048;  // what the kernel needs besides
  const std::size_t needed = of_a_packet + (p.topic.size() + p.payload.size()) * 5 / 4;
  if (room_ < needed) {
    if (!is_writable(socket_)) return false;
    room_ = std::max(least_room_, needed);
  }
  room_ -= needed;
  return true;
}

bool connection::is_window_full() { return in_flight_ >= window_ && count_in_flight() >= window_; }

bool connection::read(const receiver& received) {
  char* topic = nullptr;
  int topic_size = 0;  // 0 if it is a C string
  MQTTClient_message* m = nullptr;
  MQTTClient_receive(client_, &topic, &topic_size, &m, 0);
  if (!m) return false;
  // On a connection that began clean a duplicate is here already: TCP loses nothing.
  if (!m->dup)
    received(topic_size > 0 ? std::string_view(topic, static_cast<std::size_t>(topic_size)) : topic,
             {static_cast<const char*>(m->payload), static_cast<std::size_t>(m->payloadlen)}, m->retained != 0);
  MQTTClient_freeMessage(&m);
  MQTTClient_free(topic);
  return true;
}

void connection::disconnect() {
  if (broker_.mqtt_5)
    MQTTClient_disconnect5(client_, 0, MQTTREASONCODE_SUCCESS, nullptr);
  else
    MQTTClient_disconnect(client_, 0);
}

int connection::count_in_flight() {
  MQTTClient_deliveryToken* pending = nullptr;
  MQTTClient_getPendingDeliveryTokens(client_, &pending);
  in_flight_ = 0;
  if (pending)
    while (pending[in_flight_] >= 0) ++in_flight_;
  MQTTClient_free(pending);
  return in_flight_;
}

bool connection::is_connected() const { return MQTTClient_isConnected(client_) != 0; }

connection_loss connection::lost(int disconnect_reason) const {
  return connection_lost(disconnect_reason, address(broker_), node_);
}

}  // namespace paho
