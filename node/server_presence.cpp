#include "node/server_presence.hpp"

#include <algorithm>

namespace messenger {

using nodelink::self;
using nodelink::term;

// Above all that this program has said, and above what another server can have said before.
static std::uint64_t& last_presence(self me, server_state& state) {
  auto& last = state.count.last_presence;
  return last = std::max(last, me.pid().creation);
}

void say_presence(self me, presence_event e, server_state& state) {
  e.seq = ++last_presence(me, state);
  me.say(presence_channel, e.write());
}

void server_presence(self me, const ask_presence& m, server_state& state) {
  term users = term::array();
  state.users.for_each([&users](const nodelink::pid& who, const std::string& name) {
    users.push_back(term::array({name, who.node}));
  });
  send_list(me, m.from, term::array({"messenger", "presence", last_presence(me, state)}), std::move(users), state);
}

}  // namespace messenger
