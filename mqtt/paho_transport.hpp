/// @file paho_transport.hpp
/// Eclipse Paho MQTT C++ behind the transport of a node.
///
/// Threads: everything here is called on the node's thread. Paho calls back on its own; those
/// callbacks put what happened into a queue and make fd() readable, and wait for nothing.
#pragma once

#include <memory>
#include <string>

#include "runtime/transport.hpp"

namespace paho {

/// Which broker, and as whom.
struct broker_settings {
  std::string host = "localhost";
  int port = 1883;
  std::string username;  ///< empty for none
  std::string password;
  int keepalive_seconds = 60;  ///< 1 to 65535
  bool mqtt_5 = true;          ///< otherwise 3.1.1
};

/// `HOST:PORT`, an IPv6 address in brackets.
std::string address(const broker_settings& broker);

class paho_transport final : public runtime::transport {
 public:
  explicit paho_transport(broker_settings settings);
  ~paho_transport() override;

  /// Readable when dispatch() has something to do.
  int fd() const;
  /// Tells the transport_events what has happened, and sends what may be sent.
  void dispatch();

  // transport
  void connect(const std::string& client_id, const runtime::publication& will,
               runtime::transport_events& events) override;
  void subscribe(const std::vector<std::string>& filters) override;
  void publish(runtime::publication p) override;
  void close() override;
  void abort() override;
  void withdraw() override;

 private:
  struct connection;
  struct event_queue;

  void send_queued();
  void retire();

  broker_settings settings_;
  std::shared_ptr<event_queue> events_;
  std::unique_ptr<connection> present_;
  std::unique_ptr<connection> retired_;
  std::uint64_t connections_ = 0;
};

}  // namespace paho
