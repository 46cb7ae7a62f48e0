/// @file node.hpp
/// A node: its processes, its connection, and the signals between its processes and those of others.
/// In Erlang: the node. One thread calls everything here; run() gives the processes their turns.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nodelink/process.hpp>
#include <nodelink/self.hpp>
#include <nodelink/transport.hpp>

namespace [[gnu::visibility("default")]] nodelink {

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
  overrun,  ///< more than the mailbox may have (self::bound_mailbox), or than may wait of one node (1,000 messages or
            ///< 4 MB) or of all together (100,000 or 256 MB)
};
/// How many kinds of drop there are.
inline constexpr std::size_t drop_kinds = 9;
/// A word or two for a log line: "no process".
const char* to_string(drop why);

/// Who wants to know what the node does: logs, counters, programs. All called on the node's thread, inside
/// run() or an event of the transport; none may call back into the node but for stop().
class node_observer {
 public:
  virtual ~node_observer() = default;
  /// The node has its connection, and everybody is told.
  virtual void node_up(std::uint64_t /*creation*/) {}
  /// It has none any more, or could not have one; the next try is after that time.
  virtual void connection_lost(const connection_loss& /*loss*/, duration /*next_try*/) {}
  /// Another program has this node's name, with that creation: this node has stopped for good.
  virtual void replaced(std::uint64_t /*creation*/) {}
  /// What this node says of itself has not come back for 10 s: the broker may not let it write or
  /// read its own topics. Said once a connection.
  virtual void unheard() {}
  /// node::stop() is through, or the node has given way to another.
  virtual void stopped() {}
  /// Something went nowhere: why, of which node it was, what, and how many of this kind there were, this one included.
  virtual void dropped(drop /*why*/, std::string_view /*from*/, std::string_view /*what*/, std::uint64_t /*count*/) {}
  /// A process of this node has ended, for that reason; before its links hear of it.
  virtual void process_ended(const pid& /*process*/, const term& /*reason*/) {}
};

/// What a node has to do just now.
struct node_figures {
  std::size_t nodes = 0;          ///< others that are up, as far as their status was heard
  std::size_t links = 0;          ///< links and monitors with processes of other nodes
  std::size_t waiting = 0;        ///< messages of other nodes in the mailboxes
  std::size_t waiting_bytes = 0;  ///< of payload, of those
  std::size_t kept = 0;           ///< self::keep_offline()
  transport_load transport;       ///< what waits below
};

/// What makes a node the one it is.
struct node_settings {
  /// How often a program finds that another one has its name before it gives way.
  static constexpr int usual_patience = 2;

  std::string name;                                  ///< is_node_name
  std::string cookie;                                ///< is_name
  std::string topic_root = "nodelink/1";             ///< is_topic_root: what every topic of this wire begins with
  duration net_ticktime = std::chrono::seconds(60);  ///< rule 8
  /// net_kernel:monitor_nodes(true): hears every node's status, not only of those it is linked to. For a
  /// node that is linked to most others, like a server: one subscription instead of one a peer.
  bool monitor_nodes = false;
  /// QoS of messages and signals, 0 or 1; status and subscriptions have 1. With 0 a broker that has too much to do
  /// drops some, and nobody is told but by rule 8.
  int message_qos = 1;
  /// How often it finds that another program has its name before it gives way (rule 9). More where this one is to
  /// replace the other, until a connection of its own has stood.
  int patience = usual_patience;
  /// How many messages and signals a second of one other node are looked at, ten seconds' worth at once; 0 for all.
  /// What is beyond is dropped unread, counted and told (drop::overrun): for a node that serves many, of which one
  /// might flood it.
  double max_rate_of_one = 0;
};

class node_core;

/// One MQTT connection, and the processes behind it. nodelink::host makes one with all that it needs.
class node {
 public:
  /// @param settings which node @param env clocks and chance @param via outlives the node. @throws
  /// std::invalid_argument with a sentence if a setting is not valid.
  node(node_settings settings, environment env, transport& via);
  ~node();
  node(const node&) = delete;

  /// From now on it is told what happens; several are told in the order of these calls. It outlives the node, or is
  /// taken away before it goes.
  void observe(node_observer& observer);
  /// No longer. Not from within what an observer is told.
  void unobserve(node_observer& observer);

  /// Connects, and stays connected until stop().
  void start();
  /// Rule 10: ends every process, each with its EXIT signals, then nodedown `normal`, then DISCONNECT. Then
  /// node_observer::stopped(), within 2 s.
  void stop();

  /// Starts a process: `body` is called as `body(self, arguments...)`. Returns its pid.
  template <class F, class... A>
  pid spawn(F body, A... arguments) {
    return spawn_function([body = std::move(body), ... a = std::move(arguments)](self me) { return body(me, a...); });
  }
  /// register(Name, Pid) for a process of this node. False if the name is not one (is_name), looks like
  /// `<creation>-<serial>`, is taken, or the process is not there or has a name.
  bool register_name(const std::string& name, const pid& process);
  /// whereis(Name): the process of this node that is registered so.
  std::optional<pid> whereis(const std::string& name) const;

  /// Sends as the node itself: what a terminal, another thread by host::post(), or a test has to say.
  /// @throws std::invalid_argument with a sentence if a name is none
  void send(const pid& to, term content);
  /// `{Name, Node} ! Message`. @throws std::invalid_argument with a sentence if a name is none
  void send(const registered& to, term content);
  /// The same of a NODELINK_MESSAGE.
  template <described M>
  void send(const pid& to, const M& message) {
    send(to, to_term(message));
  }
  /// The same of a NODELINK_MESSAGE.
  template <described M>
  void send(const registered& to, const M& message) {
    send(to, to_term(message));
  }
  /// To a process of this node.
  void send_local(const std::string& registered_name, term content) {
    send(registered{registered_name, name()}, std::move(content));
  }

  /// Ends a process of this node from outside, whether it traps exits or not: its links see `reason`.
  void stop_process(const std::string& registered_name, const term& reason);

  /// Gives every process that can run its turns, and does what is due. Call it after every event and at
  /// next_deadline().
  void run();
  /// When run() is next to be called though nothing comes; nothing for never.
  std::optional<instant> next_deadline() const;

  /// What it is called: `name@host`.
  const std::string& name() const;
  /// Whether it has its connection.
  bool is_up() const;
  /// Whether stop() is through, or the node has given way to another of its name.
  bool is_stopped() const;
  /// Which incarnation of the node this is; 0 before the first connection.
  std::uint64_t creation() const;
  /// The clocks and the chance that it was given.
  const environment& env() const;

  /// net_kernel:monitor_nodes(true): from now on is_up() and nodes() know of every node.
  void monitor_nodes();
  /// Whether that node is up, as far as its status was heard; nothing if it was not.
  std::optional<bool> is_up(const std::string& node) const;
  /// nodes(): the names of those that are up, and their creations, as far as their status was heard.
  std::map<std::string, std::uint64_t> nodes() const;

  /// What it has to do just now.
  node_figures figures() const;
  /// How many went nowhere so.
  std::uint64_t count(drop why) const;
  /// Counts something that went nowhere, and tells the observers.
  void note(drop why, std::string_view from, std::string_view what);

  /// What is behind it, for the library's own parts.
  node_core& core() { return *core_; }

 private:
  pid spawn_function(std::function<process(self)> body);

  std::unique_ptr<node_core> core_;
};

}  // namespace nodelink
