// A server and a user in the simulation, and a stranger who publishes whatever the input says, as anybody, as on an
// open broker: each line of it is a byte that chooses a topic and a payload. Nobody crashes, and the server serves on.
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <nodelink/simulation/world.hpp>
#include "client/shell.hpp"
#include "fuzz.hpp"
#include "node/server.hpp"
#include "protocol/messages.hpp"

namespace {

using namespace std::chrono_literals;

const std::string root = "nodelink/1/test/";

std::string topic(unsigned char choice, std::uint64_t creation) {
  const std::string from = (choice & 1U) != 0 ? "mallory@x" : "ann@host";
  const std::string process = std::to_string(creation);
  switch (choice >> 1U & 7U) {
    case 0: return root + "to/messenger@super/messenger/from/" + from;
    case 1: return root + "to/messenger@super/" + process + "-2/from/" + from;
    case 2: return root + "to/ann@host/" + process + "-2/from/messenger@super";
    case 3: return root + "to/ann@host/mess_client/from/" + from;
    case 4: return root + "node/" + from;
    case 5: return root + "node/messenger@super";
    case 6: return root + "room/lobby/from/messenger@super";
    default: return root + "to/ann@host/net_kernel/from/" + from;
  }
}

}  // namespace

void fuzz::one(std::string_view bytes) {
  static const bool quiet = [] {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_mt>()));
    return true;
  }();
  (void)quiet;
  nodelink::simulation::world w;
  auto& server = w.start("messenger@super", true);
  messenger::start_server(server.node());
  server.run();
  auto& ann = w.start("ann@host");
  const messenger::screen out([](const messenger::event&) {});
  messenger::shell_state state{.server_node = "messenger@super", .out = out};
  ann.node().register_name(messenger::shell_name, ann.node().spawn(messenger::shell, std::ref(state)));
  ann.run();
  w.advance(10ms);
  const auto type = [&](const std::string& line) {
    ann.when_running([&] { ann.node().send_local(messenger::shell_name, messenger::line_input(line)); });
    w.advance(10ms);
  };
  type("/logon ann");
  type("/join");

  while (!bytes.empty()) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    const auto line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (line.empty()) continue;
    const auto choice = static_cast<unsigned char>(line[0]);
    // Rule 9: who hears of a newer self stops. Only the broker can keep others from saying so.
    const auto where = topic(choice, ann.node().creation());
    const bool is_of_a_program = where == root + "node/messenger@super" || where == root + "node/ann@host";
    if (is_of_a_program && line.find("nodeup") != line.npos) continue;
    w.broker().publish({where, std::string(line.substr(1)), (choice & 16U) != 0});
    w.advance((choice & 32U) != 0 ? 1s : 1ms);
  }
  w.advance(2min);  // whatever was said of the two nodes, they are up again
  expect(server.node().is_up() && server.node().whereis("messenger").has_value(), "the server serves");
  type("/logoff");
  w.advance(10s);
  type("/logon ann");
  w.advance(10s);
  expect(state.idle, "the user's shell waits for the next line");
}
