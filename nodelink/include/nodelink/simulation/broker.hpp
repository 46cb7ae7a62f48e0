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

#include <nodelink/transport.hpp>

namespace [[gnu::visibility("default")]] nodelink {
namespace simulation {

class world;
class host;
using nodelink::duration;
using nodelink::instant;
using nodelink::publication;
using nodelink::subscription;

/// MQTT 3.1.1 section 4.7: does the filter, with its `+` and `#`, match the topic?
bool matches(std::string_view filter, std::string_view topic);

/// @cond
/// One connection, from CONNECT to its end. Both ends hold it; each end has its own view.
struct session {
  std::string client_id;
  publication will;
  std::set<std::string> filters;
  nodelink::transport_events* events = nullptr;              // of the client
  host* client = nullptr;                                    // none for a test's own connection
  bool client_open = true;                                   // the client's end of the socket
  bool broker_open = true;                                   // the broker's end
  bool accepted = false;                                     // the broker has seen the CONNECT
  bool cut = false;                                          // packets vanish until healed
  std::uint64_t silences = 0;                                // how often it fell silent, or stopped being silent
  std::size_t unacknowledged = 0;                            // sent to the client, or queued for it
  std::vector<std::function<void()>> delayed;                // what TCP will repeat
  std::map<std::string, instant, std::less<>> last_arrival;  // per topic and direction
  instant subscribed{};                                      // what is sent later arrives later
};
using session_ptr = std::shared_ptr<session>;
/// @endcond

/// What a broker finds of its retained messages when it starts again.
enum class persistence {
  kept,         ///< all of them: it was stopped, or had just saved them
  rolled_back,  ///< those of the last save(): Mosquitto saves every 30 minutes unless told otherwise
  none,
};

/// The one broker of a world. What a test does to it happens at once, and shows as time passes.
class broker {
 public:
  /// @cond
  explicit broker(world& w) : world_(w) {}
  ~broker();
  /// @endcond

  // --- what a test controls
  /// How long a packet travels: between `latency` and `latency + jitter`, in order within its topic.
  duration latency = std::chrono::microseconds(50);
  duration jitter{};  ///< see latency
  /// Mosquitto gives a silent connection up 1.5 x keepalive after its last packet, plus up to 5 s.
  duration keepalive = std::chrono::seconds(60);
  /// How much is kept for a client that does not acknowledge: the rest is dropped without a word, wills too.
  /// Mosquitto: max_inflight_messages 20 and max_queued_messages 1000.
  std::size_t max_queued = 1'020;
  /// Subscriptions are those of MQTT 5: with retain as published and retain handling.
  bool mqtt_5 = true;
  /// SIGTERM: every connection closes, with its will.
  void stop();
  /// SIGKILL: every connection closes, no will is published.
  void crash();
  /// Saves the retained messages for a later restart(persistence::rolled_back).
  void save() { saved_ = retained_; }
  /// Starts it again, with what it finds of its retained messages.
  void restart(persistence p = persistence::kept);
  /// Neither stopped nor crashed.
  bool is_running() const { return running_; }
  /// SIGSTOP and SIGCONT: nothing is read; then all of it at once.
  void freeze() { frozen_ = true; }
  /// See freeze().
  void thaw();
  /// A publish by nobody: what `mosquitto_pub` does.
  void publish(const publication& p) { route(p); }
  /// Every message that passed, for tests.
  std::function<void(const publication&)> on_publish;
  /// True for a message that is to arrive twice: what a publisher or a broker that repeats itself makes of QoS 1.
  std::function<bool(const publication&)> repeats;
  /// True for a message that one of its receivers is not to get: Mosquitto drops what a client does not take in time.
  std::function<bool(const publication&)> loses;
  /// Something for this client was dropped, because of max_queued.
  std::function<void(const std::string& client_id, const publication&)> on_overflow;
  /// What is retained at that topic; empty for nothing.
  std::string retained(const std::string& topic) const;
  /// Whether somebody is connected as that client.
  bool is_connected(const std::string& client_id) const { return sessions_.contains(client_id); }
  /// How many messages have passed.
  std::size_t publications() const { return publications_; }

  /// @cond
  // --- what transports call
  session_ptr open(const std::string& client_id, const publication& will, nodelink::transport_events& events,
                   host* client, bool is_cut = false);
  void subscribe(const session_ptr& s, const std::vector<subscription>& to);
  void unsubscribe(const session_ptr& s, const std::vector<std::string>& filters);
  void publish(const session_ptr& s, publication p);
  void disconnect(const session_ptr& s);
  /// The client's end is closed; the broker publishes the will when it notices.
  void client_gone(const session_ptr& s);
  /// The broker closes the connection without the will: after a DISCONNECT that was not announced, or after a second
  /// CONNECT on one connection, as Mosquitto 2.0.11 has it.
  void client_gone_without_will(const session_ptr& s);
  /// Nothing will come from the client until the silence ends: the broker's keepalive runs.
  void silence_begins(const session_ptr& s);
  static void silence_ends(const session_ptr& s) { ++s->silences; }
  void cut(const session_ptr& s);
  void heal(const session_ptr& s);
  /// @endcond

 private:
  void at_broker(const session_ptr& s, std::string_view topic, std::function<void()> what);
  void at_client(const session_ptr& s, std::string_view topic, std::function<void()> what);
  void read(const session_ptr& s, std::function<void()> what);
  void accept(const session_ptr& s);
  void close(const session_ptr& closing, bool with_will);
  void route(const publication& p);
  void deliver(const session_ptr& s, const publication& p, bool retained);
  instant arrival(const session_ptr& s, std::string_view topic, char direction);

  world& world_;
  bool running_ = true;
  bool frozen_ = false;
  std::vector<std::pair<session_ptr, std::function<void()>>> unread_;  // what came while frozen
  std::map<std::string, session_ptr> sessions_;
  std::map<std::string, publication> retained_;
  std::map<std::string, publication> saved_;
  std::size_t publications_ = 0;
  std::vector<std::weak_ptr<session>> were_cut_;  // what they still hold back holds them
};

/// @cond
/// The transport of a simulated host.
class simulated_transport final : public nodelink::transport {
 public:
  simulated_transport(broker& b, host* client) : broker_(b), client_(client) {}
  ~simulated_transport() override { abort(); }

  void connect(const std::string& client_id, const publication& will, nodelink::transport_events& events) override;
  void subscribe(const std::vector<subscription>& to) override;
  void unsubscribe(const std::vector<std::string>& filters) override;
  void publish(publication p) override;
  bool is_congested() const override { return is_congested_; }
  void close() override;
  void abort() override;
  void withdraw() override;

  // What a host does to its connection.
  void congest(bool is_congested) { is_congested_ = is_congested; }
  void cut();
  void heal();
  void freeze();
  void thaw();

 private:
  broker& broker_;
  host* client_;
  bool is_cut_ = false;
  bool is_congested_ = false;
  session_ptr session_;
};
/// @endcond

}  // namespace simulation
}  // namespace nodelink
