#include "mqtt/paho_transport.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "mqtt/paho_connection.hpp"
#include "mqtt/sockets.hpp"

namespace paho {

using runtime::connection_loss;
using runtime::publication;
using runtime::transport_events;

// Paho reads for 100 ms when it waits to write. A socket that is_writable() keeps it from that, except behind a PUBACK
// that found the socket full.
constexpr auto least_paho_waits = std::chrono::milliseconds(90);

// How long packets are read, while there are more, before the node has its turn. It is to know what has been said
// before it does what it was asked to: answers to its own questions lie behind the requests of others.
constexpr auto reading_time = std::chrono::milliseconds(20);
constexpr int packets_a_look = 16;  // at the clock

// What may wait for the window and the socket before the node's processes have to.
constexpr std::size_t most_queued = 200;

// Where the threads that do the blocking calls leave what came of them. Shared with those threads: one whose connection
// was given up is left to itself.
struct paho_transport::helper {
  helper() : fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~helper() { ::close(fd); }

  void wake() const { ::eventfd_write(fd, 1); }
  std::deque<outcome> take() {
    eventfd_t count = 0;
    ::eventfd_read(fd, &count);
    const std::lock_guard lock(guard);
    return std::exchange(outcomes, {});
  }

  const int fd;  // readable when there is something to look at
  std::mutex guard;
  std::deque<outcome> outcomes;
  // One at a time in the whole program: a client of Paho's that waits reads the sockets of all of them.
  inline static std::mutex one_at_a_time;
};

paho_transport::paho_transport(broker_settings settings, watcher watch)
    : settings_(std::move(settings)),
      watch_(std::move(watch)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      helper_(std::make_shared<helper>()) {
  prepare(settings_);
  watch_(helper_->fd, POLLIN, [this] { look_around(); });
  // Paho looks at the keepalive when it is called, a tenth of it after the last time at the soonest.
  using std::chrono::milliseconds;
  const auto interval =
      std::clamp(milliseconds(settings_.keepalive_seconds * 100), milliseconds(100), milliseconds(5'000));
  const timespec time{interval.count() / 1'000, interval.count() % 1'000 * 1'000'000};
  const itimerspec every{time, time};
  ::timerfd_settime(timer_, 0, &every, nullptr);
  watch_(timer_, POLLIN, [this] {
    std::uint64_t times = 0;
    (void)!::read(timer_, &times, sizeof times);
    cut_if_silent();
    receive();
  });
}

paho_transport::~paho_transport() {
  if (is_busy_)
    withdraw();
  else
    abort();  // nobody has stopped the node: its will is to be heard
  watch_(helper_->fd, 0, {});
  watch_(timer_, 0, {});
  ::close(timer_);
}

void paho_transport::connect(const std::string& client_id, const publication& will, transport_events& events) {
  leave();
  present_ = std::make_shared<connection>(settings_, client_id);
  ++connections_;
  listener_ = &events;
  changes_.clear();
  queued_.clear();
  is_closing_ = is_closed_ = false;
  start(step::connected, [will](connection& c) { return c.connect(will); });
}

void paho_transport::subscribe(const std::vector<std::string>& filters) {
  change_subscriptions(step::subscribed, filters);
}

void paho_transport::unsubscribe(const std::vector<std::string>& filters) {
  change_subscriptions(step::unsubscribed, filters);
}

void paho_transport::change_subscriptions(step what, const std::vector<std::string>& filters) {
  if (!present_) return;
  if (changes_.empty() || changes_.back().what != what) changes_.push_back({what, {}});
  changes_.back().filters.insert(changes_.back().filters.end(), filters.begin(), filters.end());
  if (!is_busy_) start_change();
}

void paho_transport::start_change() {
  start(changes_.front().what, [next = std::move(changes_.front())](connection& c) {
    return next.what == step::subscribed ? c.subscribe(next.filters) : c.unsubscribe(next.filters);
  });
  changes_.pop_front();
}

void paho_transport::publish(publication p) {
  if (!present_) return;
  p.is_urgent ? queued_.push_front(std::move(p)) : queued_.push_back(std::move(p));
  send_queued();
}

bool paho_transport::is_congested() const { return present_ && queued_.size() >= most_queued; }

void paho_transport::close() {
  if (!present_) return;
  is_closing_ = true;
  send_queued();
}

void paho_transport::abort() {
  if (!present_) return;
  cut(is_busy_ ? find_socket(settings_.port) : present_->socket());
  leave();
}

void paho_transport::withdraw() {
  if (!present_) return;
  const int socket = find_socket(settings_.port);
  settings_.tls.on ? cut(socket) : say_disconnect(socket, settings_.websockets);
  leave();
}

// Hands the present connection to another thread, until finished().
void paho_transport::start(step what, std::function<std::optional<connection_loss>(connection&)> blocking_call) {
  flush();
  watch_socket(0);
  is_busy_ = true;
  blocked_ =
      std::thread([c = present_, number = connections_, h = helper_, what, call = std::move(blocking_call)]() mutable {
        {
          const std::lock_guard one(h->one_at_a_time);
          if (c.use_count() == 1) return c.reset();  // given up while it waited for its turn
          outcome o{number, what, call(*c)};
          c.reset();  // if nobody wants it any more it ends here
          const std::lock_guard lock(h->guard);
          h->outcomes.push_back(std::move(o));
        }
        h->wake();
      });
}

void paho_transport::finished(const outcome& o) {
  if (!present_ || connections_ != o.connection) return;  // nobody waits for it any more
  blocked_.join();
  is_busy_ = false;
  may_have_kept_ = true;
  if (o.loss) return ended(*o.loss);
  const bool is_subscribed =
      o.what == step::subscribed &&
      std::none_of(changes_.begin(), changes_.end(), [](const change& c) { return c.what == step::subscribed; });
  if (o.what != step::connected && !changes_.empty())
    start_change();
  else
    watch_socket(POLLIN);
  if (o.what == step::connected) listener_->connected();
  if (is_subscribed) listener_->subscribed();
}

void paho_transport::look_around() {
  for (const auto& o : helper_->take()) finished(o);
  receive();
}

// When the broker has not answered PINGREQ. Paho would find out later, and say DISCONNECT, which discards the will.
void paho_transport::cut_if_silent() {
  if (present_ && !is_busy_ && silence(present_->socket()) > std::chrono::seconds(settings_.keepalive_seconds) * 2)
    cut(present_->socket());
}

// Calls Paho at least once, which sees to the keepalive, unless the socket takes nothing; then see cut_if_silent().
void paho_transport::receive() {
  const auto c = present_;
  if (!c || is_busy_) return;
  // Paho reads nothing from a socket that takes nothing.
  if (!may_have_kept_ && !is_writable(c->socket())) return watch_socket(POLLOUT);
  const connection::receiver pass_on = [this](std::string_view topic, std::string_view payload, bool retained) {
    listener_->received(topic, payload, retained);
  };
  // OpenSSL may have read more than Paho has taken from it, and that is not to be seen but by asking, for one packet
  // at a time: PUBACKs of those in flight, and a PINGRESP, may stand before a PUBLISH.
  const int asked_in_vain_at_most = settings_.tls.on ? c->count_in_flight() + 2 : 0;
  int asked_in_vain = 0;
  input next = next_input(c->socket());
  using std::chrono::steady_clock;
  const auto until = steady_clock::now() + reading_time;
  for (int packets = 1; packets % packets_a_look != 0 || steady_clock::now() < until; ++packets) {
    // Paho says nothing of a DISCONNECT that it reads.
    if (next.is_there) disconnect_reason_ = next.disconnect_reason;
    const bool was_publish = c->read(pass_on);
    if (present_ != c || is_busy_) return;
    if (!was_publish) may_have_kept_ = false;
    asked_in_vain = was_publish ? 0 : asked_in_vain + 1;
    if (!c->is_connected()) return ended(c->lost(disconnect_reason_));
    next = next_input(c->socket());
    if (!next.is_there && !may_have_kept_ && asked_in_vain >= asked_in_vain_at_most) return send_queued();
    // There is more to do: what it gives rise to may leave in one segment.
    if (!std::exchange(is_held_, true)) hold(c->socket());
  }
  if (may_have_kept_ || settings_.tls.on) helper_->wake();
  send_queued();
}

void paho_transport::send_queued() {
  if (!present_ || is_busy_) return;
  auto& c = *present_;
  while (!queued_.empty() && c.has_room_for(queued_.front())) {
    const auto start = std::chrono::steady_clock::now();
    c.publish(queued_.front());
    queued_.pop_front();
    if (std::chrono::steady_clock::now() - start > least_paho_waits) {
      may_have_kept_ = true;
      helper_->wake();
    }
    if (!c.is_connected()) return helper_->wake();  // receive() will find out
  }
  if (is_closing_ && queued_.empty() && c.count_in_flight() == 0) {
    is_closed_ = true;
    c.disconnect();
    return helper_->wake();
  }
  // Room among those in flight comes by PUBACKs, which are input; room in the socket is to be waited for.
  watch_socket(!queued_.empty() && !c.is_window_full() ? POLLIN | POLLOUT : POLLIN);
}

void paho_transport::flush() {
  if (std::exchange(is_held_, false)) let_go(present_->socket());
}

void paho_transport::ended(const connection_loss& loss) {
  leave();
  if (is_closed_)
    listener_->closed();
  else
    listener_->disconnected(loss);
}

void paho_transport::leave() {
  if (!present_) return;
  watch_socket(0);
  if (is_busy_) blocked_.detach();  // it may be there for as long as a network may hang
  present_.reset();
  is_busy_ = is_held_ = may_have_kept_ = false;
  disconnect_reason_ = 0;
}

void paho_transport::watch_socket(short events) {
  if (std::exchange(watched_, events) != events) watch_(present_->socket(), events, [this] { receive(); });
}

}  // namespace paho
