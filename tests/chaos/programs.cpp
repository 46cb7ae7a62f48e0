#include "programs.hpp"

#include <nodelink/node.hpp>
#include "chaotic_world.hpp"
#include "client/lines.hpp"
#include "core/node_core.hpp"
#include "protocol/messages.hpp"

namespace chaos {

using nodelink::exit_signal;
using nodelink::message;
using nodelink::process;
using nodelink::self;

program::program(chaotic_world& w, host& h)
    : world_(w), host_(h), id_(h.name() + "/" + std::to_string(w.below(1'000'000))) {
  host_.listener = this;
}

void program::node_up(std::uint64_t creation) {
  world_.say(id_ + " is up, creation " + std::to_string(creation));
  up_since_ = world_.now();
  world_.contested(name());
}

void program::connection_lost(const nodelink::connection_loss& loss, duration) {
  world_.say(id_ + ": " + loss.sentence);
}

void program::replaced(std::uint64_t creation) {
  world_.say(id_ + " was replaced by creation " + std::to_string(creation));
}

void program::dropped(nodelink::drop why, std::string_view from, std::string_view what, std::uint64_t) {
  world_.say(id_ + " drops (" + to_string(why) + ", from " + std::string(from) + ") " + std::string(what));
}

void program::kill(bool with_will) {
  if (!is_running()) return;
  with_will ? host_.kill() : host_.kill_without_will();
  ended();
}

void program::restart() {
  if (is_running()) return;
  host_.restart();
  boot();
}

bool program::is_established() const { return is_up() && world_.now() >= up_since_ + soon; }

void program::freeze() {
  ++pauses_;
  host_.freeze();
}

void program::thaw() { host_.thaw(); }

void server_program::boot() {
  ++boots_;
  messenger::start_server(host_.node());
  host_.run();
}

void server_program::ended() { world_.laws().server_ended(host_); }

void server_program::node_up(std::uint64_t creation) {
  program::node_up(creation);
  if (!world_.laws().list(host_).empty()) world_.laws().violated("a server that lost its connection drops its list");
}

void server_program::crash() {
  if (!is_running() || host_.is_frozen()) return;
  host_.node().stop_process(messenger::server_name, nodelink::reason::error("chaos"));
  host_.run();
  world_.laws().server_ended(host_);
  if (host_.node().whereis(messenger::supervisor_name)) return;
  kill(true);  // as the program does: too many crashes
  world_.schedule(1s, [this] { restart(); });
}

void user_program::boot() {
  ++boots_;
  linker_ = linker_before_ = 0;
  rooms_.clear();
  out_ = std::make_unique<messenger::screen>([this](const messenger::event& e) { show(e); });
  state_ = std::make_unique<messenger::shell_state>(
      messenger::shell_state{.server_node = world_.server_node, .out = *out_, .rejoin = rejoin_});
  auto& node = host_.node();
  node.register_name(messenger::shell_name, node.spawn(messenger::shell, std::ref(*state_)));
  start_linker();
  host_.run();
}

void user_program::ended() { logged_on_.reset(); }

void user_program::act() {
  if (!is_idle() || host_.is_frozen()) return;
  if (logged_on_) {
    if (world_.one_in(8))
      type("/logoff");
    else if (world_.one_in(2))
      message(world_.random_name());
    else if (rooms_.empty() || world_.one_in(3))
      join(world_.random_room());
    else
      type(world_.one_in(4) ? "/leave" : "hello");
  } else if (is_rejoining() && !world_.one_in(8)) {
    return;
  } else {
    logon(world_.random_name());
  }
}

void user_program::logon(const std::string& name) {
  if (!is_idle() || host_.is_frozen()) return;
  type("/logon " + name);
}

void user_program::message(const std::string& to) {
  if (is_idle() && !host_.is_frozen()) type("/message " + to + " " + id_ + "#" + std::to_string(++sent_));
}

void user_program::join(const std::string& room) {
  if (is_idle() && !host_.is_frozen()) type("/join " + room);
}

// Every request ends in a reply or an exit within 5 s of its client's clock. One that is logging on again by itself
// may have to end that first.
void user_program::type(const std::string& line) {
  world_.say(name() + " types " + line);
  state_->idle = false;
  host_.node().send_local(messenger::shell_name, messenger::line_input(line));
  host_.run();
  const duration at_most = rejoin_ ? 2 * messenger::reply_timeout : messenger::reply_timeout;
  world_.schedule(at_most + 1ms, [this, line, boot = boots_, pause = pauses_, command = ++commands_] {
    if (boot == boots_ && command == commands_ && pause == pauses_ && is_running() && !is_over() && !is_idle())
      world_.laws().violated("every request ends within 5 s: " + line + " at " + name());
  });
}

void user_program::show(const messenger::event& e) {
  show_room(e);
  for (const auto& line : messenger::as_lines(e)) show(line);
}

void user_program::show_room(const messenger::event& e) {
  using namespace messenger;
  if (const auto* j = std::get_if<shown::joined>(&e)) {
    if (!rooms_.contains(j->room)) seen_[j->room] = j->seq;
    rooms_[j->room] = {j->users.begin(), j->users.end()};
    listed_[j->room] = j->seq;
  }
  if (const auto* l = std::get_if<shown::left>(&e)) rooms_.erase(l->room);
  const auto* in = std::get_if<shown::in_room>(&e);
  if (!in) return;
  const auto& [what, room, seq, name, content] = in->event;
  if (!rooms_.contains(room)) return world_.laws().violated("only members are shown what happens in a room: " + id_);
  if (seq <= std::exchange(seen_[room], seq))
    world_.laws().violated("what happens in a room is shown once and in order: " + std::to_string(seq) + " at " + id_);
  if (seq <= listed_[room]) return;
  if (what == room_event::kind::joined) rooms_[room].insert(name);
  if (what == room_event::kind::left) rooms_[room].erase(name);
}

void user_program::show(const std::string& line) {
  world_.say(name() + " sees " + line);
  last_line_ = line;
  // The name is the shell's: what was typed meanwhile may not have reached it.
  if (line == "logged_on") logged_on_.emplace(*host_.node().whereis(messenger::client_name), state_->user_name);
  if (line.starts_with("Message from ")) {
    const auto quote = line.find('"'), number = line.rfind('#');
    if (number != std::string::npos)
      world_.laws().message(id_ + std::to_string(boots_), line.substr(quote, number - quote),
                            std::stoull(line.substr(number + 1)));
  }
}

void user_program::connection_lost(const nodelink::connection_loss& loss, duration next_try) {
  program::connection_lost(loss, next_try);
  if (!logged_on_) return;
  world_.schedule(host_.lag() + 1ms, [this, who = logged_on_->first, pause = pauses_] {
    if (logged_on_ && pause == pauses_ && logged_on_->first == who)
      world_.laws().violated("who loses the connection is logged on no more: " + to_string(who));
  });
}

void user_program::process_ended(const pid& process, const nodelink::term& reason) {
  world_.say(name() + ": process " + to_string(process) + " ended: " + nodelink::brief(reason));
  if (logged_on_ && logged_on_->first.serial == process.serial) {
    logged_on_.reset();
    rooms_.clear();
  }
  // If its node is killed meanwhile the EXIT may be lost: then nodedown has to tell.
  if (host_.node().is_up())
    world_.expect_off(
        to_string(process) + ", which has ended",
        [this, process](const pid& p) { return p == process && world_.is_up(process); }, name());
}

void user_program::start_linker() {
  auto& node = host_.node();
  const auto linker = node.spawn([this](self me) { return link_and_count(me); });
  node.register_name("linker", linker);
  linker_before_ = std::exchange(linker_, linker.serial);
}

pid user_program::linker() {
  return host_.node().core().pid_of(linker_before_ != 0 && world_.one_in(4) ? linker_before_ : linker_);
}

// A link to a process that is no more, on a node that lives, gives noproc soon.
void user_program::expect_noproc(const pid& at, const pid& gone) {
  world_.schedule(soon, [this, at, gone, since = world_.now(), exits = world_.laws().exits(at, gone)] {
    const bool calm = world_.laws().is_calm(at.node, since) && world_.laws().is_calm(gone.node, since);
    if (calm && world_.lives(at) && world_.is_up(gone) && world_.laws().exits(at, gone) == exits)
      world_.laws().violated("a link to a process that is no more gives an exit soon: at " + to_string(at) + " for " +
                             to_string(gone));
  });
}

process user_program::link_and_count(self me) {
  me.trap_exit(true);
  bool is_over = false;
  while (!is_over)
    co_await me.receive(
        [&](const exit_signal& s) {
          world_.say(to_string(me.pid()) + " sees EXIT of " + to_string(s.from) + ": " + nodelink::brief(s.reason));
          if (s.from.node != world_.stranger) world_.laws().exited(me.pid(), s.from, world_.lives(s.from));
        },
        [&](const nodelink::message& m) {
          if (!m.local) return;
          if (m.content == "end") {
            is_over = true;
            return;
          }
          const auto to = *nodelink::parse_pid(m.content.get<std::string>());
          world_.laws().linked(me.pid(), to);
          if (world_.is_up(to) && !world_.lives(to)) expect_noproc(me.pid(), to);
          me.link(to);
        });
}

void user_program::link(const pid& to) {
  if (!is_up() || host_.is_frozen()) return;
  world_.say(name() + " links to " + to_string(to));
  host_.node().send_local("linker", to_string(to));
  host_.run();
}

void user_program::end_linker() {
  if (!is_running() || host_.is_frozen() || is_over()) return;
  host_.node().send_local("linker", "end");
  host_.run();
  start_linker();
  host_.run();
}

}  // namespace chaos
