// messenger-node: the node on which the messenger server runs.
#include <deque>
#include <iostream>
#include <memory>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "node/ask.hpp"
#include "node/candidate.hpp"
#include "node/embedded_broker.hpp"
#include "node/exposition.hpp"
#include "node/http_server.hpp"
#include "node/service.hpp"
#include "node/settings.hpp"
#include "program/log_event.hpp"
#include "program/logging.hpp"
#include "program/node_program.hpp"
#include "program/output.hpp"
#include "protocol/messages.hpp"

namespace {

// An embedded broker that dies is started again, up to so often in so long.
constexpr std::size_t restarts_of_broker = 3;
constexpr auto period_of_restarts = std::chrono::minutes(1);

void watch(messenger::embedded_broker& broker, program::event_loop& loop,
           std::deque<std::chrono::steady_clock::time_point> restarts, std::function<void(std::string)> on_end) {
  loop.watch(broker.fd(), [&broker, &loop, restarts = std::move(restarts), on_end = std::move(on_end)]() mutable {
    program::log(spdlog::level::err, "embedded_broker_ended", {}, "the embedded broker has ended: {}",
                 broker.last_words());
    loop.unwatch(broker.fd());
    const auto now = std::chrono::steady_clock::now();
    while (!restarts.empty() && restarts.front() + period_of_restarts < now) restarts.pop_front();
    restarts.push_back(now);
    if (restarts.size() > restarts_of_broker) return on_end("the embedded broker ends again and again; stopping");
    try {
      broker.restart();
    } catch (const std::exception& e) {
      return on_end("the embedded broker cannot be started again: " + std::string(e.what()));
    }
    program::log(spdlog::level::info, "embedded_broker", {{"url", broker.url()}}, "embedded broker: {}, started again",
                 broker.url());
    watch(broker, loop, std::move(restarts), std::move(on_end));
  });
}

std::unique_ptr<messenger::embedded_broker> start_broker(program::common_options& options, bool is_port_given) {
  auto broker = std::make_unique<messenger::embedded_broker>(is_port_given ? options.broker.port : 0);
  options.broker = {.host = "127.0.0.1",
                    .port = broker->port(),
                    .keepalive_seconds = options.broker.keepalive_seconds,
                    .mqtt_5 = options.broker.mqtt_5};
  options.broker_configured = true;
  program::log(spdlog::level::info, "embedded_broker", {{"url", broker->url()}}, "embedded broker: {}", broker->url());
  return broker;
}

constexpr const char* no_broker_hint =
    "start one, say where one is with -h and -p, or let this program start one: --embedded-broker";

// Asks as another node whether the name is taken. Not where the broker knows who one is: it may take the other node for
// this one, whose name belongs to the same credentials, and end the connection of whoever has it.
bool can_ask(const program::common_options& options) {
  return options.broker.username.empty() && options.broker.tls.certificate.empty();
}

// @returns the exit code to end with, or nothing to go on.
std::optional<int> refuse_taken_name(program::event_loop& loop, program::common_options& options) {
  const auto& name = options.node.name;
  auto asking = options;
  asking.is_passing = true;
  asking.node.name = "ask-" + std::to_string(::getpid()) + name.substr(name.find('@'));
  program::node_program program(loop, asking, no_broker_hint);
  program.is_over_when_lost = [](auto how) {
    return how == nodelink::connection_loss::kind::not_authorised || how == nodelink::connection_loss::kind::refused;
  };
  std::optional<bool> is_taken;
  program.node().spawn(messenger::ask, name, [&](bool is_there) { is_taken = is_there; });
  const int code = program.run([&]() -> std::optional<nodelink::instant> {
    if (is_taken) program.stop(0);
    return std::nullopt;
  });
  if (code != 0 || program.was_signalled()) return code;
  options.was_up |= is_taken.has_value();
  if (!is_taken.value_or(false)) return std::nullopt;
  program::log(
      spdlog::level::err, "name_taken", {{"node", name}},
      "a server runs as {} already, and answers. Stop it first; or take its place with --replace, which ends it and "
      "logs "
      "its users off; or wait for its end with --standby",
      name);
  return program::name_taken;
}

// What is seen of the program from outside, whichever node it is just now.
class window {
 public:
  window(program::event_loop& loop, const messenger::settings& own)
      : counted_(own.server.counted), observer_(*counted_) {
    loop.on_turn = [this](nodelink::duration time) {
      counted_->turn.observe(std::chrono::duration<double>(time).count());
    };
    if (!own.metrics) return;
    server_.emplace(loop, *own.metrics, [this](const std::string& path) { return answer(path); });
    program::log(spdlog::level::info, "metrics", {{"url", server_->url()}}, "metrics: {}/metrics, /healthz, /livez",
                 server_->url());
  }

  // For as long as that node lives.
  void show(nodelink::node& node, bool serves) {
    node_ = &node;
    serves_ = serves;
    node.observe(observer_);
  }
  void hide() { node_ = nullptr; }

