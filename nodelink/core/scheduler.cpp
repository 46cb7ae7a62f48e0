#include "core/scheduler.hpp"

#include <algorithm>
#include <vector>

#include "core/node_core.hpp"

namespace nodelink {

static term reason_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (exit_request& request) {
    return std::move(request.reason);
  } catch (const std::exception& e) {
    return reason::error(e.what());
  } catch (...) {
    return reason::error("unknown exception");
  }
}

process_state& scheduler::spawn(node_core& owner, std::function<process(self)> body) {
  const serial_number serial = next_serial_++;
  std::unique_ptr<process_state> made(new process_state{.node = owner, .serial = serial, .function = std::move(body)});
  process_state& state = *processes_.emplace(serial, std::move(made)).first->second;
  // What is thrown before it is a coroutine, and one that is none, is its end too.
  try {
    state.body = state.function(self(state));
    if (state.body.await_ready())
      state.ending = reason::normal;
    else
      state.body.start(state.next);
  } catch (...) {
    state.ending = reason_of(std::current_exception());
  }
  enqueue(state);
  return state;
}

process_state& scheduler::start_monitor(node_core& owner, process_state& by, const pid& of) {
  const serial_number serial = next_serial_++;
  std::unique_ptr<process_state> made(
      new process_state{.node = owner, .serial = serial, .monitor = process_state::monitor_of{by.serial, of}});
  by.monitors.insert(serial);
  return *processes_.emplace(serial, std::move(made)).first->second;
}

void scheduler::end_monitor(process_state& monitor) {
  for (const auto other : monitor.links)
    if (auto* of = find(other)) of->links.erase(monitor.serial);
  if (auto* by = find(monitor.monitor->by)) by->monitors.erase(monitor.serial);
  processes_.erase(monitor.serial);
}

void scheduler::forget_down(process_state& at, serial_number monitor) {
  for (auto l = at.mailbox.begin(); l != at.mailbox.end(); ++l)
    if (const auto down = process_down::match(l->content); down && down->reference == reference{monitor})
      return erase_letter(at, l);
}

process_state* scheduler::find(serial_number serial) const {
  const auto found = processes_.find(serial);
  return found == processes_.end() ? nullptr : found->second.get();
}

void scheduler::for_each(const std::function<void(process_state&)>& f) {
  std::set<serial_number> serials;  // ordered, and safe against processes that end meanwhile
  for (const auto& [serial, state] : processes_) serials.insert(serial);
  for (const auto serial : serials)
    if (auto* state = find(serial)) f(*state);
}

bool scheduler::register_name(process_state& state, const std::string& name) {
  if (!state.registered_name.empty() || !names_.emplace(name, state.serial).second) return false;
  state.registered_name = name;
  return true;
}

process_state* scheduler::whereis(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : find(found->second);
}

void scheduler::deliver(process_state& to, message m, place_number place) {
  auto& box = to.mailbox;
  if (box.empty() || box.back().place < place) {
    box.push_back({.content = std::move(m), .place = place});
  } else {  // only the process itself does that, which is not waiting
    const auto behind = std::upper_bound(box.begin(), box.end(), place,
                                         [](place_number before, const letter& l) { return before < l.place; });
    box.insert(behind, {.content = std::move(m), .place = place});
  }
  if (to.waiting) enqueue(to);
}

bool scheduler::deliver_local(process_state& to, message m) {
  const bool is_reply = call_reply::match(m).has_value();
  return put(to, {.content = std::move(m), .place = next_place(), .is_droppable = !is_reply});
}

// At the end of the mailbox, within its bound.
bool scheduler::put(process_state& to, letter l) {
  auto& box = to.mailbox;
  const auto is_full = [&] {
    return l.is_droppable && to.max_mailbox > 0 && box.size() >= to.max_mailbox &&
           static_cast<std::size_t>(
               std::count_if(box.begin(), box.end(), [](const letter& x) { return x.is_droppable; })) >= to.max_mailbox;
  };
  if (to.at_bound == overflow::newest && is_full()) {
    taken_out(l);
    return false;
  }
  bool is_whole = true;
  for (; is_full(); is_whole = false)
    erase_letter(to, std::find_if(box.begin(), box.end(), [](const letter& x) { return x.is_droppable; }));
  box.push_back(std::move(l));
  if (to.waiting) enqueue(to);
  return is_whole;
}

