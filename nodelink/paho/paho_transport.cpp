#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <nodelink/paho/transport.hpp>
#include "paho/diagnosis.hpp"
#include "paho/mailbox.hpp"
#include "paho/sentences.hpp"
#include "paho/session.hpp"

namespace nodelink::paho {
namespace {

using std::chrono::steady_clock;

// How long input is handed to the node, while there is more, before it has its turn. It is to know what has been said
// before it does what it was asked to: answers to its own questions lie behind the requests of others.
constexpr auto reading_time = std::chrono::milliseconds(20);

// What Paho has read and the node has not. More is the end of the connection: whoever does not look at his input for so
// long is as good as dead, and the memory is everybody's.
constexpr std::size_t most_unread_bytes = 256 << 20;

constexpr auto longest_goodbye = std::chrono::seconds(1);

using message = mqtt::const_message_ptr;

struct letter {
  std::uint64_t session;
  std::variant<happening, lookup> what;
};

// Shared with the threads that look something up, which may be late.
struct letters : mailbox<letter> {
  std::atomic<std::size_t> unread_bytes = 0;
  std::atomic<int> helpers = 0;
  cancellation end_of_diagnosis;

  template <class F>
  static void help(const std::shared_ptr<letters>& box, F find_out) {
    ++box->helpers;
    std::thread([box, find_out] {
      find_out(*box);
      --box->helpers;
      box->wake();
    }).detach();
  }
};

std::size_t size_of(const message& m) {
  constexpr std::size_t around = 512;  // what keeps it
  return m->get_topic().size() + m->get_payload_ref().size() + around;
}

// Of a file that can be read and is not empty.
std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (path.empty() || !std::getline(file, line)) return std::nullopt;
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

class paho_transport final : public transport {
 public:
  paho_transport(const broker_settings& settings, reactor& loop, std::function<void()> before_connect);
  ~paho_transport() override;

  void connect(const std::string& client_id, const publication& will, transport_events& events) override;
  void subscribe(const std::vector<subscription>& to) override;
  void unsubscribe(const std::vector<std::string>& filters) override;
  void publish(publication p) override;
  bool is_congested() const override { return present_ && present_->is_congested(); }
  transport_load load() const override {
    if (!present_) return {};
    return {present_->out().queued(), present_->out().in_flight(), mailbox_->unread_bytes};
  }
  void close() override;
  void abort() override;
  void withdraw() override;
  bool is_idle() const override { return !present_ && leaving_.empty(); }

 private:
  void look_around();
  void quarter_is_over();
  void happened(letter& l);
  void happened(const happening& what);
  void happened_to_leaving(std::vector<std::unique_ptr<session>>::iterator which, const happening& what);
  void begin(const lookup& broker);
  bool may_another_be_connected() const;
  void diagnose_failure();
  void give_up(const connection_loss& loss);
  void ended(connection_loss loss);
  void leave();
  void retire(std::unique_ptr<session> over);

  broker_settings settings_;
  reactor& loop_;
  const int timer_;  // a quarter of the keepalive
  const std::function<void()> before_connect_;
  const std::shared_ptr<letters> mailbox_ = std::make_shared<letters>();
  std::deque<letter> unread_;  // out of the mailbox
  std::uint64_t sessions_ = 0;

  std::unique_ptr<session> present_;
  std::string client_id_;
  transport_events* listener_ = nullptr;
  std::optional<lookup> waits_;  // present_, for what may be connected before it

