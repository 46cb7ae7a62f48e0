#include "paho/paho_connection.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include <MQTTAsync.h>

#include "paho/sentences.hpp"
#include "paho/tcp_nodelay.hpp"

namespace nodelink::paho {

constexpr int connect_timeout_seconds = 10;
constexpr int most_buffered = 1'000'000;  // beyond it Paho throws; the outbox has far less in flight

static int version(const broker_settings& broker) { return broker.mqtt_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1; }

static mqtt::properties expiry(const publication& p, bool mqtt_5) {
  mqtt::properties properties;
  if (mqtt_5 && p.expiry_seconds > 0)
    properties.add({mqtt::property::MESSAGE_EXPIRY_INTERVAL, static_cast<std::int32_t>(p.expiry_seconds)});
  return properties;
}

// The first client has Paho ignore SIGPIPE in the whole program. A handler of the program's does as well, and stays.
class signal_handler_kept {
 public:
  signal_handler_kept() { ::sigaction(SIGPIPE, nullptr, &before_); }
  ~signal_handler_kept() {
    const bool is_handler =
        (before_.sa_flags & SA_SIGINFO) || (before_.sa_handler != SIG_DFL && before_.sa_handler != SIG_IGN);
    if (is_handler) ::sigaction(SIGPIPE, &before_, nullptr);
  }

