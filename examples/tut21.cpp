// Ping pong with a trapped exit: pong gets the exit signal of ping as a message.
#include "ping_pong.hpp"

using namespace ping_pong;
using nodelink::exit_signal;

static process ping(self me, int n, pid pong) {
  me.link(pong);
  for (; n > 0; --n) {
    me.send(pong, ping_message{me.pid()}.write());
    co_await me.receive([](const pong_message&) { say("Ping received pong"); });
  }
  me.exit("ping");
}

static process pong(self me) {
  me.trap_exit(true);
  for (bool is_exiting = false; !is_exiting;)
    co_await me.receive(
        [&](const ping_message& m) {
          say("Pong received ping");
          me.send(m.from, pong_message{}.write());
        },
        [&](const exit_signal& s) {
          say("pong exiting, got {'EXIT'," + to_string(s.from) + "," + nodelink::brief(s.reason) + "}");
          is_exiting = true;
        });
}

int main(int argc, char** argv) {
  return run(argc, argv, "Ping pong with a trapped exit.", "the pid of pong, as it says it", is_pid, pong,
             [](self me, const std::string& pong_pid) { return ping(me, 3, nodelink::parse_pid(pong_pid).value()); });
}
