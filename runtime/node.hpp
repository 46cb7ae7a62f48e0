/// @file node.hpp
/// A node: its processes, its connection, and the signals between its processes and those of others.
/// In Erlang: the node. One thread calls everything here; run() gives the processes their turns.
#pragma once

#include <array>

#include "runtime/incarnation.hpp"
#include "runtime/node_table.hpp"
#include "runtime/scheduler.hpp"

namespace runtime {

/// Why something that was received, or was to be sent, went nowhere.
enum class drop {
  malformed,   ///< not a term, not a topic of the wire, or a signal of no known form
  forged,      ///< a pid in it is not of the node that sent it (rule 1)
  retained,    ///< retained, under `to/` (rule 2)
  no_process,  ///< to a process that is not there (any more)
  unheard,     ///< to a process that hears others only
  unexpected,  ///< a process had no use for it
  refused,     ///< a process said no to it, and was heard
  unsent,      ///< sent to another node without a connection, or too long, or no array
  overrun,     ///< more than one node may have waiting here, or all together (max_waiting)
};
inline constexpr std::size_t drop_kinds = 9;
const char* to_string(drop why);

/// Who wants to know what the node does: logs, counters, programs. All called on the node's thread, inside
/// run() or an event of the transport; none may call back into the node but for stop().
class node_observer {
 public:
  virtual ~node_observer() = default;
  virtual void node_up(std::uint64_t /*creation*/) {}
  virtual void connection_lost(const connection_loss& /*loss*/, duration /*next_try*/) {}
  virtual void replaced(std::uint64_t /*creation*/) {}
  /// What this node says of itself has not come back for incarnation::longest_echo: the broker may not let it write or
  /// read its own topics. Said once a connection.
  virtual void unheard() {}
  virtual void stopped() {}
  /// @param count how many of this kind there were, this one included.
  virtual void dropped(drop /*why*/, std::string_view /*from*/, std::string_view /*what*/, std::uint64_t /*count*/) {}
  virtual void process_ended(const pid& /*process*/, const term& /*reason*/) {}
};

/// What makes a node the one it is.
struct node_settings {
  std::string name;                                  ///< is_node_name
  std::string cookie;                                ///< is_name
  duration net_ticktime = std::chrono::seconds(60);  ///< rule 8
  /// net_kernel:monitor_nodes(true): hears every node's status, not only of those it is linked to. For a
  /// node that is linked to most others, like a server: one subscription instead of one a peer.
  bool monitor_nodes = false;
  /// QoS of messages and signals, 0 or 1; status and subscriptions have 1. With 0 a broker that has too much to do
  /// drops some, and nobody is told but by rule 8.
  int message_qos = 1;
  /// How often it finds that another program has its name before it gives way (rule 9). More where this one is to
  /// replace the other, until a connection of its own has stood.
  int patience = incarnation::usual_patience;
};

class node {
 public:
  /// @param via outlives the node. @param observer likewise.
  node(node_settings settings, environment env, transport& via, node_observer& observer);
  ~node();
  node(const node&) = delete;

  /// Connects, and stays connected until stop().
  void start();
  /// Rule 10: ends every process, each with its EXIT signals, then nodedown `normal`, then DISCONNECT. Then
  /// node_observer::stopped(), within incarnation::close_timeout.
  void stop();

  /// Starts a process: `body` is called as `body(self, arguments...)`. Returns its pid.
  template <class F, class... A>
  pid spawn(F body, A... arguments) {
    return spawn_function([body = std::move(body), ... a = std::move(arguments)](self me) { return body(me, a...); });
  }
  /// register(Name, Pid) for a process of this node. False if the name is not one (is_name), looks like
  /// `<creation>-<serial>`, is taken, or the process is not there or has a name.
  bool register_name(const std::string& name, const pid& process);
  std::optional<pid> whereis(const std::string& name);

  /// Sends as the node itself, to a process of this node: what a terminal or a test has to say.
  void send_local(const std::string& registered_name, term content);

