// messenger-node: the node on which the messenger server runs.
#include <iostream>
#include <memory>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "node/embedded_broker.hpp"
#include "node/server.hpp"
#include "program/node_program.hpp"
#include "protocol/messages.hpp"

namespace {

std::unique_ptr<messenger::embedded_broker> start_broker(program::common_options& options, program::event_loop& loop) {
  auto broker = std::make_unique<messenger::embedded_broker>();
  options.broker.tls = options.broker.websockets = false;
  options.broker.username.clear();
  options.broker.password.clear();
  options.broker.host = "127.0.0.1";
  options.broker.port = broker->port();
  options.broker_configured = true;
  spdlog::info("embedded broker: {}", broker->url());
  loop.watch(broker->fd(), [&loop, b = broker.get()] {
    spdlog::error("the embedded broker has ended: {}", b->last_words());
    loop.unwatch(b->fd());
  });
  return broker;
}

int run(program::common_options options, const messenger::server_options& server, bool embedded) {
  program::set_up_logging(options.log_level);
  program::event_loop loop;
  const auto broker = embedded ? start_broker(options, loop) : nullptr;
  program::node_program program(
      loop, options, "start one, say where one is with -h and -p, or let this program start one: --embedded-broker");
  messenger::start_server(program.node(), server);
  // A person has seen the URL in the log; a script reads it from standard output, once the server serves.
  bool url_pending = embedded && (!::isatty(STDOUT_FILENO) || !spdlog::should_log(spdlog::level::info));
  return program.run([&]() -> std::optional<runtime::instant> {
    if (!program.node().whereis(messenger::supervisor_name))
      program.fail(program::crashed, "the server process has crashed too often; stopping");
    if (url_pending && program.node().is_up()) {
      std::cout << broker->url() << std::endl;
      url_pending = false;
    }
    return std::nullopt;
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The messenger server: keeps the list of users and passes their messages on.", "messenger-node"};
  program::common_options options;
  options.node.name = "messenger";
  options.node.monitor_nodes = true;
  messenger::server_options server;
  bool embedded = false;
  program::add_common_options(app, options, "messenger@HOST", "info");
  app.add_flag("--embedded-broker", embedded, "Start a private Mosquitto on a free port of 127.0.0.1 and use it")
      ->group("MQTT");
  program::add_duration_option(app, "--idle-timeout", server.idle_timeout,
                               "Log off who has done nothing for this long, like 90s, 10m, 8h [never]")
      ->group("Messenger");
  if (const auto code = program::parse(app, argc, argv, [&](program::configuration& from) {
        program::complete(app, from, options);
        using program::origin;
        for (const auto* option : {"--host", "--port", "--url"})
          if (embedded && from.of(option) == origin::command_line)
            throw program::usage_error{std::string("--embedded-broker chooses its own address; leave out ") + option};
      }))
    return *code;
  try {
    return run(options, server, embedded);
  } catch (const std::exception& e) {
    std::cerr << "messenger-node: " << e.what() << "\n";
    return program::run_time_failure;
  }
}
