// collector: for as long as it runs.
#include "fleet.hpp"

int main() {
  host program(host_settings::from_environment("collector"));
  program.log_to(std::cerr);
  program.node().register_name("collector", program.node().spawn(collector, &std::cout));
  return program.run();
}
