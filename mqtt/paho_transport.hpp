/// @file paho_transport.hpp
/// Eclipse Paho's synchronous MQTT client behind the transport of a node.
///
/// Threads: everything here is called on the node's thread, and Paho works on it too: a message is read, handled and
/// answered without a word to another thread. Only what waits for the broker's answer (CONNECT, SUBSCRIBE) is done by
/// a thread of its own, and meanwhile nobody else touches Paho. (Paho's asynchronous client, which is what Paho C++
/// is made of, has two threads and a lock in the way of every packet: see CONTRIBUTING.md.)
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "mqtt/broker_settings.hpp"
#include "runtime/transport.hpp"

namespace paho {

class connection;

/// Has `ready` called, on the node's thread, whenever one of these `events` of poll(2) is there for the descriptor; in
/// place of what was asked for it before. Without events: no longer.
using watcher = std::function<void(int fd, short events, std::function<void()> ready)>;

class paho_transport final : public runtime::transport {
 public:
  paho_transport(broker_settings settings, watcher watch);
  ~paho_transport() override;

  /// Lets go what was held back since the last call, because there was more to do. Call it when nothing is left to be
  /// done at once.
  void flush();

  // transport
  void connect(const std::string& client_id, const runtime::publication& will,
               runtime::transport_events& events) override;
  void subscribe(const std::vector<std::string>& filters) override;
  void unsubscribe(const std::vector<std::string>& filters) override;
  void publish(runtime::publication p) override;
  bool is_congested() const override;
  void close() override;
  void abort() override;
  void withdraw() override;

 private:
  struct helper;
  enum class step { connected, subscribed, unsubscribed };
  // What a blocking call came to: nothing but the step if it went well.
  struct outcome {
    std::uint64_t connection;
    step what;
    std::optional<runtime::connection_loss> loss;
  };

  void change_subscriptions(step what, const std::vector<std::string>& filters);
  void start_change();
  void start(step what, std::function<std::optional<runtime::connection_loss>(connection&)> blocking_call);
  void finished(const outcome& o);
  void look_around();
  void cut_if_silent();
  void receive();
  void send_queued();
  void ended(const runtime::connection_loss& loss);
  void leave();
  void watch_socket(short events);

  broker_settings settings_;
  watcher watch_;
  int timer_;  // when Paho wants to look at the keepalive
  std::shared_ptr<helper> helper_;
  std::shared_ptr<connection> present_;
  std::thread blocked_;         // the one that is in a blocking call, if one is
  bool is_busy_ = false;        // the present connection belongs to a thread that is in a blocking call
  bool is_held_ = false;        // until flush()
  bool may_have_kept_ = false;  // Paho may have read messages while it waited for something else
  int disconnect_reason_ = 0;
  short watched_ = 0;
  runtime::transport_events* listener_ = nullptr;
  // What waits until a blocking call is over.
  struct change {
    step what;
    std::vector<std::string> filters;
  };
  std::deque<change> changes_;
  std::deque<runtime::publication> queued_;
  bool is_closing_ = false;
  bool is_closed_ = false;         // all that was sent is acknowledged, DISCONNECT too has been said
  std::uint64_t connections_ = 0;  // tells the outcomes of the present one from those of the ones before
};

}  // namespace paho
