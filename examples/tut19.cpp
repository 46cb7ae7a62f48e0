// Ping pong with a time-out: pong ends when nobody has pinged it for five seconds.
#include "ping_pong.hpp"

using namespace ping_pong;
using namespace std::chrono_literals;
using nodelink::after;

static process ping(self me, int n, std::string pong_node) {
  for (; n > 0; --n) {
    me.send(registered{"pong", pong_node}, ping_message{me.pid()}.write());
    co_await me.receive([](const pong_message&) { say("Ping received pong"); });
  }
  say("ping finished");
}

static process pong(self me) {
  for (bool timed_out = false; !timed_out;)
    co_await me.receive(
        [&](const ping_message& m) {
          say("Pong received ping");
          me.send(m.from, pong_message{}.write());
        },
        after(5s, [&] {
          say("Pong timed out");
          timed_out = true;
        }));
}

int main(int argc, char** argv) {
  return run(argc, argv, "Ping pong with a time-out.", "the node of pong, NAME@HOST", nodelink::is_node_name, pong,
             [](self me, std::string pong_node) { return ping(me, 3, std::move(pong_node)); });
}
