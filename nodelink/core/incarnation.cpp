#include "core/incarnation.hpp"

#include <algorithm>

namespace nodelink {

incarnation::incarnation(std::string name, int patience, const topics& where, environment env, transport& via,
                         std::vector<subscription> subscriptions, handlers on)
    : name_(std::move(name)),
      patience_(patience),
      topics_(where),
      env_(std::move(env)),
      transport_(via),
      subscriptions_(std::move(subscriptions)),
      on_(std::move(on)) {}

void incarnation::start() { begin(); }

void incarnation::begin() {
  // Wall clocks go back; a creation never does. Two programs of one name that then count up from the same number
  // would have the same ones again and again, and neither could see that it was replaced: hence the chance.
  const auto lowest = std::max(creation_, above_) + 1;
  const auto clock = env_.unix_time_ms();
  creation_ = std::min(clock >= lowest ? clock : lowest + env_.random() % longest_step, max_number);
  if (first_creation_ == 0) first_creation_ = creation_;
  ours_.insert(creation_);
  if (ours_.size() > max_remembered) ours_.erase(ours_.begin());
  state_ = state::connecting;
  early_.clear();
  deadline_ = env_.now() + connect_timeout;
  const node_status will{false, name_, creation_, reason::noconnection};
  transport_.connect(name_, {topics_.status(name_), encode(write_status(will)), true, nodedown_expiry_seconds}, *this);
}

void incarnation::connected() {
  if (state_ != state::connecting) return;
  state_ = state::subscribing;
  transport_.subscribe(subscriptions_);
}

void incarnation::subscribed() {
  if (state_ != state::subscribing) return;
  state_ = state::up;
  up_since_ = env_.now();
  deadline_ = up_since_ + longest_echo;
  announce({true, name_, creation_, {}});
  on_.up();
  for (const auto& m : std::exchange(early_, {})) received(m.topic, m.payload, m.retain);
}

// What comes before the SUBACK waits for it: the node cannot answer yet.
void incarnation::received(std::string_view topic, std::string_view payload, bool retained) {
  if (state_ == state::subscribing) early_.push_back({std::string(topic), std::string(payload), retained});
  if (state_ == state::up) on_.received(topic, payload, retained);
}

void incarnation::disconnected(const connection_loss& loss) {
  if (state_ == state::stopped) return;
  const bool was_up = state_ == state::up;
  if (state_ == state::closing && std::exchange(gives_way_to_, 0) == 0) return closed();
  const duration stood = was_up ? env_.now() - up_since_ : duration::zero();
  if (stood >= longest_wait) backoff_.reset();
  if (stood >= uncontested_after) patience_ = std::min(patience_, node_settings::usual_patience);
  state_ = state::waiting;
  if (was_up) on_.down();
  wait_to_connect(loss);
}

// While the name is contested at once: the sooner it is seen who has it, the surer it is that he is still there.
void incarnation::wait_to_connect(const connection_loss& loss) {
  const bool is_contested = env_.now() < contested_until_ && loss.what != connection_loss::kind::unreachable;
  const duration wait =
      is_contested ? backoff(first_wait, longest_wait).next(env_.random()) : backoff_.next(env_.random());
  deadline_ = env_.now() + wait;
  on_.lost(loss, wait);
}

void incarnation::closed() {
  if (state_ == state::stopped) return;
  state_ = state::stopped;
  deadline_.reset();
  if (gives_way_to_ != 0) on_.replaced(gives_way_to_);
  on_.stopped();
}

// Two programs of one name, A and B, take the connection from each other until one has found twice that the other had
// it:
//
//     A is up as 100
//     B connects as 200: A is taken over
//     A connects as 300: B is taken over. A finds "200 is down": once
//     B connects as 400: A is taken over. B finds "300 is down": once
//     A connects as 500: B is taken over. A finds "400 is down": twice. A says that 500 is down, `normal`, and when the
//                        broker has acknowledged that, A stops for good
//     B connects as 600: nobody contests it
//
// That a connection is lost says nothing: it may be a cut, or the broker. If A is taken over before its last word is
// acknowledged, it goes on: B may have found 500, and be giving way too. `established_` tells a program that merely
// starts after a long-lived namesake from one that was replaced while it lived.
void incarnation::own_status(std::optional<node_status> status) {
  if (state_ != state::up) return;
  const bool is_established = established_ == creation_;
  if (status && status->creation == creation_ && status->up) {
    established_ = creation_;
    deadline_.reset();
    return;
  }
  // Nothing can be higher than the highest: no node has come so far honestly, and ours is said again.
  if (status && status->creation > max_number - longest_step) status.reset();
  if (status && is_rival(*status, is_established)) {
    if (is_established) return replaced_by(*status);
    found_rival(*status);
    if (state_ != state::up) return;
  }
  if (status && status->creation >= creation_) return reincarnate(*status);
  // Rule 9. Cleared just now, since nothing retained is empty; or stale, since it comes after the echo, or so late
  // that the echo must be lost.
  if (!status || is_established || env_.now() >= up_since_ + echo_time) announce({true, name_, creation_, {}});
}

bool incarnation::is_rival(const node_status& status, bool is_established) const {
  if (established_ == 0 || status.creation <= established_ || ours_.contains(status.creation)) return false;
  // A nodedown that comes to a new connection is the will of one that the broker has let go for us, or for nobody;
  // one that said `normal`, or that comes to a connection that stands, is of nobody who lives.
  return status.up || (!is_established && status.reason != reason::normal);
}

// A nodedown is there because our CONNECT took the connection from it, or because it has just died. A nodeup that is
// not followed by one is of somebody whom the broker does not have: of little weight, but where no will is published at
// a takeover there is nothing else.
void incarnation::found_rival(const node_status& status) {
  const int enough_down = patience_, enough_up = 2 * enough_down;
  if (env_.now() >= contested_until_) rival_ = 0, found_up_ = found_down_ = 0;
  if (status.creation > rival_) ++(status.up ? found_up_ : found_down_);
  rival_ = std::max(rival_, status.creation);
  contested_until_ = env_.now() + contest_time;
  if (status.up ? found_up_ >= enough_up : found_down_ >= enough_down) give_way(rival_);
}

void incarnation::give_way(std::uint64_t to) {
  on_.down();
  announce({false, name_, creation_, reason::normal});
  gives_way_to_ = to;
  state_ = state::closing;
  deadline_ = env_.now() + close_timeout;
  transport_.close();
}

// Everybody takes this creation for dead, or for older than one that is dead: only a new one helps. Our own will is
// published because the broker has given up the connection, and comes before its end.
void incarnation::reincarnate(const node_status& status) {
  using kind = connection_loss::kind;
  transport_.abort();
  above_ = status.creation;
  disconnected({status.creation == creation_ ? kind::lost : kind::outranked,
                "the broker has told everybody that this node is down"});
}

void incarnation::replaced_by(const node_status& status) {
  on_.down();
  // A lower nodeup of ours would hide the other's; a higher one must not outlive us.
  if (status.creation < creation_) announce({false, name_, creation_, reason::normal});
  state_ = state::closing;
  deadline_ = env_.now() + close_timeout;
  transport_.close();
  on_.replaced(status.creation);
}

void incarnation::announce(const node_status& status) {
  transport_.publish(
      {topics_.status(name_), encode(write_status(status)), true, status.up ? 0 : nodedown_expiry_seconds});
}

void incarnation::stop() {
  gives_way_to_ = 0;  // whoever is about to give way stops in any case
  if (state_ == state::closing || state_ == state::stopped) return;
  if (state_ != state::up) {
    transport_.withdraw();
    return closed();
  }
  announce({false, name_, creation_, reason::normal});
  state_ = state::closing;
  deadline_ = env_.now() + close_timeout;
  transport_.close();
}

void incarnation::run() {
  if (!deadline_ || *deadline_ > env_.now()) return;
  deadline_.reset();
  if (state_ == state::waiting) return begin();
  if (state_ == state::up) return on_.unheard();
  // The will of a connection that never was up could hide what others have said of this node since.
  if (state_ == state::closing)
    transport_.abort();
  else
    transport_.withdraw();
  disconnected({connection_loss::kind::unreachable, "the broker did not answer in time"});
}

}  // namespace nodelink