  messenger::figures all() const {
    auto figures = messenger::read(*counted_, *node_, serves_);
    for (auto& f : messenger::process_figures(program::version())) figures.push_back(std::move(f));
    return figures;
  }

 private:
  std::optional<messenger::http_answer> answer(const std::string& path) const {
    if (path == "/livez") return messenger::http_answer{200, "text/plain; charset=utf-8", "alive\n"};
    if (!node_) return messenger::as_health({});
    if (path == "/metrics") return messenger::as_prometheus(all());
    if (path != "/healthz") return std::nullopt;
    return messenger::as_health({.is_up = node_->is_up(),
                                 .serves = serves_,
                                 .has_server = node_->whereis(messenger::server_name).has_value(),
                                 .node = node_->name()});
  }

  const std::shared_ptr<messenger::statistics> counted_;
  messenger::counting_observer observer_;
  nodelink::node* node_ = nullptr;
  bool serves_ = false;
  std::optional<messenger::http_server> server_;
};

// One node after the other on one thread, until one is stopped.
int run(messenger::settings own, const std::function<void()>& reload) {
  auto& options = own.common;
  program::event_loop loop;
  program::output errors(loop, STDERR_FILENO);
  const program::logging log(options.log_level, options.log_format, errors);
  if (own.bound)
    program::log(spdlog::level::info, "names", {{"count", own.bound->size()}}, "names belong to nodes: {} lines of {}",
                 own.bound->size(), own.bound->path());
  else if (!options.credentials.empty())
    program::log(spdlog::level::warn, "names", {},
                 "any node may log on any user: there is no list of names in {}; see --names", options.credentials);
  window seen(loop, own);
  messenger::service manager;
  const auto broker = own.embedded ? start_broker(options, own.is_port_given) : nullptr;
  std::string broker_is_over;
  if (broker) watch(*broker, loop, {}, [&](std::string why) { broker_is_over = std::move(why); });
  auto as_server = options;
  as_server.node.monitor_nodes = true;
  // Requests beyond the limit have a word for an answer; what floods has none.
  as_server.node.max_rate_of_one = 2 * own.server.at_most.requests_of_node;
  // Who has the name is to give way: to whoever was told to take it, and also to one that has had no answer from him.
  constexpr int when_replacing = 8, when_unanswered = 4;
  if (own.is_replacing) as_server.node.patience = when_replacing;
  if (own.is_standby) {
    as_server.node.name = own.standby.server_node;
    as_server.broker = own.broker_as_server;
  }
  // A person has seen the URL in the log; a script reads it from standard output, once the server serves.
  bool url_pending = broker && (!::isatty(STDOUT_FILENO) || !spdlog::should_log(spdlog::level::info));

  if (!own.embedded && !own.is_standby && !own.is_replacing && can_ask(options)) {
    if (const auto code = refuse_taken_name(loop, options)) {
      errors.drain(std::chrono::seconds(1));
      return *code;
    }
    as_server.node.patience = when_unanswered;
  }
  as_server.was_up = options.was_up;
  bool is_to_drain = false;
  own.server.drain = [&] { is_to_drain = true; };
  own.server.all_figures = [&] { return seen.all(); };
  messenger::candidate me(own.server, own.is_standby ? std::optional(own.standby) : std::nullopt);
  for (;;) {
    program::node_program program(loop, me.serves() ? as_server : options, no_broker_hint);
    program.is_over_when_lost = [&](auto how) { return me.lost(how); };
    program.before_stop_by_signal = [&] {
      me.end();
      manager.is_stopping();
    };
    program.reload = reload;
    seen.show(program.node(), me.serves());
    me.start(program.node());
    const int code = program.run([&]() -> std::optional<nodelink::instant> {
      if (me.is_over()) program.stop(0);
      if (std::exchange(is_to_drain, false)) {
        program.before_stop_by_signal();
        program.stop(0);
      }
      if (!broker_is_over.empty()) program.fail(program::run_time_failure, broker_is_over);
      if (me.serves() && !program.node().whereis(messenger::supervisor_name))
        program.fail(program::crashed, "the server process has crashed too often; stopping");
      if (url_pending && program.node().is_up()) {
        std::cout << broker->url() << std::endl;
        url_pending = false;
      }
      const bool is_up = program.node().is_up();
      manager.is(!is_up        ? "waiting for the broker"
                 : me.serves() ? "serving as " + program.node().name()
                               : "standing by for " + own.standby.server_node,
                 is_up);
      return manager.alive();
    });
    seen.hide();
    if (!me.change()) {
      errors.drain(std::chrono::seconds(1));
      return code;
    }
    options.was_up = as_server.was_up = true;
  }
}

}  // namespace

int main(int argc, char** argv) {
  messenger::settings own;
  if (const auto code = messenger::read_settings(argc, argv, own)) return *code;
  try {
    return run(own, [&] { messenger::reload_settings(argc, argv, own); });
  } catch (const std::exception& e) {
    std::cerr << "messenger-node: " << e.what() << "\n";
    return program::run_time_failure;
  }
}
