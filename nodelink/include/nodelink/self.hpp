/// @file self.hpp
/// What a process can do: Erlang's BIFs, as methods of the first parameter of its body.
/// A handle, cheap to copy, valid while its process lives; the node's thread only.
///
/// Names of nodes, of processes and of channels that are none (names.hpp) throw std::invalid_argument with a sentence:
/// the process ends with it, unless it takes it, as Erlang's with badarg.
#pragma once

#include <functional>

#include <nodelink/receive.hpp>

namespace [[gnu::visibility("default")]] nodelink {

class node;

/// Which of a process's timers.
enum class timer : std::uint64_t {};

/// Which of a process's requests.
enum class request_id : std::uint64_t {};

/// Which message is dropped when a mailbox is full.
enum class overflow { newest, oldest };

/// What a node keeps of what its processes send without a connection. See self::keep_offline().
inline constexpr std::size_t max_kept = 10'000;
/// The same in bytes of payload.
inline constexpr std::size_t max_kept_bytes = std::size_t{4} << 20;

/// The process itself, in its own eyes.
class self {
 public:
  /// Of which process. A spawned body is given its own.
  explicit self(process_state& state) : state_(&state) {}

  /// self(). The creation in it is that of the node's present connection (topics.md, "Names"), so it is another one
  /// after each: what was kept of it from before still finds the process, from this node, but is not equal to it. So
  /// with every pid of this node, in exit_signal and process_down too: what is always the same is its serial.
  nodelink::pid pid() const;

  /// `To ! Message`. Never waits; to a process that is not there, or while the
  /// node has no connection, the message is lost, as in Erlang.
  void send(const nodelink::pid& to, term content) const;
  /// `{Name, Node} ! Message`.
  void send(const registered& to, term content) const;
  /// The same of a NODELINK_MESSAGE.
  template <described M>
  void send(const nodelink::pid& to, const M& message) const {
    send(to, to_term(message));
  }
  /// The same of a NODELINK_MESSAGE.
  template <described M>
  void send(const registered& to, const M& message) const {
    send(to, to_term(message));
  }

  /// erlang:send_after(Time, self(), Message): a message to this process itself, after that time of the node's clock.
  /// @returns what cancel_timer() takes
  timer send_after(duration time, term content) const;
  /// The same again and again, the first after one `interval`. What is not read waits, so it is not for a process that
  /// may be busy for long. (timer:send_interval)
  timer send_interval(duration interval, term content) const;
  /// The same of a NODELINK_MESSAGE.
  template <described M>
  timer send_after(duration time, const M& message) const {
    return send_after(time, to_term(message));
  }
  /// The same of a NODELINK_MESSAGE.
  template <described M>
  timer send_interval(duration interval, const M& message) const {
    return send_interval(interval, to_term(message));
  }
  /// What it has sent already stays sent.
  void cancel_timer(timer which) const;

  /// gen_server:send_request: asks, and does not wait.
  request_id send_request(const nodelink::pid& to, term request) const {
    const auto id = begin_request(to.node);
    send(to, call_request::write(pid(), static_cast<std::uint64_t>(id), std::move(request)));
    return id;
  }
  /// The same of who has that name.
  request_id send_request(const registered& to, term request) const {
    const auto id = begin_request(to.node);
    send(to, call_request::write(pid(), static_cast<std::uint64_t>(id), std::move(request)));
    return id;
  }
  /// The same of a NODELINK_MESSAGE.
  template <described M>
  request_id send_request(const nodelink::pid& to, const M& request) const {
    return send_request(to, to_term(request));
  }
  /// The same of a NODELINK_MESSAGE.
  template <described M>
  request_id send_request(const registered& to, const M& request) const {
    return send_request(to, to_term(request));
  }
  /// gen_server:receive_response: `co_await me.receive_response(id, 5s)` waits for the reply, and is an
  /// std::optional<term>, empty if none came in time: because nobody is there, because nobody answers, or because there
  /// is no connection. Whoever wants to know which monitors the other side. What comes later is dropped. (Two calls,
  /// where gen_server:call is one: GCC 12 destroys a struct of yours twice that is a temporary in a co_await
  /// expression and owns something.)
  reply_receive receive_response(request_id id, duration at_most = std::chrono::seconds(5)) const {
    return {*state_, static_cast<std::uint64_t>(id), at_most};
  }
  /// Asks which process has that name, there: the reply is its pid (`from_term<pid>(*reply)`), or null if nobody
  /// has it. No reply is no answer of that node. In
  /// Erlang: erpc:call(Node, erlang, whereis, [Name]).
  request_id ask_whereis(const registered& name) const;
  /// gen_server:reply, to a call_request that was received.
  void reply(const call_request& to, term answer) const;
  /// The same of a NODELINK_MESSAGE.
  template <described M>
  void reply(const call_request& to, const M& answer) const {
    reply(to, to_term(answer));
  }

