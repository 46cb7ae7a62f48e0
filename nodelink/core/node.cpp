#include "core/node_core.hpp"

namespace nodelink {

node::node(node_settings settings, environment env, transport& via)
    : core_(std::make_unique<node_core>(*this, std::move(settings), std::move(env), via)) {}
node::~node() = default;

void node::observe(node_observer& observer) { core_->observe(observer); }
void node::unobserve(node_observer& observer) { core_->unobserve(observer); }
void node::start() { core_->start(); }
void node::stop() { core_->stop(); }
bool node::register_name(const std::string& name, const pid& process) { return core_->register_name(name, process); }
std::optional<pid> node::whereis(const std::string& name) const { return core_->whereis(name); }
void node::send(const pid& to, term content) { core_->send(to, std::move(content)); }
void node::send(const registered& to, term content) { core_->send(to, std::move(content)); }
void node::stop_process(const std::string& registered_name, const term& reason) {
  core_->stop_process(registered_name, reason);
}
void node::run() { core_->run(); }
std::optional<instant> node::next_deadline() const { return core_->next_deadline(); }
const std::string& node::name() const { return core_->name(); }
bool node::is_up() const { return core_->is_up(); }
bool node::is_stopped() const { return core_->is_stopped(); }
std::uint64_t node::creation() const { return core_->creation(); }
const environment& node::env() const { return core_->env(); }
void node::monitor_nodes() { core_->monitor_nodes(); }
std::optional<bool> node::is_up(const std::string& node) const { return core_->others().is_up(node); }
std::map<std::string, std::uint64_t> node::nodes() const { return core_->others().up(); }
std::uint64_t node::count(drop why) const { return core_->count(why); }
node_figures node::figures() const { return core_->figures(); }
void node::note(drop why, std::string_view from, std::string_view what) { core_->note(why, from, what); }
pid node::spawn_function(std::function<process(self)> body) { return core_->spawn_function(std::move(body)); }

}  // namespace nodelink