 private:
  struct sigaction before_ {};
};

static mqtt::async_client make_client(const broker_settings& broker, const std::string& client_id) {
  const signal_handler_kept kept;
  return {uri(broker), client_id, mqtt::create_options(version(broker), most_buffered)};
}

connection::connection(const broker_settings& broker, std::string client_id, publication will,
                       std::function<void(happening)> tell)
    : broker_(broker),
      node_(std::move(client_id)),
      will_(std::move(will)),
      tell_(std::move(tell)),
      client_(make_client(broker, node_)) {
  // Not set_callback(): that one holds a lock of the C++ library while it takes one of the C library's, and Paho's
  // receive thread takes them the other way round.
  client_.set_message_callback([this](mqtt::const_message_ptr m) {
    // On a connection that began clean a duplicate is here already: TCP loses nothing.
    if (!m->is_duplicate()) tell_(std::move(m));
  });
  client_.set_connection_lost_handler([this](const std::string&) { end(connection_lost(0, address(broker_), node_)); });
  // After this one Paho does not say that the connection is lost.
  client_.set_disconnected_handler([this](const mqtt::properties&, mqtt::ReasonCode code) {
    end(connection_lost(static_cast<int>(code), address(broker_), node_));
  });
}

// Paho throws when the connection is not there any more, or when it does not like what it is given.
template <class F>
bool connection::call(F paho) {
  try {
    paho();
    return true;
  } catch (const mqtt::exception&) {
    if (!client_.is_connected()) end(connection_lost(0, address(broker_), node_));
    return false;
  }
}

void connection::connect(std::vector<socket_address> addresses) {
  addresses_ = std::move(addresses);
  open_before_ = open_descriptors();
  // Built in place: copied MQTT 5 options lose properties before Paho C++ 1.3.
  mqtt::connect_options options;
  options.set_mqtt_version(version(broker_));
  if (broker_.mqtt_5)
    options.set_clean_start(true);
  else
    options.set_clean_session(true);
  options.set_keep_alive_interval(broker_.keepalive_seconds);
  options.set_connect_timeout(connect_timeout_seconds);
  options.set_max_inflight(receive_maximum_);
  if (!broker_.username.empty()) options.set_user_name(broker_.username);
  if (!broker_.password.empty()) options.set_password(broker_.password);
  options.set_will(mqtt::will_options(will_.topic, will_.payload, 1, will_.retain, expiry(will_, broker_.mqtt_5)));
  mqtt::ssl_options tls;  // Paho C++ 1.2 reads the folder's name where it was written
  if (broker_.tls.on) {
    tls.set_enable_server_cert_auth(!broker_.tls.is_insecure);
    tls.set_verify(!broker_.tls.is_insecure);
    if (!broker_.tls.ca_file.empty()) tls.set_trust_store(broker_.tls.ca_file);
    if (!broker_.tls.ca_folder.empty()) tls.ca_path(broker_.tls.ca_folder);
    if (!broker_.tls.certificate.empty()) tls.set_key_store(broker_.tls.certificate);
    if (!broker_.tls.key.empty()) tls.set_private_key(broker_.tls.key);
    options.set_ssl(tls);
  }
  try {
    client_.connect(std::move(options), nullptr, *this);
  } catch (const mqtt::exception&) {
    end(step::failed);
  }
}

void connection::subscribe(const subscription& to) {
  // What is retained under `to/` is no message (rule 2): MQTT 5 lets the subscriber know it even of one that is
  // published with the retain flag while the subscription stands.
  mqtt::subscribe_options options;
  options.set_retain_as_published(true);
  if (!to.wants_retained) options.set_retain_handling(mqtt::subscribe_options::DONT_SEND_RETAINED);
  // One by one: Paho C++ 1.2 loses the options of a list on the way.
  if (!call([&] { client_.subscribe(to.filter, 1, nullptr, *this, options); })) tell_(step::refused);
}

void connection::unsubscribe(const std::string& filter) {
  if (!call([&] { client_.unsubscribe(filter, nullptr, *this); })) tell_(step::unsubscribed);
}

void connection::publish(const publication& p) {
  const bool has_left = call([&] {
    client_.publish(mqtt::message::create(p.topic, p.payload, p.qos, p.retain, expiry(p, broker_.mqtt_5)), nullptr,
                    *this);
  });
  if (!has_left) acknowledged();
}

void connection::disconnect() {
  is_disconnecting_ = true;
  call([&] { client_.disconnect(0, nullptr, *this); });
}

// `awaited_` first: whoever counts up to it tells, or it is counted here.
int connection::take_acknowledged(int next) {
  awaited_ = next;
  return acknowledged_.exchange(0);
}

void connection::acknowledged() {
  if (++acknowledged_ == awaited_) tell_(step::acknowledged);
}

void connection::end(happening how) {
  if (has_ended_.exchange(true)) return;
  if (is_disconnecting_)
    tell_(step::over);
  else
    tell_(std::move(how));
}

void connection::connected(const mqtt::token& token) {
  if (is_connected_.exchange(true)) return;
  if (broker_.mqtt_5) {
    const auto properties = token.get_connect_response().get_properties();
    if (properties.contains(mqtt::property::RECEIVE_MAXIMUM))
      receive_maximum_ = mqtt::get<std::uint16_t>(properties, mqtt::property::RECEIVE_MAXIMUM);
  }
  set_tcp_nodelay(addresses_, open_before_);
  tell_(step::connected);
}

void connection::on_success(const mqtt::token& token) {
  switch (token.get_type()) {
    case mqtt::token::Type::CONNECT: return connected(token);
    case mqtt::token::Type::SUBSCRIBE: {
      const auto response = token.get_subscribe_response();
      for (const auto code : response.get_reason_codes())
        if (static_cast<int>(code) >= 0x80) return tell_(step::refused);
      return tell_(step::subscribed);
    }
    case mqtt::token::Type::UNSUBSCRIBE: return tell_(step::unsubscribed);
    case mqtt::token::Type::PUBLISH: return acknowledged();
    case mqtt::token::Type::DISCONNECT: return end(step::over);
  }
}

void connection::on_failure(const mqtt::token& token) {
  // The broker's, if it is above 0: Paho's own are below.
  const int code = std::max(broker_.mqtt_5 ? static_cast<int>(token.get_reason_code()) : 0, token.get_return_code());
  switch (token.get_type()) {
    case mqtt::token::Type::CONNECT:
      if (code <= 0) return end(step::failed);
      return end(connect_failure(code, address(broker_), node_));
    case mqtt::token::Type::SUBSCRIBE:
      if (code <= 0) return end(connection_lost(0, address(broker_), node_));
      return tell_(step::refused);
    case mqtt::token::Type::UNSUBSCRIBE: return tell_(step::unsubscribed);
    case mqtt::token::Type::PUBLISH: return acknowledged();  // refused, by the ACL for one
    case mqtt::token::Type::DISCONNECT: return end(step::over);
  }
}

}  // namespace nodelink::paho
