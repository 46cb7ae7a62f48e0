// An MQTT client that does what no library would: made of single packets on a socket.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct ssl_st;

namespace testing_system {

/// One PUBLISH as received.
struct received_message {
  std::string topic;
  std::string payload;
  bool retained = false;
};

struct last_will {
  std::string topic;  ///< empty for no will
  std::string payload;
  bool retain = true;
};

class raw_client {
 public:
  /// Connects to 127.0.0.1; sends nothing.
  explicit raw_client(int port);
  /// The same with TLS, to `localhost` whose certificate is from that authority.
  raw_client(int port, const std::string& ca_file);
  ~raw_client();
  raw_client(raw_client&& other) noexcept;
  raw_client& operator=(raw_client&&) = delete;

  bool mqtt_5 = false;
  std::string username, password;  ///< for connect(); empty for none
  /// Answers each PUBLISH of QoS 1 with PUBACK.
  bool acknowledges = true;

  /// CONNECT, clean, with a will if it has a topic; waits for the CONNACK.
  void connect(const std::string& client_id, const last_will& w = {}, int keepalive = 600);
  /// The bytes of a CONNECT.
  std::string connect_packet(const std::string& client_id, const last_will& w = {}, int keepalive = 600) const;
  /// SUBSCRIBE with QoS 1; waits for the SUBACK. @param wants_retained MQTT 5: retain handling 0, or 2
  void subscribe(const std::string& filter, bool wants_retained = true);
  /// PUBLISH with QoS 1; does not wait.
  void publish(const std::string& topic, const std::string& payload, bool retain = false);
  /// DISCONNECT with a reason (MQTT 5), or without.
  void disconnect(int reason = 0);
  void send(const std::string& bytes) const;
  /// Closes the socket; with `reset` by RST.
  void close(bool reset = false);

  /// The next PUBLISH, from those that came or that come in time.
  std::optional<received_message> next(std::chrono::milliseconds at_most);
  /// Reads what is there. False when the connection is over.
  bool read(std::chrono::milliseconds at_most);
  bool is_open() const { return fd_ >= 0; }

 private:
  void handle(int type, int flags, const std::string& body);
  bool has_input(std::chrono::milliseconds at_most) const;

  int fd_ = -1;
  std::shared_ptr<ssl_st> tls_;  // empty without
  std::string input_;
  std::vector<received_message> messages_;
  int connacks_ = 0, subacks_ = 0;
  int packet_id_ = 0;
};

}  // namespace testing_system
