// sensor COLLECTOR-NODE: sends the load of this machine once a second, for as long as it runs.
#include <cstdlib>

#include "fleet.hpp"

static double read_load() {
  double load = 0;
  if (::getloadavg(&load, 1) != 1) throw std::runtime_error("the load of this machine cannot be read");
  return load;
}

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: sensor COLLECTOR-NODE, such as collector@HOST\n", 2;
  host program(host_settings::from_environment("sensor"));
  program.log_to(std::cerr);
  start_sensor(program.node(), argv[1], read_load);
  return program.run();
}
