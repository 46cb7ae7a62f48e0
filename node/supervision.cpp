// Apart from the server, so that a test can start another in its place.
#include "node/server.hpp"
#include "protocol/messages.hpp"
#include "runtime/node.hpp"

namespace messenger {

void start_server(runtime::node& node, std::function<runtime::process(runtime::self)> body) {
  // As OTP's supervisors of servers have it: a crash or two are mended, a server that cannot live is not.
  const runtime::supervisor_flags flags{.intensity = 2, .period = std::chrono::minutes(1)};
  const auto supervisor =
      node.spawn(runtime::supervisor, flags, std::vector<runtime::child_spec>{{std::move(body), server_name}});
  node.register_name(supervisor_name, supervisor);
}

}  // namespace messenger
