// messenger-node: the node on which the messenger server runs.
#include <iostream>
#include <memory>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "node/candidate.hpp"
#include "node/embedded_broker.hpp"
#include "program/logging.hpp"
#include "program/node_program.hpp"
#include "program/output.hpp"
#include "protocol/messages.hpp"

namespace {

std::unique_ptr<messenger::embedded_broker> start_broker(program::common_options& options, program::event_loop& loop) {
  auto broker = std::make_unique<messenger::embedded_broker>();
  options.broker = {.host = "127.0.0.1",
                    .port = broker->port(),
                    .keepalive_seconds = options.broker.keepalive_seconds,
                    .mqtt_5 = options.broker.mqtt_5};
  options.broker_configured = true;
  spdlog::info("embedded broker: {}", broker->url());
  loop.watch(broker->fd(), [&loop, b = broker.get()] {
    spdlog::error("the embedded broker has ended: {}", b->last_words());
    loop.unwatch(b->fd());
  });
  return broker;
}

struct server_settings {
  messenger::server_options server;
  bool embedded = false;
  bool is_standby = false;
  messenger::standby_options standby{.server_node = messenger::server_name};
  paho::broker_settings broker_as_server;  // with the credentials of that node
};

// One node after the other on one thread, until one is stopped.
int run(program::common_options options, const server_settings& own) {
  program::event_loop loop;
  program::output errors(loop, STDERR_FILENO);
  const program::logging log(options.log_level, errors);
  const auto broker = own.embedded ? start_broker(options, loop) : nullptr;
  auto as_server = options;
  as_server.node.monitor_nodes = true;
  if (own.is_standby) {
    as_server.node.name = own.standby.server_node;
    as_server.broker = own.broker_as_server;
  }
  // A person has seen the URL in the log; a script reads it from standard output, once the server serves.
  bool url_pending = broker && (!::isatty(STDOUT_FILENO) || !spdlog::should_log(spdlog::level::info));

  messenger::candidate me(own.server, own.is_standby ? std::optional(own.standby) : std::nullopt);
  for (;;) {
    program::node_program program(
        loop, me.serves() ? as_server : options,
        "start one, say where one is with -h and -p, or let this program start one: --embedded-broker");
    program.is_over_when_lost = [&](auto how) { return me.lost(how); };
    program.before_stop_by_signal = [&] { me.end(); };
    me.start(program.node());
    const int code = program.run([&]() -> std::optional<runtime::instant> {
      if (me.is_over()) program.stop(0);
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
  app.add_flag("--embedded-broker", own.embedded, "Start a private Mosquitto on a free port of 127.0.0.1 and use it")
      ->group("MQTT");
  program::add_duration_option(app, "--idle-timeout", own.server.idle_timeout,
                               "Log off who has done nothing for this long, like 90s, 10m, 8h [never]")
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
        for (const auto* option : {"--host", "--port", "--url"})
          if (own.embedded && from.of(option) == origin::command_line)
            throw program::usage_error{std::string("--embedded-broker chooses its own address; leave out ") + option};
        if (own.is_standby && own.embedded)
          throw program::usage_error{
              "a broker that dies with its server has no use for a --standby; start Mosquitto "
              "by itself and leave out --embedded-broker"};
        if (own.is_standby && options.node.name == own.standby.server_node)
          throw program::usage_error{
              "a standby waits under a name of its own (--name), which is not that of the "
              "server (--server)"};
        own.standby.delay = std::chrono::duration_cast<runtime::duration>(std::chrono::duration<double>(delay_seconds));
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
