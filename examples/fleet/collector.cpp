// collector: prints what the sensors say, and an alarm when one of them is gone.
#include "fleet.hpp"

int main() {
  nodelink::host program(nodelink::host_settings::from_environment("collector"));
  program.log_to(std::cerr);
  auto& node = program.node();
  node.register_name("collector", node.spawn(fleet::collector, &std::cout));
  return program.run();
}
