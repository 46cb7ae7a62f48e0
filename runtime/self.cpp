#include "runtime/self.hpp"

#include "runtime/node.hpp"

namespace runtime {

pid self::pid() const { return state_->node.pid_of(state_->serial); }
void self::send(const runtime::pid& to, term content) const { state_->node.send(to, std::move(content)); }
void self::send(const registered& to, term content) const { state_->node.send(to, std::move(content)); }
runtime::pid self::spawn_link_function(std::function<process(self)> body) const {
  const auto child = state_->node.spawn_function(std::move(body));
  link(child);
  return child;
}
void self::link(const runtime::pid& other) const { state_->node.link(*state_, other); }
void self::unlink(const runtime::pid& other) const { state_->node.unlink(*state_, other); }
void self::expect_link(const registered& other) const { state_->node.expect_link(*state_, other); }
void self::say(const std::string& room, term content) const { state_->node.say(room, content); }
void self::listen(const room& to) const { state_->node.listen(*state_, to); }
void self::unlisten(const room& to) const { state_->node.unlisten(*state_, to); }
void self::ping(const std::string& node) const { state_->node.ping(*state_, node); }
void self::monitor_node(const std::string& node, bool flag) const { state_->node.monitor_node(*state_, node, flag); }
void self::trap_exit(bool flag) const { state_->trap_exit = flag; }
void self::hear_only(std::string node) const { state_->hears = std::move(node); }
void self::exit(term reason) const { throw exit_request{std::move(reason)}; }
void self::exit(const runtime::pid& other, const term& reason) const { state_->node.exit(*state_, other, reason); }
instant self::now() const { return state_->node.env().now(); }
node& self::node() const { return state_->node; }

}  // namespace runtime