void scheduler::erase_letter(process_state& of, std::deque<letter>::iterator l) {
  if (static_cast<std::size_t>(l - of.mailbox.begin()) < of.untried) --of.untried;
  taken_out(*l);
  of.mailbox.erase(l);
}

bool scheduler::deliver_remote(process_state& to, message m, std::size_t size) {
  auto& of_sender = *waiting_.try_emplace(m.from).first;
  // Whoever hears one node has no others to protect from it, and what he waits for may lie behind all that it passed
  // on.
  if (to.hears != m.from &&
      (of_sender.second.messages >= max_waiting_of_one || of_sender.second.bytes + size > max_waiting_bytes_of_one))
    return false;
  if (all_waiting_.messages >= max_waiting || all_waiting_.bytes + size > max_waiting_bytes) {
    if (of_sender.second.messages == 0) waiting_.erase(std::string(of_sender.first));
    return false;
  }
  for (auto* count : {&of_sender.second, &all_waiting_}) {
    ++count->messages;
    count->bytes += size;
  }
  const bool is_reply = call_reply::match(m).has_value();
  return put(
      to, {.content = std::move(m), .place = next_place(), .of = &of_sender, .size = size, .is_droppable = !is_reply});
}

void scheduler::taken_out(const letter& l) {
  if (!l.of) return;
  for (auto* count : {&l.of->second, &all_waiting_}) {
    --count->messages;
    count->bytes -= l.size;
  }
  if (l.of->second.messages == 0) waiting_.erase(std::string(l.of->first));
}

void scheduler::signal_exit(process_state& to, const pid& from, const term& reason, cause why, place_number place) {
  if (to.monitor) {
    deliver(*find(to.monitor->by),
            {.from = from.node,
             .local = true,
             .content = process_down::write(reference{to.serial}, to.monitor->process, reason, why)},
            place);
    return end_monitor(to);
  }
  if (to.trap_exit)
    deliver(to, {.from = from.node, .local = true, .content = exit_signal::write(from, reason, why)}, place);
  else if (reason != reason::normal)
    kill(to, reason);
}

void scheduler::remember_exit(process_state& at, const pid& from, const term& reason) {
  if (at.mailbox.empty()) return;
  if (at.early_exits.size() >= max_waiting_of_one)
    std::erase_if(at.early_exits, [first = at.mailbox.front().place](const auto& e) { return e.second.place < first; });
  if (at.early_exits.size() < max_waiting_of_one) at.early_exits.try_emplace(from, early_exit{next_place(), reason});
}

std::uint64_t scheduler::start_timer(process_state& to, duration time, std::optional<duration> interval, term content) {
  const auto number = next_reference();
  const instant at = after(now_(), time);
  alarms_.emplace(number, alarm{to.serial, at, interval, std::move(content)});
  alarm_times_.emplace(at, number);
  return number;
}

void scheduler::cancel_timer(std::uint64_t number) {
  const auto found = alarms_.find(number);
  if (found == alarms_.end()) return;
  alarm_times_.erase({found->second.at, number});
  alarms_.erase(found);
}

// A process that was not looked at for several intervals has one message for all of them.
void scheduler::ring() {
  while (!alarm_times_.empty() && alarm_times_.begin()->first <= now_()) {
    const auto number = alarm_times_.begin()->second;
    auto& due = alarms_.at(number);
    auto* const to = find(due.of);
    if (to) deliver(*to, {.from = to->node.name(), .local = true, .content = due.content});
    if (!to || !due.interval) {
      cancel_timer(number);
      continue;
    }
    alarm_times_.erase({due.at, number});
    while (due.at <= now_()) due.at += *due.interval;
    alarm_times_.emplace(due.at, number);
  }
}

void scheduler::kill(process_state& state, const term& reason) {
  if (!state.ending) state.ending = reason;
  enqueue(state);
}

void scheduler::end(process_state& state, const term& reason) {
  clear_timer(state);
  if (!state.registered_name.empty()) names_.erase(state.registered_name);
  const auto gone = std::move(processes_.extract(state.serial).mapped());
  gone->body = {};  // destructors of the body run while the node is whole
  for (const auto& l : gone->mailbox) taken_out(l);
  on_end_(*gone, reason);
  for (const auto other : gone->links)
    if (auto* linked = find(other); linked && linked->links.erase(gone->serial))
      signal_exit(*linked, gone->node.pid_of(gone->serial), reason, cause::process);
}

