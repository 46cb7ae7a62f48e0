/// @file connection.hpp
/// One MQTT 3.1.1 connection on a non-blocking socket: nothing between the load and the broker.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace bench {

struct will {
  std::string topic;  ///< empty for none
  std::string payload;
};

class connection {
 public:
  /// Called with each PUBLISH that comes.
  using receiver = std::function<void(std::string_view topic, std::string_view payload)>;

  connection() = default;
  connection(connection&& other) noexcept { *this = std::move(other); }
  connection& operator=(connection&& other) noexcept;
  ~connection() { close(); }

  /// Begins to connect to 127.0.0.1 and puts CONNECT on its way. @throws std::system_error
  void open(int port, const std::string& client_id, const will& last_will = {});
  void subscribe(std::string_view filter, int qos);
  void publish(std::string_view topic, std::string_view payload, int qos, bool retain = false);
  /// Closes the socket without DISCONNECT, so that the broker publishes the will.
  void close();

  int fd() const { return fd_; }
  /// Writes what waits. False if there is more than the socket takes.
  bool flush();
  bool has_output() const { return sent_ < output_.size(); }
  /// Reads and handles what is there. @throws std::runtime_error when the connection has ended.
  void read(const receiver& on_publish);

  bool is_connected() const { return connected_; }
  bool is_subscribed() const { return subacks_ > 0; }
  int subacks() const { return subacks_; }
  /// PUBLISHes of QoS 1 that the broker has not acknowledged.
  int unacknowledged() const { return unacknowledged_; }

 private:
  void handle(unsigned char header, std::string_view body, const receiver& on_publish);

  int fd_ = -1;
  std::string input_;
  std::string output_;
  std::size_t sent_ = 0;
  std::uint16_t packet_id_ = 0;
  int subacks_ = 0;
  int unacknowledged_ = 0;
  bool connected_ = false;
};

}  // namespace bench
