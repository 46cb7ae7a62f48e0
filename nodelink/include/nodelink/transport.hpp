/// @file transport.hpp
/// The seams between a node and the world: an MQTT connection, a clock, randomness.
/// nodelink/simulation has the ones for tests, nodelink/paho the real transport.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace [[gnu::visibility("default")]] nodelink {

/// A time span.
using duration = std::chrono::nanoseconds;

/// A point on the node's monotonic clock. Only the type is the standard library's; who runs the node reads the clock.
using instant = std::chrono::steady_clock::time_point;

/// Time and chance, passed in.
struct environment {
  std::function<instant()> now;                 ///< monotonic; what `after` and the tick count in
  std::function<std::uint64_t()> unix_time_ms;  ///< wall clock, milliseconds; only creations are made from it
  std::function<std::uint64_t()> random;        ///< 64 random bits; jitter is made from them
};

/// One PUBLISH.
struct publication {
  std::string topic;                 ///< where to
  std::string payload;               ///< what, at most max_payload bytes of a node's
  bool retain = false;               ///< the broker keeps it for who subscribes later
  std::uint32_t expiry_seconds = 0;  ///< MQTT 5 message expiry; 0 never expires
  int qos = 1;                       ///< 0 or 1
  bool is_urgent = false;            ///< may leave before what waits to be sent
};

/// One filter of a SUBSCRIBE.
struct subscription {
  std::string filter;  ///< with MQTT's `+` and `#`
  /// Whether what is retained there is sent. Otherwise a broker of MQTT 5 keeps it to itself (retain handling 2); one of
  /// 3.1.1 sends it all the same.
  bool wants_retained = true;
};

/// Why a connection ended or was never made.
struct connection_loss {
  /// What has happened.
  enum class kind {
    lost,            ///< it was up, and is not; or the broker answers, and it came to nothing
    unreachable,     ///< no broker there
    not_authorised,  ///< the broker knows us and refuses: credentials, client id or ACL
    refused,         ///< any other refusal by the broker
    outranked,       ///< a higher creation of this node is down: the next is higher still
    untrusted,       ///< who is there, or what this node shows, is not good enough for one of the two
  };
  /// What a person might look at. How that is set is the program's own affair.
  enum class remedy { none, credentials, mqtt_version, node_name, authority, own_certificate, tls_version, tls };
  kind what = kind::lost;         ///< what has happened
  std::string sentence;           ///< for a person: what happened, and to whom
  remedy look_at = remedy::none;  ///< what to do about it
};

/// What a transport tells its node. Called on the node's thread only.
class transport_events {
 public:
  virtual void connected() = 0;   ///< CONNACK, success
  virtual void subscribed() = 0;  ///< SUBACK of every subscribe() so far: each filter was granted
  /// One PUBLISH. `retained` is its retain flag as received.
  virtual void received(std::string_view topic, std::string_view payload, bool retained) = 0;
  /// The connection is gone, or was refused; nothing more comes until the next connect().
  virtual void disconnected(const connection_loss& loss) = 0;
  virtual void closed() = 0;  ///< close() is through

 protected:
  ~transport_events() = default;
};

/// What waits in a transport.
struct transport_load {
  std::size_t queued = 0;        ///< publications that have not left
  std::size_t in_flight = 0;     ///< that have, and are not acknowledged
  std::size_t unread_bytes = 0;  ///< read from the network, and not told to the node yet
};

/// One MQTT connection at a time: subscriptions and will of QoS 1, clean start, session expiry 0, will delay 0.
/// A call returns at once; what comes of it is told to the transport_events. Publications of one
/// topic that are not urgent arrive in the order published; those still queued when the connection ends are lost.
class transport {
 public:
  virtual ~transport() = default;
  /// Begins a connection. Nothing of an earlier one is replayed.
  /// Events go to `events` until the next connect().
  virtual void connect(const std::string& client_id, const publication& will, transport_events& events) = 0;
  /// What is published after it leaves when the broker has granted it.
  virtual void subscribe(const std::vector<subscription>& to) = 0;
  /// What has been on its way may still come.
  virtual void unsubscribe(const std::vector<std::string>& filters) = 0;
  /// Queues it, and returns.
  virtual void publish(publication p) = 0;
  /// So much waits to be sent that what gives rise to more had better wait too. Some event follows when it is over.
  virtual bool is_congested() const { return false; }
  /// What waits, for whoever watches the program.
  virtual transport_load load() const { return {}; }
  /// Sends what is queued, then DISCONNECT: the broker discards the will.
  virtual void close() = 0;
  /// Drops the connection at once, so that the broker publishes the will.
  virtual void abort() = 0;
  /// Drops a connection that has said nothing yet at once, and without its will.
  virtual void withdraw() = 0;
  /// Nothing is under way, not even the end of a connection that was closed, aborted or withdrawn. A program that ends
  /// before leaves it to chance what the broker hears.
  virtual bool is_idle() const { return true; }
};

}  // namespace nodelink
