/// @file scheduler.hpp
/// The processes of one node: mailboxes, turns, timers, and the links among them.
/// In Erlang: the emulator's scheduler. Pure; the node's thread only; knows nothing of other nodes.
#pragma once

#include <coroutine>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include <nodelink/self.hpp>

namespace nodelink {

class node_core;

/// That much later, or never.
inline instant after(instant now, duration wait) { return wait >= instant::max() - now ? instant::max() : now + wait; }

/// Which process of the node. Never used twice while the program runs.
using serial_number = std::uint64_t;

/// Where something stands in the order in which the node has come to know it.
using place_number = std::uint64_t;

/// How much of one other node may wait in the mailboxes of this one, and of all together. What comes beyond it is
/// dropped: who floods a node does not take the others' turns. The first is what Mosquitto queues for a client, unless
/// it is told otherwise; it is no bound for the one node that a process hears, if it hears only one.
inline constexpr std::size_t max_waiting_of_one = 1'000;
inline constexpr std::size_t max_waiting_bytes_of_one = std::size_t{4} << 20;
inline constexpr std::size_t max_waiting = 100'000;
inline constexpr std::size_t max_waiting_bytes = std::size_t{256} << 20;

/// What waits in the mailboxes of a node, of one sender or of all.
struct backlog {
  std::size_t messages = 0;
  std::size_t bytes = 0;  ///< of payload
};

/// A message in a mailbox, and what only the scheduler knows of it.
struct letter {
  message content;
  place_number place;
  std::pair<const std::string, backlog>* of = nullptr;  // what it counts among; nothing for a local one
  std::size_t size = 0;
  bool is_droppable = false;  // at the mailbox's own bound
};

/// An EXIT of somebody who is not linked yet: a message of his that makes the link may lie in the mailbox before it.
struct early_exit {
  place_number place;
  term reason;
};

/// A process, seen from the inside. Or a monitor, which is one without a body: linked as a process is, by a serial of
/// its own, and what ends it is put into the mailbox of the process that it is of.
struct process_state {
  node_core& node;
  serial_number serial;
  std::function<process(self)> function;  // owns what the body's lambda captured
  process body;
  std::coroutine_handle<> next;  // what to resume at the next turn

  std::deque<letter> mailbox;  // by place
  place_number taken = 0;      // of the latest message that was taken out
  std::map<pid, early_exit> early_exits;
  std::size_t untried = 0;          // first message that the present receive has not seen
  receive_base* waiting = nullptr;  // the present receive
  std::optional<instant> deadline;  // its `after`
  bool queued = false;              // in the run queue

  bool trap_exit = false;
  std::string hears;  // hear_only(); empty for everyone
  std::string registered_name;
  std::set<serial_number> links;  // to processes of this node
  std::set<pid> remote_links;
  std::set<channel> channels;                  // listens to them
  std::set<std::string> monitored;             // nodes; it may have stopped since
  std::map<std::uint64_t, std::string> calls;  // references of replies that are waited for, and of which node
  std::set<std::string> pinged;                // nodes that have not answered its ping() yet
  std::optional<registered> expected_link;     // expect_link(), until it is here
  std::set<pid> monitored_by;                  // of other nodes
  std::set<serial_number> monitors;            // that this process has
  duration keep_offline{};                     // what it sends; zero for not
  std::size_t max_mailbox = 0;                 // bound_mailbox(); 0 for no bound
  overflow at_bound = overflow::newest;
  std::optional<term> ending;  // an exit signal took effect: it ends at its next turn

  struct monitor_of {
    serial_number by;
    pid process;
  };
  std::optional<monitor_of> monitor{};

  ~process_state() { body = {}; }  // what is in it may refer to the rest
};

/// What exit(Reason) throws; not a std::exception, so that no handler of errors swallows it.
struct exit_request {
  term reason;
};

class scheduler {
 public:
  /// Called when a process has ended and is gone, before its local links hear of it.
  using ended = std::function<void(process_state& state, const term& reason)>;

  /// Whether a process has its turn just now.
  bool is_in_turn() const { return is_in_turn_; }

  scheduler(std::function<instant()> now, ended on_end) : now_(std::move(now)), on_end_(std::move(on_end)) {}

