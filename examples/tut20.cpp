// Ping pong with a link: ping ends with a reason that is not normal, and that ends pong.
#include "ping_pong.hpp"

using namespace ping_pong;

static process ping(self me, int n, pid pong) {
  me.link(pong);
  for (; n > 0; --n) {
    me.send(pong, ping_message{me.pid()}.write());
    co_await me.receive([](const pong_message&) { say("Ping received pong"); });
  }
  me.exit("ping");
}

static process pong(self me) {
  for (;;)
    co_await me.receive([&](const ping_message& m) {
      say("Pong received ping");
      me.send(m.from, pong_message{}.write());
    });
}

int main(int argc, char** argv) {
  return run(argc, argv, "Ping pong with a link.", "the pid of pong, as it says it", is_pid, pong,
             [](self me, const std::string& pong_pid) { return ping(me, 3, nodelink::parse_pid(pong_pid).value()); });
}
