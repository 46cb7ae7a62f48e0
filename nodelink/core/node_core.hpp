/// @file node_core.hpp
/// What is behind a node. See node.hpp for what each of the functions that both have does.
#pragma once

#include <array>
#include <map>
#include <set>
#include <vector>

#include <nodelink/node.hpp>

#include "core/incarnation.hpp"
#include "core/node_table.hpp"
#include "core/offline_queue.hpp"
#include "core/rate_limit.hpp"
#include "core/scheduler.hpp"

namespace nodelink {

class node_core {
 public:
  node_core(node& facade, node_settings settings, environment env, transport& via);
  node_core(const node_core&) = delete;

  node& facade() { return facade_; }
  void observe(node_observer& observer) { observers_.push_back(&observer); }
  void unobserve(node_observer& observer) { std::erase(observers_, &observer); }

  void start();
  void stop();
  bool register_name(const std::string& name, const pid& process);
  std::optional<pid> whereis(const std::string& name) const;
  void stop_process(const std::string& registered_name, const term& reason);
  void run();
  std::optional<instant> next_deadline() const;
  void monitor_nodes();
  void note(drop why, std::string_view from, std::string_view what);

  const std::string& name() const { return settings_.name; }
  bool is_up() const { return incarnation_.is_up(); }
  bool is_stopped() const { return incarnation_.is_stopped(); }
  std::uint64_t creation() const { return incarnation_.creation(); }
  pid pid_of(serial_number serial) const { return {settings_.name, incarnation_.creation(), serial}; }
  node_figures figures() const;
  std::uint64_t count(drop why) const { return dropped_[static_cast<std::size_t>(why)]; }
  scheduler& processes() { return scheduler_; }
  const node_table& others() const { return table_; }
  const environment& env() const { return env_; }

  // What self's methods do; see there.
  pid spawn_function(std::function<process(self)> body);
  void send(const pid& to, term content, const process_state* by = nullptr);
  void send(const registered& to, term content, const process_state* by = nullptr);
  reference monitor(process_state& by, const pid& of);
  reference monitor(process_state& by, const registered& of);
  void demonitor(process_state& by, reference which);
  request_id begin_request(process_state& by, const std::string& node);
  request_id ask_whereis(process_state& by, const registered& of);
  void link(process_state& from, const pid& to);
  void unlink(process_state& from, const pid& to);
  void expect_link(process_state& from, const registered& to);
  void exit(process_state& from, const pid& to, const term& reason);
  void say(const std::string& channel, const term& content);
  void set_state(const std::string& name, term content);
  void listen(process_state& state, const channel& to);
  void unlisten(process_state& state, const channel& to);
  void ping(process_state& from, const std::string& node);
  void monitor_node(process_state& by, const std::string& node, bool flag);

 private:
  // How many turns the processes of a node get before it looks at the outside again, and how long they may take.
  static constexpr std::size_t turns_at_once = 10'000;
  static constexpr duration turns_time = std::chrono::milliseconds(5);

  // A thousand links ask some twenty times a second, and all at once after a connection. Whoever asks more is not
  // answered: answers leave before what others are waiting for.
  static constexpr double max_answers_to_one = 100;

  process_state* local(const pid& p);
  void deliver_local(process_state& to, term content);
  static bool is_late_reply(const process_state& to, const message& m);
  void publish(const std::string& topic, const term& content, bool is_urgent = false);
  void say_state(const std::string& name, const term& content);
  bool is_to_be_kept(const process_state* by, const std::string& to, const term& content) const;
  void keep(const std::string& node, const std::string& topic, term content, const process_state& by);
  void send_kept(const std::string& node);
  void answer_as_net_kernel(const message& m);
  void link_remote(process_state& from, const pid& to, const term& signal);
  void monitor_local(process_state& monitor, process_state* of);
  void end_monitor(process_state& monitor);
  void process_ended(process_state& state, const term& reason);
  void links_ended(const std::vector<remote_link>& links, const term& reason, cause why);

  void received(std::string_view topic, std::string_view payload, bool retained);
  void received_status(std::string_view node, std::string_view payload);
  void received_inbox(const inbox_topic& to, std::string_view payload);
  void received_in_channel(const channel_topic& in, std::string_view payload);
  void received_signal(const any_signal& s, const inbox_topic& to);
  void heed(const link_signal& s, const inbox_topic& to);
  void heed(const monitor_signal& s, const inbox_topic& to);
  void heed(const unlink_signal& s, const inbox_topic& to);
  void heed(const exit_wire_signal& s, const inbox_topic& to);
  void heed(const ping_signal& s, const inbox_topic& to);
  void heed(const pong_signal& s, const inbox_topic& to);
  void heed(const echo_signal& s, const inbox_topic& to);
  void heed(const bad_signal& s, const inbox_topic& to);
  bool end_link(process_state& state, const pid& with);
  bool may_answer(const std::string& node);
  void pinged_by(const pid& from, process_state* to, const inbox_topic& topic);
  void linked_by(const pid& from, process_state* to, const inbox_topic& topic, bool is_monitor = false);
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
  /// Tells each observer.
  template <class F>
  void tell(F what) {
    for (auto* o : observers_) what(*o);
  }

  node& facade_;
  node_settings settings_;
  environment env_;
  topics topics_;
  transport& transport_;
  std::vector<node_observer*> observers_;
  node_table table_;
  scheduler scheduler_;
  incarnation incarnation_;
  std::map<serial_number, instant> expecting_;  // processes with an expected_link, and until when
  std::set<std::string> watched_;               // nodes whose status is subscribed to one by one
  bool began_to_monitor_ = false;               // after the start: not among the incarnation's subscriptions
  std::map<channel, std::set<serial_number>> listeners_;
  std::map<std::string, term> states_;
  std::map<std::string, std::set<serial_number>> monitors_;  // of a node
  std::map<std::string, cause> ended_by_;                    // of the nodes in it that are down
  bool is_to_stop_ = false;                                  // when the process that asked for it has had its turn
  std::uint64_t last_echo_ = 0;
  std::map<std::uint64_t, instant> echoes_;  // that have not come back, and when they were sent
  offline_queue offline_;
  rate_limit from_one_;
  rate_limit answers_{max_answers_to_one};
  std::array<std::uint64_t, drop_kinds> dropped_{};
};

}  // namespace nodelink