void scheduler::run(std::size_t turns, duration at_most, const std::function<bool()>& is_to_pause) {
  constexpr std::size_t turns_a_look = 16;  // at the clock, and at what the turns give rise to
  expire_timers();
  const instant begin = now_();
  for (; turns > 0 && !run_queue_.empty(); --turns) {
    if (turns % turns_a_look == 0 && (now_() - begin > at_most || (is_to_pause && is_to_pause()))) return;
    const auto serial = run_queue_.front();
    run_queue_.pop_front();
    auto* state = find(serial);
    if (!state) continue;
    state->queued = false;
    turn(*state);
  }
}

void scheduler::run_due() {
  ring();
  std::vector<serial_number> due;
  for (auto next = timers_.begin(); next != timers_.end() && next->first <= now_(); ++next) due.push_back(next->second);
  for (const auto serial : due)
    if (auto* state = find(serial)) turn(*state);
}

void scheduler::turn(process_state& state) {
  is_in_turn_ = true;
  if (state.ending)
    end(state, term(*state.ending));
  else if (take_turn(state))
    resume(state);
  is_in_turn_ = false;
}

std::optional<instant> scheduler::next_deadline() const { return run_queue_.empty() ? next_time_out() : now_(); }

std::optional<instant> scheduler::next_time_out() const {
  std::optional<instant> first;
  if (!timers_.empty()) first = timers_.begin()->first;
  if (!alarm_times_.empty() && (!first || alarm_times_.begin()->first < *first)) first = alarm_times_.begin()->first;
  return first;
}

void scheduler::suspend(process_state& state, receive_base& receive) {
  state.waiting = &receive;
  state.untried = 0;
  if (state.mailbox.empty()) state.early_exits.clear();
  if (const auto wait = receive.wait()) {
    state.deadline = after(now_(), *wait);
    timers_.emplace(*state.deadline, state.serial);
  }
}

void scheduler::enqueue(process_state& state) {
  if (!std::exchange(state.queued, true)) run_queue_.push_back(state.serial);
}

// True if the process can go on: a message matched, its time is over, or it was not waiting.
bool scheduler::take_turn(process_state& state) {
  if (!state.waiting) return true;
  while (state.untried < state.mailbox.size()) {
    const auto candidate = state.mailbox.begin() + static_cast<std::ptrdiff_t>(state.untried);
    if (state.waiting->match(candidate->content)) {
      state.taken = candidate->place;
      taken_out(*candidate);
      state.mailbox.erase(candidate);
      clear_timer(state);
      return true;
    }
    ++state.untried;
  }
  if (!state.deadline || *state.deadline > now_()) return false;
  clear_timer(state);
  state.waiting->expire();
  return true;
}

void scheduler::resume(process_state& state) {
  state.waiting = nullptr;
  while (auto next = std::exchange(state.next, {})) {
    next.resume();
    if (state.waiting) break;
  }
  if (!state.body.done()) {
    // Something may lie in the mailbox already, or `after` be zero: another turn will see.
    if (!state.mailbox.empty() || (state.deadline && *state.deadline <= now_())) enqueue(state);
    return;
  }
  const auto error = state.body.error();
  end(state, error ? reason_of(error) : term(reason::normal));
}

void scheduler::clear_timer(process_state& state) {
  if (state.deadline) timers_.erase({*state.deadline, state.serial});
  state.deadline.reset();
}

void scheduler::expire_timers() {
  ring();
  const instant now = now_();
  for (auto due = timers_.begin(); due != timers_.end() && due->first <= now; ++due)
    if (auto* state = find(due->second)) enqueue(*state);
}

reply_receive::~reply_receive() { owner().calls.erase(reference_); }

bool reply_receive::match(message& m) {
  auto reply = call_reply::match(m);
  if (!reply || reply->reference != reference_) return false;
  answer_ = std::move(reply->content);
  return true;
}

void receive_base::await_suspend(process::handle here) {
  owner_->next = here;
  owner_->node.processes().suspend(*owner_, *this);
}

}  // namespace nodelink
