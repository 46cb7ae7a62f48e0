#include <nodelink/simulation/world.hpp>

namespace nodelink::simulation {

world::world(std::uint64_t seed) : random_state_(seed), broker_(*this) {}
world::~world() = default;

// splitmix64: a generator whose numbers are the same on every machine.
std::uint64_t world::random() {
  std::uint64_t z = random_state_ += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

nodelink::environment world::environment() {
  return {.now = [this] { return now_; },
          .unix_time_ms =
              [this] {
                const auto since_start = std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
                return static_cast<std::uint64_t>((since_start + wall_clock_offset_).count());
              },
          .random = [this] { return random(); }};
}

void world::schedule(duration after, std::function<void()> what) {
  due_.emplace(std::pair{now_ + std::max(after, duration{}), scheduled_++}, std::move(what));
}

void world::advance(duration time) {
  const instant until = now_ + time;
  // What a test has done to the nodes since gives them something to do.
  for (const auto& h : hosts_) h->run_if_due();
  while (!due_.empty() && due_.begin()->first.first <= until) {
    auto next = due_.extract(due_.begin());
    now_ = next.key().first;
    next.mapped()();
  }
  now_ = until;
}

host& world::start(const std::string& node_name, bool monitor_nodes) {
  return start(nodelink::node_settings{.name = node_name, .cookie = "test", .monitor_nodes = monitor_nodes});
}

host& world::start(nodelink::node_settings settings) {
  return *hosts_.emplace_back(std::make_unique<host>(*this, std::move(settings)));
}

host::host(world& w, nodelink::node_settings settings) : world_(w), settings_(std::move(settings)) { boot(); }
host::~host() = default;

void host::boot() {
  frozen_ = false;
  transport_ = std::make_unique<simulated_transport>(world_.broker(), this);
  if (cut_) transport_->cut();
  node_ = std::make_unique<nodelink::node>(settings_, world_.environment(), *transport_);
  node_->observe(*this);
  node_->start();
  run();
}

void host::kill() {
  ++wake_;
  held_.clear();
  node_.reset();
  transport_.reset();
}

void host::kill_without_will() {
  transport_->withdraw();
  kill();
}

void host::restart() {
  kill();
  boot();
}

void host::congest(bool is_congested) {
  transport_->congest(is_congested);
  run();
}

void host::cut() {
  cut_ = true;
  if (transport_) transport_->cut();
}

void host::heal() {
  cut_ = false;
  if (!transport_) return;
  transport_->heal();
  if (frozen_) transport_->freeze();
}

void host::freeze() {
  if (!node_ || std::exchange(frozen_, true)) return;
  transport_->freeze();
}

void host::thaw() {
  if (!node_ || !std::exchange(frozen_, false)) return;
  transport_->thaw();
  // What had arrived is read before any time-out is looked at, as the programs' event loop does.
  auto* const before = std::exchange(world_.running_, this);
  for (auto& what : std::exchange(held_, {}))
    if (node_) what();
  world_.running_ = before;
  run();
}

void host::when_running(std::function<void()> what) {
  if (!node_) return;
  if (frozen_) {
    held_.push_back(std::move(what));
    return;
  }
  auto* const before = std::exchange(world_.running_, this);
  what();
  world_.running_ = before;
  if (lag_ == duration{}) return run();
  if (std::exchange(is_to_run_, true)) return;
  world_.schedule(lag_, [this] {
    is_to_run_ = false;
    run();
  });
}

void host::run() {
  if (!node_ || frozen_) return;
  auto* const before = std::exchange(world_.running_, this);
  node_->run();
  if (after_each) after_each();
  world_.running_ = before;
  const auto next = node_->next_deadline();
  if (!next) return;
  world_.schedule(*next - world_.now(), [this, wake = ++wake_] {
    if (wake == wake_) run();
  });
}

void host::run_if_due() {
  if (!node_ || frozen_ || lag_ != duration{}) return;
  if (const auto next = node_->next_deadline(); next && *next <= world_.now()) run();
}

void host::node_up(std::uint64_t creation) {
  log.emplace_back("up");
  if (listener) listener->node_up(creation);
}
void host::connection_lost(const nodelink::connection_loss& loss, duration next_try) {
  log.push_back("lost: " + loss.sentence);
  if (listener) listener->connection_lost(loss, next_try);
}
void host::replaced(std::uint64_t creation) {
  log.emplace_back("replaced");
  if (listener) listener->replaced(creation);
}
void host::stopped() {
  log.emplace_back("stopped");
  if (listener) listener->stopped();
}
void host::dropped(nodelink::drop why, std::string_view from, std::string_view what, std::uint64_t count) {
  if (listener) listener->dropped(why, from, what, count);
}
void host::process_ended(const nodelink::pid& process, const nodelink::term& reason) {
  log.push_back("ended " + std::to_string(process.serial) + ": " + nodelink::encode(reason));
  if (listener) listener->process_ended(process, reason);
}

}  // namespace nodelink::simulation
