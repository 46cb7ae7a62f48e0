// The same collector within a program that runs on Asio.
#include <asio/signal_set.hpp>

#include <nodelink/paho/asio.hpp>

#include "fleet.hpp"

int main() {
  asio::io_context context;
  nodelink::host program(host_settings::from_environment("collector"));
  program.log_to(std::cerr);
  program.node().register_name("collector", program.node().spawn(collector, &std::cout));
  drive(context, program);

  asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](auto, auto) { program.stop(); });
  context.run();
}