  std::vector<std::unique_ptr<session>> leaving_;  // nobody waits for their end
  // One that is over, until there is another: with its last client Paho ends its threads, and waits for them.
  std::unique_ptr<session> retired_;
};

paho_transport::paho_transport(const broker_settings& settings, reactor& loop, std::function<void()> before_connect)
    : settings_(settings),
      loop_(loop),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      before_connect_(std::move(before_connect)) {
  const auto quarter = std::chrono::milliseconds(settings_.keepalive_seconds * 250);
  const timespec time{static_cast<time_t>(quarter.count() / 1'000),
                      static_cast<long>(quarter.count() % 1'000 * 1'000'000)};
  const itimerspec every{time, time};
  ::timerfd_settime(timer_, 0, &every, nullptr);
  loop_.watch(timer_, POLLIN, [this] { quarter_is_over(); });
  loop_.watch(mailbox_->fd(), POLLIN, [this] { look_around(); });
}

paho_transport::~paho_transport() {
  abort();
  loop_.unwatch(mailbox_->fd());
  loop_.unwatch(timer_);
  ::close(timer_);
  mailbox_->end_of_diagnosis.cancel();
  for (auto& l : unread_) happened(l);
  const auto is_over = [this] { return leaving_.empty() && mailbox_->helpers == 0; };
  for (const auto until = steady_clock::now() + longest_goodbye; !is_over() && steady_clock::now() < until;) {
    pollfd more{mailbox_->fd(), POLLIN, 0};
    ::poll(&more, 1, 10);
    for (auto& l : mailbox_->take()) happened(l);
  }
}

void paho_transport::connect(const std::string& client_id, const publication& will, transport_events& events) {
  abort();
  listener_ = &events;
  client_id_ = client_id;
  const auto number = ++sessions_;
  const auto tell = [box = mailbox_, number, is_flooded = false](happening h) mutable {
    if (const auto* m = std::get_if<message>(&h)) {
      if (is_flooded) return;
      is_flooded = box->unread_bytes + size_of(*m) > most_unread_bytes;
      if (is_flooded)
        h = step::flooded;
      else
        box->unread_bytes += size_of(*m);
    }
    box->put({number, std::move(h)});
  };
  if (auto password = first_line(settings_.password_file)) settings_.password = std::move(*password);
  present_ = std::make_unique<session>(number, settings_, client_id, will, tell);
  retired_.reset();
  if (is_ip_address(settings_.host)) return begin(look_up(settings_));
  // Paho looks a name up while it holds the lock that everybody needs who calls it. So it does when the answer has just
  // been here.
  letters::help(mailbox_, [number, broker = settings_](letters& box) { box.put({number, look_up(broker)}); });
}

void paho_transport::begin(const lookup& broker) {
  if (!broker.problem.empty()) return diagnose_failure();
  if (may_another_be_connected()) {
    waits_ = broker;
    return;
  }
  if (before_connect_) before_connect_();
  present_->connect(broker.addresses);
}

// What was given up may still be answered, and would take the client identifier from whoever has it by then.
bool paho_transport::may_another_be_connected() const {
  return std::any_of(leaving_.begin(), leaving_.end(), [](const auto& s) { return s->is_connecting(); });
}

// Paho says that there is no connection, and no more.
void paho_transport::diagnose_failure() {
  letters::help(mailbox_, [number = present_->number(), broker = settings_](letters& box) {
    box.put({number, happening(diagnose(broker, box.end_of_diagnosis))});
  });
}

void paho_transport::subscribe(const std::vector<subscription>& to) {
  if (present_) present_->subscribe(to);
}

void paho_transport::unsubscribe(const std::vector<std::string>& filters) {
  if (present_) present_->unsubscribe(filters);
}

void paho_transport::publish(publication p) {
  if (present_) present_->publish(std::move(p));
}

void paho_transport::close() {
  if (present_) present_->close();
}

void paho_transport::abort() {
  if (!present_) return;
  present_->abort();
  leave();
}

void paho_transport::withdraw() {
  if (!present_) return;
  present_->withdraw();
  leave();
}

void paho_transport::leave() {
  auto last = std::move(present_);
  waits_.reset();
  if (last->is_begun())
    leaving_.push_back(std::move(last));
  else
    retire(std::move(last));
}

void paho_transport::retire(std::unique_ptr<session> over) {
  if (!present_ && leaving_.empty()) retired_ = std::move(over);
}

void paho_transport::look_around() {
  for (auto& l : mailbox_->take()) unread_.push_back(std::move(l));
  for (const auto until = steady_clock::now() + reading_time; !unread_.empty() && steady_clock::now() < until;) {
    letter next = std::move(unread_.front());
    unread_.pop_front();
    happened(next);
  }
  if (!unread_.empty()) mailbox_->wake();
  if (present_) present_->go_on();
}

void paho_transport::quarter_is_over() {
  std::uint64_t times = 0;
  (void)!::read(timer_, &times, sizeof times);
  if (present_ && present_->is_silent_too_long()) give_up(silent(address(settings_)));
}

void paho_transport::happened(letter& l) {
  auto* what = std::get_if<happening>(&l.what);
  if (what && std::holds_alternative<message>(*what)) mailbox_->unread_bytes -= size_of(std::get<message>(*what));
  if (present_ && present_->number() == l.session) return what ? happened(*what) : begin(std::get<lookup>(l.what));
  const auto left =
      std::find_if(leaving_.begin(), leaving_.end(), [&](const auto& i) { return i->number() == l.session; });
  if (left != leaving_.end() && what) happened_to_leaving(left, *what);
}

void paho_transport::happened(const happening& what) {
  if (const auto* m = std::get_if<message>(&what)) {
    present_->heard();
    return listener_->received((*m)->get_topic(), (*m)->get_payload(), (*m)->is_retained());
  }
  if (const auto* loss = std::get_if<connection_loss>(&what)) return ended(*loss);
  const auto s = std::get<step>(what);
  const bool was_last_suback = present_->take(s);
  switch (s) {
    case step::connected: return listener_->connected();
    case step::subscribed: return was_last_suback ? listener_->subscribed() : void();
    case step::refused: return give_up(subscription_refused(address(settings_), client_id_));
    case step::flooded: return give_up(flooded(address(settings_), client_id_));
    case step::failed: return diagnose_failure();
    case step::over: return ended({});
    case step::unsubscribed:
    case step::acknowledged: return present_->go_on();
  }
}

// Paho still has the connection. Whoever never came so far as to say that he is up leaves no word.
void paho_transport::give_up(const connection_loss& loss) {
  present_->was_subscribed() ? abort() : withdraw();
  listener_->disconnected(loss);
}

void paho_transport::ended(connection_loss loss) {
  auto over = std::move(present_);
  const bool is_closed = over->has_ended();
  retire(std::move(over));
  if (is_closed) return listener_->closed();
  if (loss.look_at == connection_loss::remedy::mqtt_version && !settings_.is_version_fixed) {
    settings_.mqtt_5 = !settings_.mqtt_5;
    loss.look_at = connection_loss::remedy::none;
    loss.sentence += std::string("; the next try is MQTT ") + (settings_.mqtt_5 ? "5" : "3.1.1");
  }
  listener_->disconnected(loss);
}

void paho_transport::happened_to_leaving(std::vector<std::unique_ptr<session>>::iterator which, const happening& what) {
  const auto* s = std::get_if<step>(&what);
  if (s) (*which)->take(*s);
  if (std::holds_alternative<message>(what)) (*which)->heard();
  if (std::holds_alternative<message>(what) || (s && *s != step::failed && *s != step::over)) return (*which)->go_on();
  auto over = std::move(*which);
  leaving_.erase(which);
  retire(std::move(over));
  if (waits_ && !may_another_be_connected()) begin(*std::exchange(waits_, {}));
}

}  // namespace

std::unique_ptr<transport> make_transport(const broker_settings& settings, reactor& loop,
                                          std::function<void()> before_connect) {
  return std::make_unique<paho_transport>(settings, loop, std::move(before_connect));
}

}  // namespace nodelink::paho
