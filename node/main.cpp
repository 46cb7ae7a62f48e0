// messenger-node: the node on which the messenger server runs.
#include <iostream>
#include <memory>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "node/embedded_broker.hpp"
#include "node/server.hpp"
#include "node/standby.hpp"
#include "program/node_program.hpp"
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
  std::string server_node = messenger::server_name;  // of which this is a standby
  double standby_delay_seconds = 1;
  paho::broker_settings broker_as_server;  // with the credentials of that node
};

constexpr const char* no_broker_hint =
    "start one, say where one is with -h and -p, or let this program start one: --embedded-broker";

// Is the server, until it is stopped.
int serve(program::event_loop& loop, const program::common_options& options, const server_settings& own,
          const messenger::embedded_broker* broker, bool* is_lost = nullptr) {
  program::node_program program(loop, options, no_broker_hint);
  program.stops_when_lost = is_lost != nullptr;
  auto server = own.server;
  server.last_event = std::make_shared<std::uint64_t>(0);
  messenger::start_server(program.node(), server);
  // A person has seen the URL in the log; a script reads it from standard output, once the server serves.
  bool url_pending = broker && (!::isatty(STDOUT_FILENO) || !spdlog::should_log(spdlog::level::info));
  const int code = program.run([&]() -> std::optional<runtime::instant> {
    if (!program.node().whereis(messenger::supervisor_name))
      program.fail(program::crashed, "the server process has crashed too often; stopping");
    if (url_pending && program.node().is_up()) {
      std::cout << broker->url() << std::endl;
      url_pending = false;
    }
    return std::nullopt;
  });
  if (is_lost) *is_lost = program.is_lost();
  return code;
}

// Is a standby, until it is stopped, or it is its turn to be the server.
int stand_by(program::event_loop& loop, const program::common_options& options, const server_settings& own,
             bool& is_its_turn) {
  program::node_program program(loop, options, no_broker_hint);
  auto& node = program.node();
  const std::chrono::duration<double> delay(own.standby_delay_seconds);
  node.register_name(messenger::standby_name,
                     node.spawn(messenger::standby, messenger::standby_options{
                                                        .server_node = own.server_node,
                                                        .delay = std::chrono::duration_cast<runtime::duration>(delay),
                                                        .net_ticktime = options.node.net_ticktime}));
  spdlog::info("standing by for {}", own.server_node);
  return program.run([&]() -> std::optional<runtime::instant> {
    if (!program.is_stopping() && !node.whereis(messenger::standby_name)) {
      spdlog::info("{} is down; this program takes its name", own.server_node);
      is_its_turn = true;
      program.stop(0);
    }
    return std::nullopt;
  });
}

// One after the other on one thread: a standby that becomes the server is that node and no longer its own; a server
// that loses its connection waits like everybody else, so that it never takes the name from whoever serves by then.
int stand_by_and_serve(program::event_loop& loop, program::common_options options, const server_settings& own) {
  auto as_server = options;
  as_server.node.name = own.server_node;
  as_server.node.monitor_nodes = true;
  as_server.broker = own.broker_as_server;
  for (;;) {
    bool is_its_turn = false, is_lost = false;
    if (const int code = stand_by(loop, options, own, is_its_turn); !is_its_turn) return code;
    if (const int code = serve(loop, as_server, own, nullptr, &is_lost); !is_lost) return code;
    options.broker_configured = true;  // there was one, and it may come back
  }
}

int run(program::common_options options, const server_settings& own) {
  program::set_up_logging(options.log_level);
  program::event_loop loop;
  if (own.is_standby) return stand_by_and_serve(loop, options, own);
  const auto broker = own.embedded ? start_broker(options, loop) : nullptr;
  options.node.monitor_nodes = true;
  return serve(loop, options, own, broker.get());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The messenger server: keeps the list of users and passes their messages on.", "messenger-node"};
  program::common_options options;
  options.node.name = messenger::server_name;
  server_settings own;
  program::add_common_options(app, options, "messenger@HOST", "info");
  app.add_flag("--embedded-broker", own.embedded, "Start a private Mosquitto on a free port of 127.0.0.1 and use it")
      ->group("MQTT");
  program::add_duration_option(app, "--idle-timeout", own.server.idle_timeout,
                               "Log off who has done nothing for this long, like 90s, 10m, 8h [never]")
      ->group("Messenger");
  app.add_flag("--standby", own.is_standby,
               "Wait as node --name, and be the server's node whenever there is none; several may")
      ->group("Messenger");
  app.add_option("--server", own.server_node, "The server's node, for --standby [messenger@HOST]")
      ->type_name("NAME[@HOST]")
      ->envname("MESSENGER_SERVER_NODE")
      ->group("Messenger");
  app.add_option("--standby-delay", own.standby_delay_seconds,
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
        own.server_node = program::node_name(own.server_node, "--server");
        from.is_in_force("--server", own.server_node);
        for (const auto* option : {"--host", "--port", "--url"})
          if (own.embedded && from.of(option) == origin::command_line)
            throw program::usage_error{std::string("--embedded-broker chooses its own address; leave out ") + option};
        if (own.is_standby && own.embedded)
          throw program::usage_error{
              "a broker that dies with its server has no use for a --standby; start Mosquitto "
              "by itself and leave out --embedded-broker"};
        if (own.is_standby && options.node.name == own.server_node)
          throw program::usage_error{
              "a standby waits under a name of its own (--name), which is not that of the "
              "server (--server)"};
        if (own.is_standby) own.broker_as_server = program::broker_as(own.server_node, options);
      }))
    return *code;
  try {
    return run(options, own);
  } catch (const std::exception& e) {
    std::cerr << "messenger-node: " << e.what() << "\n";
    return program::run_time_failure;
  }
}
