// Apart from the server, so that a test can start another in its place.
#include <nodelink/node.hpp>
#include "node/server.hpp"
#include "protocol/messages.hpp"

namespace messenger {

void start_server(nodelink::node& node, std::function<nodelink::process(nodelink::self)> body) {
  // As OTP's supervisors of servers have it: a crash or two are mended, a server that cannot live is not.
  const nodelink::supervisor_flags flags{.intensity = 2, .period = std::chrono::minutes(1)};
  const auto supervisor =
      node.spawn(nodelink::supervisor, flags, std::vector<nodelink::child_spec>{{std::move(body), server_name}});
  node.register_name(supervisor_name, supervisor);
}

}  // namespace messenger
