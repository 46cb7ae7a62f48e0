#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "mqtt/diagnosis.hpp"
#include "mqtt/mailbox.hpp"
#include "mqtt/outbox.hpp"
#include "mqtt/paho_connection.hpp"
#include "mqtt/sentences.hpp"
#include "mqtt/transport.hpp"

namespace paho {
namespace {

using runtime::connection_loss;
using runtime::publication;
using runtime::transport_events;
using std::chrono::steady_clock;

// How long input is handed to the node, while there is more, before it has its turn. It is to know what has been said
// before it does what it was asked to: answers to its own questions lie behind the requests of others.
constexpr auto reading_time = std::chrono::milliseconds(20);

// What Paho has read and the node has not. More is the end of the connection: whoever does not look at his input for so
// long is as good as dead, and the memory is everybody's.
constexpr std::size_t most_unread_bytes = 256 << 20;

constexpr auto longest_goodbye = std::chrono::seconds(1);

// A broker that is silent is given up before Paho does it, 2.5 times the keepalive after its last word, with a
// DISCONNECT that discards the will. Paho does not tell of PINGRESP; UNSUBACK is as good. In quarters of the keepalive,
// which are counted: who was stopped has not waited.
constexpr int silent_until_asked = 3, silent_until_given_up = 7;

// Nobody subscribes to it: to unsubscribe from it is a question whose answer comes behind what the broker has said
// before.
constexpr const char* no_filter = "nothing";

using message = mqtt::const_message_ptr;

struct letter {
  std::uint64_t connection;
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

std::size_t size_of(const message& m) { return m->get_topic().size() + m->get_payload_ref().size(); }

class paho_transport final : public runtime::transport {
 public:
  paho_transport(const broker_settings& settings, reactor& loop, std::function<void()> before_connect);
  ~paho_transport() override;

  void connect(const std::string& client_id, const publication& will, transport_events& events) override;
  void subscribe(const std::vector<std::string>& filters) override;
  void unsubscribe(const std::vector<std::string>& filters) override;
  void publish(publication p) override;
  bool is_congested() const override { return is_up_ && outbox_.is_congested(); }
  void close() override;
  void abort() override;
  void withdraw() override;
  bool is_idle() const override { return !present_ && leaving_.empty(); }

 private:
  struct link {
    std::uint64_t number = 0;  // tells what is said of one connection from what is said of another
    std::unique_ptr<connection> paho;
    bool is_begun = false;    // Paho has been told to connect, and has not said that it could not
    bool has_heard = false;   // a message, since the broker was asked to send no more
    std::size_t answers = 0;  // that are awaited before DISCONNECT
  };

  void look_around();
  void listen_for_life();
  void happened(letter& l);
  void happened(const happening& what);
  void happened_to_leaving(std::vector<link>::iterator which, const happening& what);
  void begin(const lookup& broker);
  void diagnose_failure();
  void connected();
  void subscribed();
  void given_up(const connection_loss& loss);
  void ended(const connection_loss& loss);
  void leave();
  void retire(link over);
  void send_queued();
  void say_goodbye();

  const broker_settings settings_;
  reactor& loop_;
  const int timer_;
  const std::function<void()> before_connect_;
  const std::shared_ptr<letters> mailbox_ = std::make_shared<letters>();
  std::deque<letter> unread_;  // out of the mailbox
  std::uint64_t connections_ = 0;

  std::optional<link> present_;
  std::string client_id_;
  transport_events* listener_ = nullptr;
  bool is_up_ = false;
  bool was_subscribed_ = false;
  bool is_closed_ = false;         // DISCONNECT is on its way
  std::set<std::string> filters_;  // that are subscribed to
  std::size_t subscribing_ = 0;
  int silent_ = 0;  // for how many quarters of the keepalive
  outbox outbox_;

