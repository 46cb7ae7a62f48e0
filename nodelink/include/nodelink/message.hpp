/// @file message.hpp
/// What lies in a mailbox, and the messages that nodelink itself writes.
/// Pure; a message belongs to the node's thread.
#pragma once

#include <concepts>
#include <optional>
#include <string>

#include <nodelink/describe.hpp>
#include <nodelink/names.hpp>
#include <nodelink/term.hpp>

namespace [[gnu::visibility("default")]] nodelink {

/// One message in a mailbox. A `receive` clause that takes a message takes any.
struct message {
  std::string from;       ///< the node that sent it, from the topic (rule 1); the own node's name for a local one
  bool local = false;     ///< sent by a process of the same node
  term content;           ///< what was sent; null if nothing was
  std::string channel{};  ///< said in this channel of `from`; empty for what was sent to the process itself
  bool is_state = false;  ///< and that is a state: state_of()
};

/// A type that says itself which messages it is.
template <class T>
concept matching = requires(const message& m) {
  { T::match(m) } -> std::same_as<std::optional<T>>;
};

/// A type that a `receive` clause can take.
template <class T>
concept receivable = std::same_as<T, message> || matching<T> || described<T>;

/// A node has answered self::ping(). Only nodelink puts one into a mailbox.
struct ping_answer {
  std::string node;  ///< that is there

  /// Reads one; nothing if the message is no such one.
  static std::optional<ping_answer> match(const message& m);
  /// As it lies in a mailbox.
  static term write(const std::string& node) { return term::array({"PONG", node}); }
};

/// Somebody waits for self::reply() to this: `{'$gen_call', From, Request}`. See self::send_request().
struct call_request {
  sender from;                  ///< who asks
  std::uint64_t reference = 0;  ///< which of his questions
  term content;                 ///< what is asked

  /// The request as a NODELINK_MESSAGE; nothing if it is no such one.
  template <described M>
  std::optional<M> as() const {
    return detail::read_term<M>(content, &from.node);
  }

  /// Reads one; nothing if the message is no such one.
  static std::optional<call_request> match(const message& m);
  /// As it lies in a mailbox.
  static term write(const pid& from, std::uint64_t reference, term content);
};

/// The answer to one, on its way. Not for clauses: self::receive_response() takes it.
struct call_reply {
  std::uint64_t reference = 0;  ///< which question it answers
  term content;                 ///< the answer

  /// Reads one; nothing if the message is no such one.
  static std::optional<call_reply> match(const message& m);
  /// As it lies in a mailbox.
  static term write(std::uint64_t reference, term content);
};

/// What stands behind the end of a process or a node, as far as this node knows. Reasons are what Erlang has, and what
/// goes over the wire, where `noconnection` may be any but the first. Never on the wire itself.
enum class cause {
  process,       ///< the process itself ended, or its end had been overlooked
  node_stopped,  ///< its node was stopped in order; or it says that a link is over which this node took to be there
  node_died,     ///< the broker published its node's last will, or a newer incarnation is up
  silence,       ///< its node did not answer (rule 8)
  connection,    ///< this node has lost its own connection (rule 7)
};
/// A few words for a log line: "its node died".
const char* to_string(cause why);

/// `{nodeup, Node}` or `{nodedown, Node}`, after self::monitor_node(). Only nodelink puts one into a mailbox.
struct node_event {
  std::string node;              ///< which
  bool is_up = false;            ///< nodeup or nodedown
  cause why = cause::node_died;  ///< of a nodedown: node_stopped, node_died or connection

  /// Reads one; nothing if the message is no such one.
  static std::optional<node_event> match(const message& m);
  /// As it lies in a mailbox.
  static term write(const std::string& node, bool is_up, cause why);
};

/// Which of a process's monitors: Erlang's reference.
enum class reference : std::uint64_t {};

/// `{'DOWN', Reference, process, Pid, Reason}`, after self::monitor(). Only nodelink puts one into a mailbox.
struct process_down {
  nodelink::reference reference;  ///< what self::monitor() returned
  /// What has ended. If it was monitored by its name, and nobody there had that: creation and serial are 0.
  pid process;
  term reason;                 ///< why, in its own words; `noproc` if it was not there
  cause why = cause::process;  ///< why, as this node knows it

  /// Reads one; nothing if the message is no such one.
  static std::optional<process_down> match(const message& m);
  /// As it lies in a mailbox.
  static term write(nodelink::reference reference, const pid& process, const term& reason, cause why);
};

/// `{'EXIT', From, Reason}`: how an exit signal reaches a process that traps exits.
/// Only nodelink puts one into a mailbox: what comes in capitals from outside is a signal (rule 6).
struct exit_signal {
  pid from;                    ///< what has ended
  term reason;                 ///< why, in its own words
  cause why = cause::process;  ///< why, as this node knows it

  /// Reads one; nothing if the message is no such one.
  static std::optional<exit_signal> match(const message& m);
  /// As it lies in a mailbox.
  static term write(const pid& from, const term& reason, cause why);
};

}  // namespace nodelink
