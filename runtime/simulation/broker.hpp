/// @file broker.hpp
/// An MQTT broker in memory, as far as nodes can tell it from Mosquitto: retained messages, wills,
/// takeover, order per topic and not beyond, keepalive, stop, crash and restart.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/transport.hpp"

namespace simulation {

class world;
class host;
using runtime::duration;
using runtime::instant;
using runtime::publication;

/// MQTT 3.1.1 section 4.7: does the filter, with its `+` and `#`, match the topic?
bool matches(std::string_view filter, std::string_view topic);

/// One connection, from CONNECT to its end. Both ends hold it; each end has its own view.
struct session {
  std::string client_id;
  publication will;
  std::set<std::string> filters;
  runtime::transport_events* events = nullptr;               // of the client
  host* client = nullptr;                                    // none for a test's own connection
  bool client_open = true;                                   // the client's end of the socket
  bool broker_open = true;                                   // the broker's end
  bool cut = false;                                          // packets vanish until healed
  std::vector<std::function<void()>> delayed;                // what TCP will repeat
  std::map<std::string, instant, std::less<>> last_arrival;  // per topic and direction
};
using session_ptr = std::shared_ptr<session>;

class broker {
 public:
  explicit broker(world& w) : world_(w) {}
  ~broker();

  // --- what a test controls
  /// How long a packet travels: between `latency` and `latency + jitter`, in order within its topic.
  duration latency = std::chrono::microseconds(50);
  duration jitter{};
  /// Mosquitto gives a silent connection up 1.5 x keepalive after its last packet, plus up to 5 s.
  duration keepalive = std::chrono::seconds(60);
  /// SIGTERM: every connection closes, with its will.
  void stop();
  /// SIGKILL: every connection closes, no will is published.
  void crash();
  /// Starts again; `keep_retained` is false without persistence.
  void restart(bool keep_retained = true);
  bool is_running() const { return running_; }
  /// A publish by nobody: what `mosquitto_pub` does.
  void publish(const publication& p) { route(p); }
  /// Every message that passed, for tests.
  std::function<void(const publication&)> on_publish;
  std::string retained(const std::string& topic) const;
  bool is_connected(const std::string& client_id) const { return sessions_.contains(client_id); }
  std::size_t publications() const { return publications_; }

  // --- what transports call
  session_ptr open(const std::string& client_id, const publication& will, runtime::transport_events& events,
                   host* client);
  void subscribe(const session_ptr& s, const std::vector<std::string>& filters);
  void publish(const session_ptr& s, publication p);
  void disconnect(const session_ptr& s);
  /// The client's end is closed; the broker publishes the will when it notices.
  void client_gone(const session_ptr& s);
  void cut(const session_ptr& s);
  void heal(const session_ptr& s);

 private:
  void at_broker(const session_ptr& s, std::string_view topic, std::function<void()> what);
  void at_client(const session_ptr& s, std::string_view topic, std::function<void()> what);
  void accept(const session_ptr& s);
  void close(const session_ptr& closing, bool with_will);
  void route(const publication& p);
  void deliver(const session_ptr& s, const publication& p, bool retained);
  instant arrival(const session_ptr& s, std::string_view topic, char direction);

  world& world_;
  bool running_ = true;
  std::map<std::string, session_ptr> sessions_;
  std::map<std::string, publication> retained_;
  std::size_t publications_ = 0;
  std::vector<std::weak_ptr<session>> were_cut_;  // what they still hold back holds them
};

/// The transport of a simulated host.
class simulated_transport final : public runtime::transport {
 public:
  simulated_transport(broker& b, host* client) : broker_(b), client_(client) {}
  ~simulated_transport() override { abort(); }

  void connect(const std::string& client_id, const publication& will, runtime::transport_events& events) override;
  void subscribe(const std::vector<std::string>& filters) override;
  void publish(publication p) override;
  void close() override;
  void abort() override;

  void cut();
  void heal();

 private:
  broker& broker_;
  host* client_;
  bool is_cut_ = false;
  session_ptr session_;
};

}  // namespace simulation