  std::vector<link> leaving_;  // nobody waits for their end
  // One that is over, until there is another: with its last client Paho ends its threads, and waits for them.
  std::unique_ptr<connection> retired_;
};

paho_transport::paho_transport(const broker_settings& settings, reactor& loop, std::function<void()> before_connect)
    : settings_(settings),
      loop_(loop),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      before_connect_(std::move(before_connect)) {
  const auto quarter = std::chrono::milliseconds(settings_.keepalive_seconds * 250);
  const timespec time{quarter.count() / 1'000, quarter.count() % 1'000 * 1'000'000};
  const itimerspec every{time, time};
  ::timerfd_settime(timer_, 0, &every, nullptr);
  loop_.watch(timer_, POLLIN, [this] { listen_for_life(); });
  loop_.watch(mailbox_->fd(), POLLIN, [this] { look_around(); });
}

paho_transport::~paho_transport() {
  abort();
  loop_.unwatch(mailbox_->fd());
  loop_.unwatch(timer_);
  ::close(timer_);
  for (auto& l : unread_) happened(l);
  mailbox_->end_of_diagnosis.cancel();
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
  was_subscribed_ = is_closed_ = false;
  subscribing_ = 0;
  filters_.clear();
  silent_ = 0;
  outbox_ = {};
  const auto number = ++connections_;
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
  present_ = {number, std::make_unique<connection>(settings_, client_id, will, tell)};
  retired_.reset();
  if (is_ip_address(settings_.host)) return begin(look_up(settings_));
  // Paho looks a name up while it holds the lock that everybody needs who calls it. So it does when the answer has just
  // been here.
  letters::help(mailbox_, [number, broker = settings_](letters& box) { box.put({number, look_up(broker)}); });
}

void paho_transport::begin(const lookup& broker) {
  if (!broker.problem.empty()) return diagnose_failure();
  present_->is_begun = true;
  if (before_connect_) before_connect_();
  present_->paho->connect(broker.addresses);
}

// Paho says that there is no connection, and no more.
void paho_transport::diagnose_failure() {
  present_->is_begun = false;
  letters::help(mailbox_, [number = present_->number, broker = settings_](letters& box) {
    box.put({number, happening(diagnose(broker, box.end_of_diagnosis))});
  });
}

void paho_transport::subscribe(const std::vector<std::string>& filters) {
  if (!is_up_) return;
  for (const auto& filter : filters) present_->paho->subscribe(filter);
  filters_.insert(filters.begin(), filters.end());
  subscribing_ += filters.size();
  outbox_.wait_for(filters.size());
}

void paho_transport::unsubscribe(const std::vector<std::string>& filters) {
  if (!is_up_) return;
  for (const auto& filter : filters) {
    present_->paho->unsubscribe(filter);
    filters_.erase(filter);
  }
  outbox_.wait_for(filters.size());
}

void paho_transport::publish(publication p) {
  if (!is_up_) return;
  outbox_.put(std::move(p));
  send_queued();
}

void paho_transport::close() {
  if (!present_) return;
  outbox_.close();
  send_queued();
}

// With MQTT 5 there is a DISCONNECT that has the will published (section 3.14.2.1), but Paho C++ 1.2 has no word for
// it.
void paho_transport::abort() {
  if (!present_) return;
  if (is_up_ && !is_closed_) present_->paho->publish_will();
  if (is_up_) present_->paho->disconnect();
  leave();
}

// Before CONNACK Paho does not say DISCONNECT: then it is said when that has come; and after it, as in say_goodbye().
void paho_transport::withdraw() {
  if (!present_) return;
  if (is_up_ && !is_closed_) {
    for (const auto& filter : filters_) present_->paho->unsubscribe(filter);
    present_->answers = outbox_.awaited_answers() + filters_.size();
    if (present_->answers == 0) present_->paho->disconnect();
  }
  leave();
}

void paho_transport::leave() {
  link last = std::move(*present_);
  present_.reset();
  is_up_ = false;
  if (last.is_begun)
    leaving_.push_back(std::move(last));
  else
    retire(std::move(last));
}

void paho_transport::retire(link over) {
  if (!present_ && leaving_.empty()) retired_ = std::move(over.paho);
}

void paho_transport::look_around() {
  for (auto& l : mailbox_->take()) unread_.push_back(std::move(l));
  for (const auto until = steady_clock::now() + reading_time; !unread_.empty() && steady_clock::now() < until;) {
    letter next = std::move(unread_.front());
    unread_.pop_front();
    happened(next);
  }
  if (!unread_.empty()) mailbox_->wake();
  send_queued();
}

void paho_transport::listen_for_life() {
  std::uint64_t times = 0;
  (void)!::read(timer_, &times, sizeof times);
  if (!is_up_ || ++silent_ < silent_until_asked) return;
  send_queued();  // which counts what has been acknowledged
  if (silent_ == silent_until_asked) unsubscribe({no_filter});
  if (silent_ >= silent_until_given_up) given_up(silent(address(settings_)));
}

void paho_transport::happened(letter& l) {
  auto* what = std::get_if<happening>(&l.what);
  if (what && std::holds_alternative<message>(*what)) mailbox_->unread_bytes -= size_of(std::get<message>(*what));
  if (present_ && present_->number == l.connection) {
    silent_ = 0;
    return what ? happened(*what) : begin(std::get<lookup>(l.what));
  }
  const auto left =
      std::find_if(leaving_.begin(), leaving_.end(), [&](const link& i) { return i.number == l.connection; });
  if (left != leaving_.end() && what) happened_to_leaving(left, *what);
}

void paho_transport::happened(const happening& what) {
  if (const auto* m = std::get_if<message>(&what)) {
    present_->has_heard = true;
    return listener_->received((*m)->get_topic(), (*m)->get_payload(), (*m)->is_retained());
  }
  if (const auto* loss = std::get_if<connection_loss>(&what)) return ended(*loss);
  switch (std::get<step>(what)) {
    case step::connected: return connected();
    case step::subscribed: return subscribed();
    case step::unsubscribed: return outbox_.answered();
    case step::acknowledged: return send_queued();
    case step::refused: return given_up(subscription_refused(address(settings_), client_id_));
    case step::flooded: return given_up(flooded(address(settings_), client_id_));
    case step::failed: return diagnose_failure();
    case step::over: return ended({});
  }
}

void paho_transport::connected() {
  is_up_ = true;
  outbox_.set_receive_maximum(present_->paho->receive_maximum());
  listener_->connected();
}

void paho_transport::subscribed() {
  outbox_.answered();
  if (--subscribing_ > 0) return;
  was_subscribed_ = true;
  listener_->subscribed();
}

// Paho still has the connection. Whoever never came so far as to say that he is up leaves no word.
void paho_transport::given_up(const connection_loss& loss) {
  was_subscribed_ ? abort() : withdraw();
  listener_->disconnected(loss);
}

void paho_transport::ended(const connection_loss& loss) {
  link over = std::move(*present_);
  present_.reset();
  is_up_ = false;
  retire(std::move(over));
  if (is_closed_)
    listener_->closed();
  else
    listener_->disconnected(loss);
}

void paho_transport::happened_to_leaving(std::vector<link>::iterator which, const happening& what) {
  if (std::holds_alternative<message>(what)) which->has_heard = true;
  const auto* s = std::get_if<step>(&what);
  const bool is_answer = s && (*s == step::subscribed || *s == step::unsubscribed || *s == step::refused);
  const bool was_last = is_answer && which->answers > 0 && --which->answers == 0;
  if (was_last && std::exchange(which->has_heard, false)) {
    which->answers = 1;
    return which->paho->unsubscribe(no_filter);
  }
  if (was_last || (s && *s == step::connected)) return which->paho->disconnect();
  if (std::holds_alternative<message>(what) || (s && *s != step::failed && *s != step::over)) return;
  link over = std::move(*which);
  leaving_.erase(which);
  retire(std::move(over));
}

// Paho closes its socket behind DISCONNECT. Were there anything unread, TCP would reset the connection, and the broker
// might never see the DISCONNECT. So first it is asked to send no more, and again until what it had is through.
void paho_transport::say_goodbye() {
  if (!filters_.empty() || present_->has_heard) {
    present_->has_heard = false;
    auto all = std::exchange(filters_, {});
    if (all.empty()) all = {no_filter};
    return unsubscribe({all.begin(), all.end()});
  }
  is_closed_ = true;
  present_->paho->disconnect();
}

void paho_transport::send_queued() {
  if (!is_up_ || is_closed_) return;
  auto& paho = *present_->paho;
  int awaited = 0, before = 0;
  do {
    before = awaited;
    const int acknowledged = paho.take_acknowledged(awaited);
    if (acknowledged > 0) silent_ = 0;
    outbox_.acknowledged(acknowledged);
    while (const auto p = outbox_.next()) paho.publish(*p);
    if (outbox_.is_through()) return say_goodbye();
    awaited = outbox_.awaited_acknowledgements();
  } while (awaited != before);  // not before it is known that as many are still to come
}

}  // namespace

std::unique_ptr<runtime::transport> make_transport(const broker_settings& settings, reactor& loop,
                                                   std::function<void()> before_connect) {
  return std::make_unique<paho_transport>(settings, loop, std::move(before_connect));
}

}  // namespace paho
