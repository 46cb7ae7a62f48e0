// sensor COLLECTOR-NODE: sends a sample a second, for as long as it runs.
#include "fleet.hpp"

using namespace nodelink;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: sensor COLLECTOR-NODE, such as collector@HOST\n";
    return 2;
  }
  host program(host_settings::from_environment("sensor"));
  program.log_to(std::cerr);
  // Whatever ends the process, such as a collector that is not there, it is started again.
  const auto start = [collector = std::string(argv[1])](self me) { return fleet::sensor(me, collector); };
  program.node().spawn(supervisor, supervisor_flags{.intensity = supervisor_flags::unlimited, .wait = backoff(1s, 30s)},
                       std::vector<child_spec>{{.start = start, .name = "sensor"}});
  return program.run();
}
