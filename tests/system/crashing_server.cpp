// A server that crashes when somebody logs on as `crash`, for a messenger-node that has it in place of the real one.
#include <stdexcept>

#include "node/server.hpp"
#include "protocol/messages.hpp"

namespace messenger {

nodelink::process server(nodelink::self me, server_options) {
  for (;;)
    co_await me.receive([&](const logon& m) {
      if (m.name == "crash") throw std::runtime_error("somebody is called crash");
      me.send(m.from, reply{word::logged_on}.write());
      me.link(m.from);
    });
}

}  // namespace messenger
