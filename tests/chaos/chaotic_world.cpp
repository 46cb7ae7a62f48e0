#include "chaotic_world.hpp"

#include <algorithm>
#include <array>

#include <nodelink/node.hpp>
#include "core/node_core.hpp"

namespace chaos {

using nodelink::encode;
using nodelink::publication;

// The longest pause between two tries to reconnect, and a try that fails.
constexpr duration longest_reconnect = 40s;

static duration pick_ticktime(std::uint64_t random) {
  constexpr std::array<duration, 3> times{8s, 20s, 60s};
  return times.at(random % times.size());
}

chaotic_world::chaotic_world(std::uint64_t seed, trace t)
    : world(seed),
      trace_(std::move(t)),
      net_ticktime_(pick_ticktime(random())),
      laws_(*this, net_ticktime_ * 5 / 4 + longest_reconnect) {
  laws_.on_violation = [this](const std::string& law) { say("VIOLATED: " + law); };
  broker().keepalive = pick_ticktime(random());
  broker().mqtt_5 = one_in(2);
  broker().jitter = one_in(2) ? between(0s, 100ms) : 0s;
  broker().on_publish = [this](const publication& p) { published(p); };
  broker().on_overflow = [this](const std::string& client, const publication& p) {
    say("the broker drops a message for " + client);
    if (p.topic == "nodelink/1/test/node/" + client) missed_its_status_.insert(client);
    laws_.disturb(client, 0s);
  };
  servers_.push_back(std::make_unique<server_program>(*this, start(settings(server_node))));
  const auto users = 2 + below(4);
  for (std::uint64_t i = 1; i <= users; ++i)
    users_.push_back(
        std::make_unique<user_program>(*this, start(settings("user" + std::to_string(i) + "@host")), one_in(2)));
}

chaotic_world::~chaotic_world() {
  broker().on_publish = nullptr;
  broker().on_overflow = nullptr;
}

nodelink::node_settings chaotic_world::settings(const std::string& name) {
  return {.name = name, .cookie = "test", .net_ticktime = net_ticktime_, .monitor_nodes = name == server_node};
}

void chaotic_world::say(const std::string& line) {
  if (!trace_) return;
  std::array<char, 32> time{};
  std::snprintf(time.data(), time.size(), "%12.6f  ", std::chrono::duration<double>(now().time_since_epoch()).count());
  trace_(time.data() + line);
}

std::string chaotic_world::random_name() {
  constexpr std::array<const char*, 4> names{"ann", "bob", "cid", "dan"};
  return names.at(below(names.size()));
}

std::vector<program*> chaotic_world::programs() {
  std::vector<program*> all;
  for (const auto& s : servers_) all.push_back(s.get());
  for (const auto& u : users_) all.push_back(u.get());
  return all;
}

program& chaotic_world::random_program() {
  const auto all = programs();
  return *all[below(all.size())];
}

server_program* chaotic_world::server() {
  for (const auto& s : servers_)
    if (s->is_up()) return s.get();
  return nullptr;
}

program* chaotic_world::program_of(const pid& p) {
  for (auto* program : programs())
    if (program->name() == p.node && program->is_up() && program->on().node().creation() == p.creation) return program;
  return nullptr;
}

bool chaotic_world::lives(const pid& p) {
  auto* program = program_of(p);
  return program && program->on().node().core().processes().find(p.serial);
}

// "logon: NAME is PID, ..." and "logoff: NAME was PID, reason ..."
void chaotic_world::server_logged(std::string_view line) {
  if (!running()) return;
  say("server: " + std::string(line));
  const bool on = line.starts_with("logon: ");
  if (!on && !line.starts_with("logoff: ")) return;
  const auto name_begin = line.find(' ') + 1;
  const auto verb = line.find(on ? " is " : " was ", name_begin);
  const auto pid_begin = verb + (on ? 4 : 5);
  const auto who = nodelink::parse_pid(line.substr(pid_begin, line.find(',', pid_begin) - pid_begin));
  if (on)
    laws_.logon(*running(), *who, std::string(line.substr(name_begin, verb - name_begin)));
  else
    laws_.logoff(*running(), *who, lives(*who));
}

void chaotic_world::expect_off(const std::string& what, std::function<bool(const pid&)> is_over,
                               const std::string& node) {
  schedule(soon, [this, what, is_over = std::move(is_over), node, since = now()] {
    auto* s = server();
    if (!s || !laws_.is_calm(server_node, since) || !laws_.is_calm(node, since)) return;
    for (const auto& [who, name] : laws_.list(s->on()))
      if (is_over(who))
        laws_.violated("an end that can be heard of is heard of soon: " + name + " is " + to_string(who) +
                       ", in spite of " + what);
  });
}

// Whether that status says that the process is no more.
static bool is_over(const nodelink::node_status& s, const pid& who) {
  return who.node == s.node && (s.up ? who.creation < s.creation : who.creation <= s.creation);
}

void chaotic_world::published(const publication& p) {
  say(p.topic.substr(sizeof "nodelink/1/test") + (p.retain ? " retained " : " ") + p.payload.substr(0, 200));
  if (p.payload.find(R"(","logon",)") != std::string::npos) logons_.push_back(p);
  if (!p.retain || p.topic.find("/node/") == std::string::npos) return;
  std::string why;
  const auto content = nodelink::decode(p.payload, why);
  const auto status = content ? nodelink::read_status(*content) : std::nullopt;
  if (!status || !p.topic.ends_with(status->node)) return;
  statuses_.push_back(p);
  expect_off(
      p.payload, [s = *status](const pid& who) { return is_over(s, who); }, status->node);
}

void chaotic_world::act() {
  if (!acting_) return;
  if (one_in(6)) {
    user_program& from = random_user();
    user_program& to = random_user();
    if (one_in(4))
      from.end_linker();
    else if (to.is_up() && &from != &to)
      from.link(to.linker());
  } else {
    random_user().act();
  }
  schedule(between(10ms, 4s), [this] { act(); });
}

void chaotic_world::start_rival(program& of) {
  if (clock_goes_back || users_.size() + servers_.size() > 8) return;
  laws_.disturb(of.name(), 3 * longest_reconnect);
  say("another program starts as " + of.name());
  host& h = start(settings(of.name()));
  if (of.name() == server_node)
    servers_.push_back(std::make_unique<server_program>(*this, h));
  else
    users_.push_back(std::make_unique<user_program>(*this, h, one_in(2)));
}

void chaotic_world::contested(const std::string& name) {
  const auto all = programs();
  if (std::count_if(all.begin(), all.end(), [&](program* p) { return p->name() == name && !p->is_over(); }) > 1)
    laws_.disturb(name, longest_reconnect);
}

void chaotic_world::repeat_a_status() {
  if (statuses_.empty() || clock_goes_back || broker().max_queued < 1'000) return;  // its owner has to hear of it
  auto p = statuses_[below(statuses_.size())];
  const auto all = programs();
  p.retain =
      std::any_of(all.begin(), all.end(), [&](program* o) { return o->is_up() && p.topic.ends_with(o->name()); });
  say("a status comes again");
  broker().publish(p);
}

void chaotic_world::repeat_a_logon() {
  if (logons_.empty() || clock_goes_back || broker().max_queued < 1'000) return;
  const auto p = logons_[below(logons_.size())];
  const auto who = nodelink::parse_pid(p.payload.substr(2, p.payload.find(',') - 3));
  if (!who || who->node == stranger || is_up(*who)) return;
  say("the logon of an incarnation that is no more comes again");
  broker().publish(p);
  std::string why;
  const auto content = nodelink::decode(broker().retained("nodelink/1/test/node/" + who->node), why);
  const auto status = content ? nodelink::read_status(*content) : std::nullopt;
  if (status && is_over(*status, *who))
    expect_off(
        "its node's status", [who = *who](const pid& listed) { return listed == who; }, who->node);
}

std::optional<std::string> chaotic_world::run() {
  act();
  const auto harms = 1 + below(12);
  for (std::uint64_t i = 0; i < harms && !laws_.violation(); ++i) {
    advance(between(0s, one_in(3) ? 60s : 10s));
    do_harm(*this);
  }
  advance(between(0s, 60s));
  heal();
  settle();
  check_agreement();
  check_links();
  check_statuses();
  calm_conversation();
  check_rooms();
  everybody_dies();
  return laws_.violation();
}

void chaotic_world::heal() {
  say("everything heals");
  acting_ = false;
  auto& b = broker();
  b.repeats = b.loses = nullptr;
  b.max_queued = 1'020;
  b.jitter = 0s;
  b.thaw();
  if (!b.is_running()) b.restart();
  for (auto* p : programs()) {
    p->thaw();
    p->on().heal();
    p->restart();
  }
}

void chaotic_world::settle() {
  advance(3 * longest_reconnect);
  advance(net_ticktime_ * 5 / 4 + broker().keepalive * 2 + longest_reconnect);
}

// The list equals the living logged-on processes, and one program of each name goes on.
void chaotic_world::check_agreement() {
  std::map<std::string, int> up;
  laws::user_list logged_on;
  for (auto* p : programs()) {
    if (p->is_up()) ++up[p->name()];
    if (!p->is_up() && !p->is_over()) laws_.violated("everybody comes back: " + p->name());
    if (p->is_up()) check_memory(*p);
  }
  for (auto* p : programs())
    if (up[p->name()] != 1)
      laws_.violated("one program of a name goes on: " + std::to_string(up[p->name()]) + " of " + p->name());
  for (const auto& u : users_)
    if (u->is_up()) {
      if (u->logged_on()) logged_on.insert(*u->logged_on());
      if (u->is_rejoining() && !u->logged_on()) laws_.violated("who rejoins is on in the end: " + u->name());
    }
  auto* s = server();
  if (!s || laws_.violation()) return;
  for (const auto& [who, name] : laws_.list(s->on()))
    if (!logged_on.contains(who)) laws_.violated("no ghost is on the list: " + name + " is " + to_string(who));
  for (const auto& [who, name] : logged_on)
    if (!laws_.list(s->on()).contains(who))
      laws_.violated("who was told so is on the list: " + name + " is " + to_string(who));
    else if (laws_.list(s->on()).at(who) != name)
      laws_.violated("everybody has his own name: " + name);
}

void chaotic_world::check_memory(program& p) {
  auto& node = p.on().node();
  node.core().processes().for_each([&](nodelink::process_state& state) {
    if (!state.mailbox.empty())
      laws_.violated("no mailbox fills up: process " + std::to_string(state.serial) + " at " + p.name());
  });
  // A shell, its watcher and explainer, the supervisor, mess_client, the linker; the server and its supervisor.
  if (node.core().processes().count() > 6) laws_.violated("no processes pile up at " + p.name());
  // The programs' nodes and the stranger's.
  if (node.core().others().size() > programs().size() + 1)
    laws_.violated("the node table does not grow at " + p.name());
}

// Both ends of every link know of it.
void chaotic_world::check_links() {
  std::set<std::pair<pid, pid>> links;
  for (auto* p : programs())
    if (p->is_up())
      p->on().node().core().processes().for_each([&](nodelink::process_state& state) {
        for (const auto& remote : state.remote_links) links.emplace(p->on().node().core().pid_of(state.serial), remote);
      });
  for (const auto& [a, b] : links)
    if (!links.contains({b, a}))
      laws_.violated("both ends know of a link: " + to_string(a) + " has one to " + to_string(b));
}

void chaotic_world::check_statuses() {
  for (auto* p : programs())
    // Whoever is not told that his status is overwritten cannot mend it.
    if (p->is_up() && !missed_its_status_.contains(p->name()) &&
        broker().retained("nodelink/1/test/node/" + p->name()) !=
            encode(nodelink::write_status({true, p->name(), p->on().node().creation(), {}})))
      laws_.violated("the broker keeps the status of who lives: " + p->name());
}

void chaotic_world::calm_conversation() {
  if (laws_.violation()) return;
  say("a calm conversation");
  for (const auto& u : users_)
    if (u->is_up() && !u->logged_on()) u->logon("calm-" + u->name());
  advance(1s);
  laws::user_list before;
  for (const auto& u : users_) {
    if (!u->is_up()) continue;
    if (!u->logged_on()) return laws_.violated("everybody can log on when all is well: " + u->name());
    before.insert(*u->logged_on());
  }
  for (const auto& [who, name] : before)
    for (const auto& u : users_) {
      if (!u->is_up()) continue;
      u->message(name);
      advance(1s);
      if (!u->is_idle() || (u->last_line() != "sent" && !u->last_line().starts_with("Message from ")))
        laws_.violated("a message is sent when all is well: " + u->name() + " sees " + u->last_line());
    }
  advance(3 * net_ticktime_);
  for (const auto& u : users_)
    if (u->is_up() && !u->logged_on()) laws_.violated("nobody is logged off when all is well: " + u->name());
  if (auto* s = server(); s && laws_.list(s->on()) != before)
    laws_.violated("the list stays as it is when all is well");
}

// Somebody new comes into each room, which who has missed something notices; and sees the server's list.
void chaotic_world::check_rooms() {
  if (laws_.violation()) return;
  users_.push_back(std::make_unique<user_program>(*this, start(settings("observer@host")), false));
  auto& observer = *users_.back();
  advance(1s);
  observer.logon("observer");
  advance(1s);
  std::map<std::string, std::set<std::string>> members;
  for (const auto* room : {"red", "blue"}) {
    observer.join(room);
    advance(1s);
  }
  for (const auto& u : users_)
    if (u->logged_on())
      for (const auto& [room, names] : u->rooms()) members[room].insert(u->logged_on()->second);
  for (const auto& u : users_)
    for (const auto& [room, names] : u->rooms())
      if (names != members[room]) {
        std::string both;
        for (const auto& n : names) both += n + " ";
        both += "instead of ";
        for (const auto& n : members[room]) both += n + " ";
        laws_.violated("every member knows who is in a room: " + u->name() + " in " + room + " knows " + both);
      }
}

void chaotic_world::everybody_dies() {
  for (const auto& u : users_) u->kill(true);
  advance(soon);
  if (auto* s = server(); s && !laws_.list(s->on()).empty()) laws_.violated("who is killed is off the list");
}

}  // namespace chaos
