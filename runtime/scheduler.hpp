/// @file scheduler.hpp
/// The processes of one node: mailboxes, turns, timers, and the links among them.
/// In Erlang: the emulator's scheduler. Pure; the node's thread only; knows nothing of other nodes.
#pragma once

#include <coroutine>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <unordered_map>

#include "runtime/self.hpp"

namespace runtime {

/// Which process of the node. Never used twice while the program runs.
using serial_number = std::uint64_t;

/// A process, seen from the inside.
struct process_state {
  runtime::node& node;
  serial_number serial;
  std::function<process(self)> function;  // owns what the body's lambda captured
  process body;
  std::coroutine_handle<> next;  // what to resume at the next turn

  std::deque<message> mailbox;
  std::size_t untried = 0;          // first message that the present receive has not seen
  receive_base* waiting = nullptr;  // the present receive
  std::optional<instant> deadline;  // its `after`
  bool queued = false;              // in the run queue

  bool trap_exit = false;
  std::string hears;  // hear_only(); empty for everyone
  std::string registered_name;
  std::set<serial_number> links;  // to processes of this node
  std::set<pid> remote_links;
  std::set<room> rooms;                     // listens to them
  std::set<std::string> monitored;          // nodes; it may have stopped since
  std::set<std::string> pinged;             // nodes that have not answered its ping() yet
  std::optional<registered> expected_link;  // expect_link(), until it is here
  std::optional<term> ending;               // an exit signal took effect: it ends at its next turn
};

/// What exit(Reason) throws; not a std::exception, so that no handler of errors swallows it.
struct exit_request {
  term reason;
};

class scheduler {
 public:
  /// Called when a process has ended and is gone, before its local links hear of it.
  using ended = std::function<void(process_state& state, const term& reason)>;

  scheduler(std::function<instant()> now, ended on_end) : now_(std::move(now)), on_end_(std::move(on_end)) {}

  process_state& spawn(runtime::node& owner, std::function<process(self)> body);
  process_state* find(serial_number serial);
  std::size_t count() const { return processes_.size(); }
  void for_each(const std::function<void(process_state&)>& f);

  /// register/whereis. False if the name is taken or the process has one already.
  bool register_name(process_state& state, const std::string& name);
  process_state* whereis(const std::string& name);

  /// Puts a message at the end of the mailbox.
  void deliver(process_state& to, message m);
  /// An exit signal: trapped, ignored (`normal`), or the end of the process.
  void signal_exit(process_state& to, const pid& from, const term& reason);
  /// Ends a process at its next turn, whether it traps exits or not.
  void kill(process_state& state, const term& reason);

  /// Gives each process that has something to do a turn, up to `turns` of them.
  void run(std::size_t turns);
  /// When run() is next needed: at once, at a time-out, or not before something is delivered.
  std::optional<instant> next_deadline() const;

  /// For receive_base: the process waits from here on.
  void suspend(process_state& state, receive_base& receive);

 private:
  void enqueue(process_state& state);
  bool take_turn(process_state& state);
  void resume(process_state& state);
  void end(process_state& state, const term& reason);
  void clear_timer(process_state& state);
  void expire_timers();

  std::function<instant()> now_;
  ended on_end_;
  std::unordered_map<serial_number, std::unique_ptr<process_state>> processes_;
  std::unordered_map<std::string, serial_number> names_;
  std::deque<serial_number> run_queue_;
  std::set<std::pair<instant, serial_number>> timers_;
  serial_number next_serial_ = 1;
};

}  // namespace runtime
