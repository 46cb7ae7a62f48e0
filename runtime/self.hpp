/// @file self.hpp
/// What a process can do: Erlang's BIFs, as methods of the first parameter of its body.
/// A handle, cheap to copy, valid while its process lives; the node's thread only.
#pragma once

#include <functional>

#include "runtime/receive.hpp"

namespace runtime {

class node;

/// The process itself, in its own eyes.
class self {
 public:
  explicit self(process_state& state) : state_(&state) {}

  /// self(). The creation in it is that of the node's present connection (design, "Names").
  runtime::pid pid() const;

  /// `To ! Message`. Never fails and never waits; to a process that is not there, or while the
  /// node has no connection, the message is lost, as in Erlang.
  void send(const runtime::pid& to, term content) const;
  /// `{Name, Node} ! Message`.
  void send(const registered& to, term content) const;

  /// Selective `receive`: `co_await me.receive(clauses..., after(5s, [] {...}))`. Each message of the mailbox is
  /// shown to each clause, both in order; the first that matches is taken out, its clause runs, and what no clause
  /// matches stays. A clause is a lambda of one parameter of a receivable type; it may itself be a `process` that
  /// waits.
  template <class... C>
  auto receive(C... clauses) const {
    // GCC 12 destroys a closure twice that is a temporary in a co_await expression and owns something.
    static_assert((std::is_trivially_destructible_v<C> && ...), "the clauses of a receive capture by reference");
    if constexpr ((detail::waits<C> || ...))
      return detail::waiting_receive(receive_clauses<C...>(*state_, std::move(clauses)...));
    else
      return simple_receive<C...>(*state_, std::move(clauses)...);
  }

  /// spawn_link(Fun): a process of this node, linked to this one from its first turn on.
  template <class F, class... A>
  runtime::pid spawn_link(F body, A... arguments) const {
    return spawn_link_function(
        [body = std::move(body), ... a = std::move(arguments)](self me) { return body(me, a...); });
  }

  /// link(Pid): when one of the two ends, the other gets an exit signal. Twice is once.
  void link(const runtime::pid& other) const;
  void unlink(const runtime::pid& other) const;

  /// That process has said, or is about to say, that it links to this one; its LINK is on its way. Until it is
  /// here this process is as good as linked: when it ends the exit signal goes to that name, and when the
  /// connection or that node goes down it gets `noconnection`, as if from this node's net_kernel.
  void expect_link(const registered& other) const;

  /// Says this to all who listen to the room of this node: one PUBLISH. Lost without a connection.
  void say(const std::string& room, term content) const;
  /// From now on what is said in that room is put into the mailbox, with the room's name; also over new connections of
  /// this node, but not what was said between them. What is sent after this call leaves when the broker has heard it.
  void listen(const room& to) const;
  void unlisten(const room& to) const;

  /// net_adm:ping(Node), but does not wait: if that node is there its pong comes as a message. It is looked for at the
  /// broker, the own node too.
  void ping(const std::string& node) const;

  /// erlang:monitor_node(Node, Flag), with net_kernel's `nodeup` besides: with `true` each change of that node comes as
  /// a node_event, from what the broker retains of it on. The loss of the own connection is a `nodedown`, as in Erlang.
  void monitor_node(const std::string& node, bool flag) const;

  /// process_flag(trap_exit, Flag): exit signals become exit_signal messages.
  void trap_exit(bool flag) const;

  /// Drops and counts messages of every node but this one and `node`. A process that waits for the replies
  /// of one server need not tell them from anybody else's: an inbox can be addressed by all.
  void hear_only(std::string node) const;

  /// exit(Reason): ends the process; does not return.
  [[noreturn]] void exit(term reason) const;
  /// exit(Pid, Reason) for a process of this node, where `kill` cannot be trapped, or for a linked one of another
  /// node, for which the link is over then.
  void exit(const runtime::pid& other, const term& reason) const;

  /// erlang:monotonic_time(): the node's clock, which is what `after` counts in.
  instant now() const;

  /// The node that the process runs on: spawn, register, whereis, counters.
  runtime::node& node() const;

 private:
  runtime::pid spawn_link_function(std::function<process(self)> body) const;

  process_state* state_;
};

}  // namespace runtime