  process_state& spawn(node_core& owner, std::function<process(self)> body);
  process_state& start_monitor(node_core& owner, process_state& by, const pid& of);
  void end_monitor(process_state& monitor);
  /// Takes what that monitor has said out of the mailbox.
  void forget_down(process_state& at, serial_number monitor);
  process_state* find(serial_number serial) const;
  std::size_t count() const { return processes_.size(); }
  void for_each(const std::function<void(process_state&)>& f);

  /// register/whereis. False if the name is taken or the process has one already.
  bool register_name(process_state& state, const std::string& name);
  process_state* whereis(const std::string& name) const;

  // Places: what the node comes to know is numbered in the order in which it comes. A message lies in the mailbox at
  // its place; so does an exit signal whose cause became known while messages of the same sender lay there unread.
  // Hence no table that knows more overtakes what has been sent before.

  /// The next thing that is known has this place.
  place_number next_place() { return ++places_; }

  /// Puts a message at the end of the mailbox, or at a place of earlier.
  void deliver(process_state& to, message m, place_number place);
  void deliver(process_state& to, message m) { deliver(to, std::move(m), next_place()); }
  /// The same for what another process of this node sends. @returns false if something was dropped for want of room.
  bool deliver_local(process_state& to, message m);
  /// The same for one from another node, unless too much of that node's, or of all, is waiting already.
  /// @param size of its payload.
  bool deliver_remote(process_state& to, message m, std::size_t size);
  /// An exit signal: trapped, ignored (`normal`), or the end of the process.
  void signal_exit(process_state& to, const pid& from, const term& reason, cause why, place_number place);
  void signal_exit(process_state& to, const pid& from, const term& reason, cause why) {
    signal_exit(to, from, reason, why, next_place());
  }
  /// Keeps the EXIT of somebody who is not linked while a message of before is unread.
  void remember_exit(process_state& at, const pid& from, const term& reason);
  /// A message to the process itself, after a time, and again after each `interval`. @returns its number
  std::uint64_t start_timer(process_state& to, duration time, std::optional<duration> interval, term content);
  void cancel_timer(std::uint64_t number);
  /// A number that no other call or timer of this node has.
  std::uint64_t next_reference() { return ++references_; }
  /// What waits in the mailboxes, of other nodes.
  const backlog& waiting() const { return all_waiting_; }
  /// Ends a process at its next turn, whether it traps exits or not.
  void kill(process_state& state, const term& reason);

  /// Gives each process that has something to do a turn, up to `turns` of them, and for so long, or until it is to
  /// pause.
  void run(std::size_t turns, duration at_most = duration::max(), const std::function<bool()>& is_to_pause = {});
  /// The same for those only whose time-out has come.
  void run_due();
  /// When run_due() is next needed.
  std::optional<instant> next_time_out() const;
  /// When run() is next needed: at once, at a time-out, or not before something is delivered.
  std::optional<instant> next_deadline() const;

  /// For receive_base: the process waits from here on.
  void suspend(process_state& state, receive_base& receive);

 private:
  void enqueue(process_state& state);
  void turn(process_state& state);
  bool take_turn(process_state& state);
  void resume(process_state& state);
  void end(process_state& state, const term& reason);
  void clear_timer(process_state& state);
  void expire_timers();
  void ring();
  void taken_out(const letter& l);
  bool put(process_state& to, letter l);
  void erase_letter(process_state& of, std::deque<letter>::iterator l);

  std::function<instant()> now_;
  ended on_end_;
  std::unordered_map<serial_number, std::unique_ptr<process_state>> processes_;
  std::unordered_map<std::string, serial_number> names_;
  std::deque<serial_number> run_queue_;
  std::set<std::pair<instant, serial_number>> timers_;  // of `after`
  struct alarm {
    serial_number of;
    instant at;
    std::optional<duration> interval;
    term content;
  };
  std::map<std::uint64_t, alarm> alarms_;  // of send_after, by number
  std::set<std::pair<instant, std::uint64_t>> alarm_times_;
  std::uint64_t references_ = 0;
  bool is_in_turn_ = false;
  serial_number next_serial_ = 1;
  place_number places_ = 0;
  std::unordered_map<std::string, backlog> waiting_;  // by sender
  backlog all_waiting_;
};

}  // namespace nodelink
