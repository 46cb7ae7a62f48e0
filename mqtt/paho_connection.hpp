/// @file paho_connection.hpp
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/broker_settings.hpp"
#include "runtime/transport.hpp"

namespace paho {

/// One client of Paho's, for one connection. On one thread at a time.
class connection {
 public:
  connection(const broker_settings& broker, std::string client_id);
  /// Says DISCONNECT if there still is a connection.
  ~connection();
  connection(const connection&) = delete;

  // These wait for the broker's answer. Nothing if it is well, and what went wrong otherwise.
  std::optional<runtime::connection_loss> connect(const runtime::publication& will);
  std::optional<runtime::connection_loss> subscribe(const std::vector<std::string>& filters);
  std::optional<runtime::connection_loss> unsubscribe(const std::vector<std::string>& filters);

  /// Waits unless there is room for it.
  void publish(const runtime::publication& p);
  /// Whether this can go out at once and whole.
  bool has_room_for(const runtime::publication& p);
  /// Whether as many PUBLISHes as may be wait for their PUBACK.
  bool is_window_full();
  int count_in_flight();

  using receiver = std::function<void(std::string_view topic, std::string_view payload, bool retained)>;
  /// Reads the next packet, if there is one, and sees to the keepalive. False if it was no PUBLISH.
  bool read(const receiver& received);

  /// Says DISCONNECT if there still is a connection, and closes the socket.
  void disconnect();

  bool is_connected() const;
  /// Why it no longer is; `disconnect_reason` as in MQTT 5.0 section 3.14.2.1, 0 if the broker gave none.
  runtime::connection_loss lost(int disconnect_reason = 0) const;
  /// The descriptor, -1 before connect().
  int socket() const { return socket_; }

 private:
  const broker_settings broker_;
  const std::string node_;
  void* client_ = nullptr;
  int socket_ = -1;
  std::size_t least_room_ = 0;  // bytes that the socket takes when it is writable
  std::size_t room_ = 0;        // bytes that it takes in any case
  int window_;
  int in_flight_ = 0;  // or less, since PUBACKs are not seen to come; see count_in_flight()
};

/// Once in a program, before there are threads.
void prepare(const broker_settings& broker);

}  // namespace paho
