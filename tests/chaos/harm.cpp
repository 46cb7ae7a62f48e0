// What goes wrong.
#include <array>

#include <nodelink/node.hpp>
#include "chaotic_world.hpp"
#include "core/node_core.hpp"
#include "protocol/messages.hpp"

namespace chaos {
using nodelink::encode;

namespace {

std::string seconds(duration d) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f s", std::chrono::duration<double>(d).count());
  return text.data();
}

// Mostly short, and sometimes longer than every time-out there is.
duration some_time(chaotic_world& w) {
  if (w.one_in(3)) return w.between(10ms, 1s);
  if (w.one_in(2)) return w.between(1s, 20s);
  return w.between(1s, w.broker().keepalive * 5 / 2);
}

void kill(chaotic_world& w) {
  auto& p = w.random_program();
  const bool with_will = !w.one_in(4);
  const auto time = w.one_in(3) ? 0s : some_time(w);
  if (p.is_over() || !p.is_running()) return;
  if (w.clock_goes_back && !p.is_established()) return;
  w.say("SIGKILL " + p.name() + (with_will ? "" : ", and no will") + ", back after " + seconds(time));
  // One whose clock went back finds its creation by a second try.
  if (p.name() == w.server_node || w.clock_goes_back) w.laws().disturb(p.name(), time);
  p.kill(with_will);
  w.schedule(time, [&p] { p.restart(); });
}

void freeze(chaotic_world& w) {
  auto& p = w.random_program();
  const auto time = some_time(w);
  if (p.is_over() || (w.clock_goes_back && !p.is_established())) return;
  w.say("SIGSTOP " + p.name() + " for " + seconds(time));
  w.laws().disturb(p.name(), time);
  p.freeze();
  w.schedule(time, [&w, &p] {
    w.say("SIGCONT " + p.name());
    p.thaw();
  });
}

void cut(chaotic_world& w) {
  auto& p = w.random_program();
  const auto time = some_time(w);
  w.say("the cable of " + p.name() + " is cut for " + seconds(time));
  w.laws().disturb(p.name(), time);
  p.on().cut();
  w.schedule(time, [&w, &p] {
    w.say("the cable of " + p.name() + " is mended");
    p.on().heal();
  });
}

void crash_server_process(chaotic_world& w) {
  auto* s = w.server();
  if (!s) return;
  w.say("the server process crashes");
  w.laws().disturb(s->name(), 2s);
  s->crash();
}

void stop_broker(chaotic_world& w) {
  using nodelink::simulation::persistence;
  auto& b = w.broker();
  if (!b.is_running()) return;
  const auto time = some_time(w);
  w.laws().disturb_all(time);
  const bool crash = w.one_in(2);
  const auto left = !crash ? persistence::kept
                           : std::array{persistence::kept, persistence::rolled_back, persistence::none}.at(w.below(3));
  w.say((crash ? "SIGKILL the broker, it is back after " : "SIGTERM the broker, it is back after ") + seconds(time) +
        ", retained messages " +
        (left == persistence::kept   ? "kept"
         : left == persistence::none ? "lost"
                                     : "rolled back"));
  crash ? b.crash() : b.stop();
  w.schedule(time, [&w, left] {
    w.say("the broker starts");
    if (!w.broker().is_running()) w.broker().restart(left);
  });
}

void freeze_broker(chaotic_world& w) {
  if (w.clock_goes_back) return;
  const auto time = some_time(w);
  w.say("SIGSTOP the broker for " + seconds(time));
  w.laws().disturb_all(time);
  w.broker().freeze();
  w.schedule(time, [&w] {
    w.say("SIGCONT the broker");
    w.broker().thaw();
  });
}

void fill_queues(chaotic_world& w) {
  if (w.clock_goes_back) return;
  const auto time = some_time(w);
  w.broker().max_queued = 1 + w.below(4);
  w.say("the broker queues no more than " + std::to_string(w.broker().max_queued) + " messages for " + seconds(time));
  w.schedule(time, [&w] { w.broker().max_queued = 1'020; });
  if (w.one_in(2)) freeze(w);
}

void jump_wall_clock(chaotic_world& w) {
  const auto by = std::chrono::duration_cast<std::chrono::milliseconds>(w.between(w.clock_goes_back ? -1h : 0h, 1h));
  w.say("the wall clock jumps by " + seconds(by));
  w.jump_wall_clock(by);
}

void delay(chaotic_world& w) {
  w.broker().jitter = w.between(0s, 300ms);
  w.say("packets take up to " + seconds(w.broker().jitter));
}

// What a publisher or a broker that repeats itself does to signals, statuses and logons; a message that comes twice
// is two messages.
void repeat(chaotic_world& w) {
  const auto n = 1 + w.below(4);
  w.say("one in " + std::to_string(n) + " signals, statuses and logons comes twice");
  w.broker().repeats = [&w, n](const nodelink::publication& p) {
    const bool is_message = p.payload.find("message_") != std::string::npos || p.payload.starts_with("[\"messenger\"");
    return !is_message && w.one_in(n);
  };
  w.schedule(some_time(w), [&w] { w.broker().repeats = nullptr; });
}

// What it has read and what it has handled are apart.
void be_busy(chaotic_world& w) {
  auto& p = w.one_in(2) && w.server() ? static_cast<program&>(*w.server()) : w.random_program();
  const auto lag = w.between(1ms, 1s);
  const auto time = some_time(w);
  w.say(p.name() + " is busy, and " + seconds(lag) + " behind, for " + seconds(time));
  p.on().be_busy(lag);
  w.schedule(time, [&p] { p.on().be_busy(0s); });
}

// More than one node may have waiting.
void flood(chaotic_world& w) {
  const auto before = w.broker().max_queued;
  if (before < 1'000) return;  // what the broker drops then is somebody else's
  w.broker().max_queued = 10'000;
  w.say("the stranger floods the server");
  const auto request = encode(messenger::say{pid{w.stranger, 7, 1}, "red", "flood"}.write());
  for (int i = 0; i < 1'500; ++i)
    w.broker().publish({"nodelink/1/test/to/" + w.server_node + "/messenger/from/" + w.stranger, request});
  w.schedule(1s, [&w, before] { w.broker().max_queued = before; });
}

// Only of what is said in rooms: of links and replies a full queue loses, see fill_queues().
void lose_room_events(chaotic_world& w) {
  const auto n = 2 + w.below(3);
  w.say("one in " + std::to_string(n) + " events of rooms is lost");
  w.broker().loses = [&w, n](const nodelink::publication& p) {
    return p.topic.find("/room/") != std::string::npos && w.one_in(n);
  };
  w.schedule(some_time(w), [&w] { w.broker().loses = nullptr; });
}

}  // namespace

void chaotic_world::forge() {
  const auto publish = [this](const std::string& topic, const std::string& payload, bool retain = false) {
    say("the stranger publishes:");
    broker().publish({"nodelink/1/test/" + topic, payload, retain});
  };
  user_program& victim = random_user();
  if (!victim.is_up()) return;
  const pid mine{stranger, 7, 1 + below(3)};
  const pid his = victim.logged_on() ? victim.logged_on()->first : victim.on().node().core().pid_of(1 + below(4));
  const auto* s = server();
  const pid servers = s ? const_cast<server_program*>(s)->on().node().core().pid_of(2) : pid{server_node, 1, 2};
  const std::string to_server = "to/" + (one_in(2) ? server_node + "/messenger" : to_string(servers)) + "/from/";
  const std::string to_victim = "to/" + to_string(his) + "/from/";
  switch (below(12)) {
    case 0: return publish(to_server + stranger, encode(nodelink::write_exit(his, "forged")));
    case 1: return publish(to_victim + stranger, encode(nodelink::write_exit(servers, "forged")));
    case 2: return publish(to_server + stranger, encode(messenger::logon{his, random_name()}.write()));
    case 3: return publish(to_server + stranger, encode(messenger::logon{mine, random_name()}.write()));
    case 4: return publish(to_victim + stranger, encode(nodelink::write_link(mine)));
    case 5: return publish(to_victim + stranger, encode(messenger::message_from{"ann", "user1@host/1#1"}.write()));
    case 6:
      return publish("node/" + stranger, encode(nodelink::write_status({false, his.node, his.creation, "forged"})),
                     true);
    case 7:
      if (clock_goes_back || broker().max_queued < 1'000) return;  // its owner might not hear of it
      return broker().publish({"nodelink/1/test/node/" + his.node, "", true});
    case 8: {
      std::string bytes(below(100), ' ');
      for (auto& c : bytes) c = static_cast<char>(below(256));
      return publish((one_in(2) ? to_server : to_victim) + stranger, bytes);
    }
    case 9: return publish(to_server + stranger, encode(messenger::logon{mine, random_name()}.write()), true);
    case 10:  // A retained one is no message, whoever it is from: MQTT 5 tells.
      if (!broker().mqtt_5) return;
      return publish(to_server + his.node, encode(nodelink::write_exit(his, "planted")), true);
    default:
      if (!broker().mqtt_5) return;
      return publish(to_victim + server_node, encode(nodelink::write_exit(servers, "planted")), true);
  }
}

void do_harm(chaotic_world& w) {
  switch (w.below(28)) {
    case 0:
    case 1:
    case 2:
    case 3: return kill(w);
    case 4:
    case 5: return freeze(w);
    case 6:
    case 7: return cut(w);
    case 8: return crash_server_process(w);
    case 9: return stop_broker(w);
    case 10: return freeze_broker(w);
    case 11: return fill_queues(w);
    case 12: return w.broker().save();
    case 13: return jump_wall_clock(w);
    case 14: return delay(w);
    case 15: return repeat(w);
    case 16: {
      auto& p = w.random_program();
      w.start_rival(p);
      if (w.one_in(2)) w.schedule(w.between(0s, 40s), [&w] { w.one_in(2) ? cut(w) : stop_broker(w); });
      return;
    }
    case 17: return w.repeat_a_status();
    case 18:
    case 19: return lose_room_events(w);
    case 20:
    case 21: return w.repeat_a_logon();
    case 22:
    case 23: return be_busy(w);
    case 24: return flood(w);
    default:
      for (auto n = 1 + w.below(10); n > 0; --n) w.forge();
  }
}

}  // namespace chaos
