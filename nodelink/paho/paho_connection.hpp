/// @file paho_connection.hpp
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <mqtt/async_client.h>

#include <nodelink/paho/broker_settings.hpp>
#include <nodelink/transport.hpp>
#include "paho/lookup.hpp"

namespace nodelink::paho {

/// What became of a connection, besides messages and its loss.
enum class step {
  connected,
  subscribed,    ///< to one filter
  unsubscribed,  ///< from one
  refused,       ///< a subscription
  acknowledged,  ///< as many as take_acknowledged() asked for
  failed,        ///< could not be made, and nobody said why
  over,          ///< after disconnect()
  flooded,       ///< more has come than may lie unread
};
using happening = std::variant<step, connection_loss, mqtt::const_message_ptr>;

/// One client object of Paho's, for one connection. All that is called here is called on one thread, and waits for no
/// network; what happens is told on Paho's threads, which hold Paho's lock meanwhile.
class connection final : private mqtt::iaction_listener {
 public:
  connection(const broker_settings& broker, std::string client_id, publication will,
             std::function<void(happening)> tell);
  /// Says DISCONNECT if it is connected. Waits for what is being told; if it is Paho's last client also for Paho's
  /// threads, up to a second.
  ~connection() = default;

  /// Tells `connected`, `failed` or why not. @param addresses the broker's.
  void connect(std::vector<socket_address> addresses);
  /// Each is answered.
  void subscribe(const subscription& to);
  void unsubscribe(const std::string& filter);
  void publish(const publication& p);
  void publish_will() { publish(will_); }
  /// Tells `over`.
  void disconnect();

  /// The broker's, once it is connected; 65535 if it said nothing of it.
  int receive_maximum() const { return receive_maximum_; }
  /// How many publications have been acknowledged, or refused, since the last call. @param next tell when it is as many
  /// again; 0 for never.
  int take_acknowledged(int next);

 private:
  // Paho's threads.
  void on_success(const mqtt::token& token) override;
  void on_failure(const mqtt::token& token) override;
  void connected(const mqtt::token& token);
  void acknowledged();
  void end(happening how);
  template <class F>
  bool call(F paho);

  const broker_settings broker_;
  const std::string node_;
  const publication will_;
  const std::function<void(happening)> tell_;
  std::vector<socket_address> addresses_;
  std::set<int> open_before_;
  std::atomic<int> receive_maximum_ = 65'535;
  std::atomic<int> acknowledged_ = 0, awaited_ = 0;
  std::atomic<bool> is_connected_ = false;      // Paho says it twice
  std::atomic<bool> has_ended_ = false;         // and that too
  std::atomic<bool> is_disconnecting_ = false;  // how it ends does not matter any more

  mqtt::async_client client_;  // last, so that it goes first, and its callbacks with it
};

}  // namespace nodelink::paho