  /// Ends a process of this node from outside, whether it traps exits or not: its links see `reason`.
  void stop_process(const std::string& registered_name, const term& reason);

  /// Gives every process that can run its turns, and does what is due. Call it after every event and at
  /// next_deadline().
  void run();
  std::optional<instant> next_deadline() const;

  const std::string& name() const { return settings_.name; }
  bool is_up() const { return incarnation_.is_up(); }
  bool is_stopped() const { return incarnation_.is_stopped(); }
  std::uint64_t creation() const { return incarnation_.creation(); }
  pid pid_of(serial_number serial) const { return {settings_.name, incarnation_.creation(), serial}; }
  std::uint64_t count(drop why) const { return dropped_[static_cast<std::size_t>(why)]; }
  scheduler& processes() { return scheduler_; }
  const node_table& others() const { return table_; }
  const environment& env() const { return env_; }

  /// net_kernel:monitor_nodes(true): from now on others() knows of every node.
  void monitor_nodes();

  /// Counts something that went nowhere, and tells the observer.
  void note(drop why, std::string_view from, std::string_view what);

  // What self's methods do; see there.
  pid spawn_function(std::function<process(self)> body);
  void send(const pid& to, term content);
  void send(const registered& to, term content);
  void link(process_state& from, const pid& to);
  void unlink(process_state& from, const pid& to);
  void expect_link(process_state& from, const registered& to);
  void exit(process_state& from, const pid& to, const term& reason);
  void say(const std::string& room, const term& content);
  void listen(process_state& state, const room& to);
  void unlisten(process_state& state, const room& to);
  void ping(process_state& from, const std::string& node);
  void monitor_node(process_state& by, const std::string& node, bool flag);

 private:
  // How many turns the processes of a node get before it looks at the outside again, and how long they may take.
  static constexpr std::size_t turns_at_once = 10'000;
  static constexpr duration turns_time = std::chrono::milliseconds(5);

  process_state* local(const pid& p);
  void publish(const std::string& topic, const term& content, bool is_urgent = false);
  void process_ended(process_state& state, const term& reason);
  void links_ended(const std::vector<remote_link>& links, const term& reason, cause why);

  void received(std::string_view topic, std::string_view payload, bool retained);
  void received_status(std::string_view node, std::string_view payload);
  void received_inbox(const inbox_topic& to, std::string_view payload);
  void received_in_room(const room_topic& in, std::string_view payload);
  void received_signal(const any_signal& s, const inbox_topic& to);
  void pinged_by(const pid& from, process_state* to, const inbox_topic& topic);
  void linked_by(const pid& from, process_state* to, const inbox_topic& topic);
  void connection_is_up();
  void connection_went_down();
  void watch(const std::string& node);
  void expected_link_came(process_state& state);
  void expected_links_lost(const std::function<bool(const process_state& of, instant until)>& is_lost, cause why);
  void node_went_down(const node_status& status);
  void stop_monitoring(serial_number by, const std::string& node);
  void tell_monitors(const std::string& node, bool is_up, cause why);
  void newer_incarnation(const std::string& node, std::uint64_t creation);
  void echo();
  void echoed(std::uint64_t number);
  process_state* addressee(const inbox_topic& to);
  void tick();

  node_settings settings_;
  environment env_;
  topics topics_;
  transport& transport_;
  node_observer& observer_;
  node_table table_;
  scheduler scheduler_;
  incarnation incarnation_;
  std::map<serial_number, instant> expecting_;  // processes with an expected_link, and until when
  std::set<std::string> watched_;               // nodes whose status is subscribed to one by one
  bool began_to_monitor_ = false;               // after the start: not among the incarnation's subscriptions
  std::map<room, std::set<serial_number>> listeners_;
  std::map<std::string, std::set<serial_number>> monitors_;  // of a node
  std::map<std::string, cause> ended_by_;                    // of the nodes in it that are down
  std::uint64_t last_echo_ = 0;
  std::map<std::uint64_t, instant> echoes_;  // that have not come back, and when they were sent
  std::array<std::uint64_t, drop_kinds> dropped_{};
};

}  // namespace runtime
