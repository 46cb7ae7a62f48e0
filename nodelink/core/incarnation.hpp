/// @file incarnation.hpp
/// The life of a node's connection: which creation it has, when it is up, when to try again, when to stop for good.
/// In Erlang: net_kernel's part in being alive. Pure; the node's thread only.
///
///     start -> connecting -> subscribing -> up -> closing -> stopped
///                  ^               |         |
///                  +--- waiting <--+---------+   (connection lost or refused: backoff, new creation)
///
/// The broker keeps the node's status retained. A node hears its own status too: what comes before the
/// echo of its own nodeup was said before it, since both share one topic.
#pragma once

#include <functional>
#include <set>
#include <string>

#include <nodelink/backoff.hpp>
#include <nodelink/node.hpp>
#include "core/signals.hpp"
#include "core/topics.hpp"

namespace nodelink {

class incarnation final : public transport_events {
 public:
  /// What the node does about it. All called on the node's thread.
  struct handlers {
    std::function<void()> up;
    /// Was up, is not: rule 7.
    std::function<void()> down;
    /// Not connected; tries again after `wait`.
    std::function<void(const connection_loss& loss, duration wait)> lost;
    /// Rule 9: another program goes by this name, with that creation.
    std::function<void(std::uint64_t creation)> replaced;
    /// The own nodeup has not come back within `longest_echo`.
    std::function<void()> unheard;
    std::function<void()> stopped;
    std::function<void(std::string_view topic, std::string_view payload, bool retained)> received;
  };

  static constexpr duration first_wait = std::chrono::milliseconds(100);
  static constexpr duration longest_wait = std::chrono::seconds(30);
  /// Two programs of one name take the connection from each other sooner than this.
  static constexpr duration uncontested_after = std::chrono::seconds(3);
  /// A connection that is not up after this long is given up.
  static constexpr duration connect_timeout = std::chrono::seconds(10);
  /// A broker that lets a node write and read its own topics has sent its nodeup back after this long, or has much to
  /// do.
  static constexpr duration longest_echo = std::chrono::seconds(10);
  /// A clean stop that is not through after this long ends with a loss.
  static constexpr duration close_timeout = std::chrono::seconds(2);
  /// Retained leftovers of a node that is gone expire after this long (MQTT 5; rule 10).
  static constexpr std::uint32_t nodedown_expiry_seconds = 86'400;

  /// @param patience node_settings::patience
  incarnation(std::string name, int patience, const topics& where, environment env, transport& via,
              std::vector<subscription> subscriptions, handlers on);

  void start();
  /// Rule 10: nodedown with reason `normal`, then DISCONNECT. The processes have ended before.
  void stop();

  bool is_up() const { return state_ == state::up; }
  bool is_stopped() const { return state_ == state::stopped; }
  std::uint64_t creation() const { return creation_; }
  /// The first creation of this program: a pid of this node from then on is one of its processes.
  std::uint64_t first_creation() const { return first_creation_; }

  /// A status of this very node was received; nothing if it was cleared by somebody.
  void own_status(std::optional<node_status> status);

  void run();
  std::optional<instant> next_deadline() const { return deadline_; }

  void connected() override;
  void subscribed() override;
  void received(std::string_view topic, std::string_view payload, bool retained) override;
  void disconnected(const connection_loss& loss) override;
  void closed() override;

 private:
  // After this time whoever wanted the name too has either taken it or gone: nobody waits longer to connect.
  static constexpr duration contest_time = longest_wait + connect_timeout;
  // How long the echo of the own nodeup may take; later an older status is answered even without it.
  static constexpr duration echo_time = std::chrono::seconds(1);
  // A creation is no further than this above the clock, or the one before.
  static constexpr std::uint64_t longest_step = 1'000;
  static constexpr std::size_t max_remembered = 1'000;

  enum class state { idle, connecting, subscribing, up, waiting, closing, stopped };

  void begin();
  void announce(const node_status& status);
  void reincarnate(const node_status& status);
  bool is_rival(const node_status& status, bool is_established) const;
  void replaced_by(const node_status& status);
  void found_rival(const node_status& status);
  void give_way(std::uint64_t to);
  void wait_to_connect(const connection_loss& loss);

  std::string name_;
  int patience_;
  const topics& topics_;
  environment env_;
  transport& transport_;
  std::vector<subscription> subscriptions_;
  handlers on_;

  state state_ = state::idle;
  std::uint64_t creation_ = 0;
  std::uint64_t above_ = 0;  // the next creation has to be higher than this
  std::uint64_t first_creation_ = 0;
  std::uint64_t established_ = 0;   // latest creation whose own nodeup came back
  std::set<std::uint64_t> ours_;    // creations that this program had or tried
  std::vector<publication> early_;  // received while subscribing
  instant contested_until_;         // there may be another program of this name
  std::uint64_t rival_ = 0;         // its latest creation
  int found_up_ = 0;                // how often its status was found, see found_rival()
  int found_down_ = 0;
  std::uint64_t gives_way_to_ = 0;  // while closing, to that creation
  instant up_since_;
  std::optional<instant> deadline_;
  backoff backoff_{first_wait, longest_wait};
};

}  // namespace nodelink
