// messenger-node: the node on which the messenger server runs.
#include <deque>
#include <iostream>
#include <memory>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "node/ask.hpp"
#include "node/candidate.hpp"
#include "node/embedded_broker.hpp"
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
    spdlog::error("the embedded broker has ended: {}", broker.last_words());
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
    spdlog::info("embedded broker: {}, started again", broker.url());
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
  spdlog::info("embedded broker: {}", broker->url());
  return broker;
}

struct server_settings {
  messenger::server_options server;
  bool embedded = false;
  bool is_replacing = false;
  bool is_port_given = false;
  bool is_standby = false;
  messenger::standby_options standby{.server_node = messenger::server_name};
  nodelink::paho::broker_settings broker_as_server;  // with the credentials of that node
};

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
  spdlog::error(
      "a server runs as {} already, and answers. Stop it first; or take its place with --replace, which ends it and "
      "logs "
      "its users off; or wait for its end with --standby",
      name);
  return program::name_taken;
}

// One node after the other on one thread, until one is stopped.
int run(program::common_options options, const server_settings& own) {
  program::event_loop loop;
  program::output errors(loop, STDERR_FILENO);
  const program::logging log(options.log_level, errors);
  const auto broker = own.embedded ? start_broker(options, own.is_port_given) : nullptr;
  std::string broker_is_over;
  if (broker) watch(*broker, loop, {}, [&](std::string why) { broker_is_over = std::move(why); });
  auto as_server = options;
  as_server.node.monitor_nodes = true;
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
  messenger::candidate me(own.server, own.is_standby ? std::optional(own.standby) : std::nullopt);
  for (;;) {
    program::node_program program(loop, me.serves() ? as_server : options, no_broker_hint);
    program.is_over_when_lost = [&](auto how) { return me.lost(how); };
    program.before_stop_by_signal = [&] { me.end(); };
    me.start(program.node());
    const int code = program.run([&]() -> std::optional<nodelink::instant> {
      if (me.is_over()) program.stop(0);
      if (!broker_is_over.empty()) program.fail(program::run_time_failure, broker_is_over);
      if (me.serves() && !program.node().whereis(messenger::supervisor_name))
        program.fail(program::crashed, "the server process has crashed too often; stopping");
      if (url_pending && program.node().is_up()) {
        std::cout << broker->url() << std::endl;
        url_pending = false;
      }
      return std::nullopt;
    });
    if (!me.change()) {
      errors.drain(std::chrono::seconds(1));
      return code;
    }
    options.was_up = as_server.was_up = true;
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The messenger server: keeps the list of users and passes their messages on.", "messenger-node"};
  program::common_options options;
  options.node.name = messenger::server_name;
  server_settings own;
  double delay_seconds = 1;
  program::add_common_options(app, options, "messenger@HOST", "info");
  app.add_flag("--embedded-broker", own.embedded,
               "Start a private Mosquitto on 127.0.0.1, at --port or a free one, and use it")
      ->group("MQTT");
  program::add_duration_option(app, "--idle-timeout", own.server.idle_timeout,
                               "Log off who has done nothing for this long, like 90s, 10m, 8h [never]")
      ->group("Messenger");
  app.add_flag("--replace", own.is_replacing, "Take the name from whoever runs under it, instead of ending with code 6")
      ->group("Messenger");
  app.add_flag("--standby", own.is_standby,
               "Wait as node --name, and be the server's node whenever there is none; several may")
      ->group("Messenger");
  app.add_option("--server", own.standby.server_node, "The server's node, for --standby [messenger@HOST]")
      ->type_name("NAME[@HOST]")
      ->envname("MESSENGER_SERVER_NODE")
      ->group("Messenger");
  app.add_option("--standby-delay", delay_seconds,
                 "How long there has to be none, 0 to 3600; who has less is preferred")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 3600.0).description(""))
      ->capture_default_str()
      ->group("Messenger");
  if (const auto code = program::parse(app, argc, argv, [&](program::configuration& from) {
        using program::origin;
        if (own.is_standby && from.of("--name") == origin::standard)
          options.node.name = "standby-" + std::to_string(::getpid());
        program::complete(app, from, options);
        own.standby.server_node = program::node_name(own.standby.server_node, "--server");
        from.is_in_force("--server", own.standby.server_node);
        for (const auto* option : {"--host", "--url"})
          if (own.embedded && from.of(option) == origin::command_line)
            throw program::usage_error{std::string("--embedded-broker is on 127.0.0.1; leave out ") + option};
        own.is_port_given = from.of("--port") == origin::command_line;
        if (own.is_standby && own.is_replacing)
          throw program::usage_error{"a --standby waits until nobody has the name; leave out --replace"};
        if (own.is_standby && own.embedded)
          throw program::usage_error{
              "a broker that dies with its server has no use for a --standby; start Mosquitto "
              "by itself and leave out --embedded-broker"};
        if (own.is_standby && options.node.name == own.standby.server_node)
          throw program::usage_error{
              "a standby waits under a name of its own (--name), which is not that of the "
              "server (--server)"};
        own.standby.delay =
            std::chrono::duration_cast<nodelink::duration>(std::chrono::duration<double>(delay_seconds));
        own.standby.net_ticktime = options.node.net_ticktime;
        if (own.is_standby) own.broker_as_server = program::broker_as(own.standby.server_node, options);
      }))
    return *code;
  try {
    return run(options, own);
  } catch (const std::exception& e) {
    std::cerr << "messenger-node: " << e.what() << "\n";
    return program::run_time_failure;
  }
}
