// The same fleet on a virtual clock and an in-memory broker: minutes of it take milliseconds.
#include <sstream>
#include <stdexcept>

#include <nodelink/simulation/world.hpp>

#include "fleet.hpp"

int main() {
  simulation::world world;
  world.broker().keepalive = 10s;
  std::ostringstream out;
  auto& roof = world.start("roof@house");
  auto& base = world.start("base@house");
  base.node().register_name("collector", base.node().spawn(collector, &out));
  base.run();
  world.advance(1s);  // both are up

  int readings = 0;
  start_sensor(roof.node(), "base@house", [&] {
    if (++readings == 5) throw std::runtime_error("no reading");
    return 20.5;
  });
  roof.run();
  world.advance(60s);
  roof.cut();  // the cable, for longer than the broker waits
  world.advance(3min);
  roof.heal();
  world.advance(1min);
  roof.kill();
  world.advance(1s);

  const auto said = out.str();
  std::cout << said;
  const auto has = [&](const std::string& line) { return said.find(line + "\n") != said.npos; };
  // It takes the node up to a keepalive and a half to see that the cable is cut. What it reads after that is kept.
  int lost = 0;
  for (int n = 1; n < 290; ++n) lost += has("roof@house " + std::to_string(n) + ": 20.5") ? 0 : 1;
  return lost <= 20 && has("ALARM roof@house: [\"error\",\"no reading\"], it ended") &&
                 has("ALARM roof@house: noconnection, its node died")
             ? 0
             : 1;
}
