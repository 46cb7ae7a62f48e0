// The same fleet on a virtual clock and an in-memory broker: a minute of it takes milliseconds.
#include <sstream>

#include <nodelink/simulation/world.hpp>

#include "fleet.hpp"

using namespace fleet;

int main() {
  simulation::world world;
  std::ostringstream out;
  auto& roof = world.start("roof@house");
  auto& base = world.start("base@house");
  base.node().register_name("collector", base.node().spawn(fleet::collector, &out));
  base.run();
  world.advance(1s);  // both are up
  roof.node().spawn(fleet::sensor, std::string("base@house"));
  roof.run();
  world.advance(60s);
  roof.kill();
  world.advance(1s);
  const auto said = out.str();
  std::cout << said;
  const bool has_sampled = said.find("roof@house 60: ") != said.npos;
  const bool is_alarmed = said.find("ALARM roof@house: noconnection, its node died") != said.npos;
  return has_sampled && is_alarmed ? 0 : 1;
}