  /// What this process sends to another node while its own has no connection is kept from now on, for so long at most
  /// (`infinity` for ever); 0 for no longer. It is sent when there is a connection again, and that node is up, in its
  /// order and before anything later. A node keeps max_kept messages of max_kept_bytes in all: then the oldest goes.
  /// What goes unsent is counted and told (drop::unsent). The sender in such a message is this process as it is when it
  /// is sent. Address it by a name: that node may have had to connect anew too, and then its old pids are nobody's.
  /// What was sent before the loss of the connection was noticed (up to 1.75 keepalives after a cable is cut) is not
  /// kept, and may be lost.
  void keep_offline(duration at_most) const;

  /// How many messages may lie in the mailbox, and what is dropped, counted and told (drop::overrun) when there would
  /// be more. What nodelink itself tells (signals, replies to ping, node events, this process's own timers) is not
  /// counted among them. Besides, there are the node's own bounds for what comes from others (max_waiting).
  /// @param messages 1 or more; 0 for no bound @param drop which one goes
  void bound_mailbox(std::size_t messages, overflow drop = overflow::newest) const;

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
  nodelink::pid spawn_link(F body, A... arguments) const {
    return spawn_link_function(
        [body = std::move(body), ... a = std::move(arguments)](self me) { return body(me, a...); });
  }

  /// link(Pid): when one of the two ends, the other gets an exit signal. Twice is once.
  void link(const nodelink::pid& other) const;
  /// unlink(Pid): whichever of the two ends, the other hears nothing of it. What is in the mailbox already stays.
  void unlink(const nodelink::pid& other) const;

  /// erlang:monitor(process, Pid): when that process ends, a process_down comes, once; that process hears nothing of
  /// it, whatever becomes of this one. If it has ended already the reason is `noproc`; if its node, or the own
  /// connection, is lost it is `noconnection`, as with a link. Twice is two monitors.
  /// One node accepts 1,000 links and monitors of another; one more ends with `system_limit`.
  reference monitor(const nodelink::pid& other) const;
  /// The same of a process that has this name now, `{Name, Node}`. If that node is not there, and the broker has
  /// nothing that says so, it takes one and a quarter net_ticktime to know.
  reference monitor(const registered& other) const;
  /// erlang:demonitor(Reference, [flush]): from now on no process_down of this one is in the mailbox or comes.
  void demonitor(reference which) const;

  /// That process has said, or is about to say, that it links to this one; its LINK is on its way. Until it is
  /// here this process is as good as linked: when it ends the exit signal goes to that name, and when the
  /// connection or that node goes down it gets `noconnection`, as if from this node's net_kernel.
  void expect_link(const registered& other) const;

  /// Says this to all who listen to that channel of this node: one PUBLISH. Lost without a connection.
  /// @param channel is_name
  void say(const std::string& channel, term content) const;
  /// The state of this node that has this name is so from now on (MQTT: a retained PUBLISH). Who listens to it,
  /// state_of(), hears the latest first, and then each change; whether this node still lives its status tells, and not
  /// this. It is said again at each new connection; so it may be set without one. With MQTT 5 the broker forgets it
  /// a day after it was last said.
  /// @param name is_name @param content an array, or null: there is no such state
  void set_state(const std::string& name, term content) const;
  /// From now on what is said in that channel is put into the mailbox, with the channel's name; also over new
  /// connections of this node, but not what was said between them. What is sent after this call leaves when the broker
  /// has heard it.
  void listen(const channel& to) const;
  /// No longer; what is in the mailbox already stays.
  void unlisten(const channel& to) const;

  /// net_adm:ping(Node), but does not wait: if that node is there its pong comes as a message. It is looked for at the
  /// broker, the own node too.
  void ping(const std::string& node) const;

  /// erlang:monitor_node(Node, Flag), with net_kernel's `nodeup` besides: with `true` each change of that node comes as
  /// a node_event, from what the broker retains of it on. The loss of the own connection is a `nodedown`, as in Erlang.
  /// Of the own node it is whether that has its connection.
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
  void exit(const nodelink::pid& other, const term& reason) const;

  /// erlang:monotonic_time(): the node's clock, which is what `after` counts in.
  instant now() const;

  /// The node that the process runs on: spawn, register, whereis, counters.
  nodelink::node& node() const;

 private:
  request_id begin_request(const std::string& node) const;
  nodelink::pid spawn_link_function(std::function<process(self)> body) const;

  process_state* state_;
};

}  // namespace nodelink
