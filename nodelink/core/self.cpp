#include <nodelink/self.hpp>

#include <stdexcept>

#include "core/node_core.hpp"

namespace nodelink {

pid self::pid() const { return state_->node.pid_of(state_->serial); }
void self::send(const nodelink::pid& to, term content) const { state_->node.send(to, std::move(content), state_); }
void self::send(const registered& to, term content) const { state_->node.send(to, std::move(content), state_); }
void self::keep_offline(duration at_most) const { state_->keep_offline = at_most; }
void self::bound_mailbox(std::size_t messages, overflow drop) const {
  state_->max_mailbox = messages;
  state_->at_bound = drop;
}
nodelink::pid self::spawn_link_function(std::function<process(self)> body) const {
  const auto child = state_->node.spawn_function(std::move(body));
  link(child);
  return child;
}
void self::link(const nodelink::pid& other) const { state_->node.link(*state_, other); }
void self::unlink(const nodelink::pid& other) const { state_->node.unlink(*state_, other); }
reference self::monitor(const nodelink::pid& other) const { return state_->node.monitor(*state_, other); }
reference self::monitor(const registered& other) const { return state_->node.monitor(*state_, other); }
void self::demonitor(reference which) const { state_->node.demonitor(*state_, which); }
void self::expect_link(const registered& other) const { state_->node.expect_link(*state_, other); }
void self::say(const std::string& channel, term content) const { state_->node.say(channel, content); }
void self::set_state(const std::string& name, term content) const { state_->node.set_state(name, std::move(content)); }
void self::listen(const channel& to) const { state_->node.listen(*state_, to); }
void self::unlisten(const channel& to) const { state_->node.unlisten(*state_, to); }
void self::ping(const std::string& node) const { state_->node.ping(*state_, node); }
void self::monitor_node(const std::string& node, bool flag) const { state_->node.monitor_node(*state_, node, flag); }
timer self::send_after(duration time, term content) const {
  return timer{state_->node.processes().start_timer(*state_, time, std::nullopt, std::move(content))};
}
timer self::send_interval(duration interval, term content) const {
  if (interval <= duration::zero()) throw std::invalid_argument("the interval of a timer must be longer than nothing");
  return timer{state_->node.processes().start_timer(*state_, interval, interval, std::move(content))};
}
void self::cancel_timer(timer which) const { state_->node.processes().cancel_timer(static_cast<std::uint64_t>(which)); }
request_id self::begin_request(const std::string& node) const { return state_->node.begin_request(*state_, node); }
request_id self::ask_whereis(const registered& name) const { return state_->node.ask_whereis(*state_, name); }
void self::reply(const call_request& to, term answer) const {
  send(to.from, call_reply::write(to.reference, std::move(answer)));
}
void self::trap_exit(bool flag) const { state_->trap_exit = flag; }
void self::hear_only(std::string node) const { state_->hears = std::move(node); }
void self::exit(term reason) const { throw exit_request{std::move(reason)}; }
void self::exit(const nodelink::pid& other, const term& reason) const { state_->node.exit(*state_, other, reason); }
instant self::now() const { return state_->node.env().now(); }
node& self::node() const { return state_->node.facade(); }

}  // namespace nodelink
