#include "paho/session.hpp"

#include <utility>

namespace nodelink::paho {

// A broker that is silent is given up before Paho does it, 2.5 times the keepalive after its last word, with a
// DISCONNECT that discards the will. Paho does not tell of PINGRESP; UNSUBACK is as good. The quarters of the keepalive
// are counted, and not the time: whoever was stopped has not waited.
constexpr int silent_until_asked = 3, silent_until_given_up = 7;

// Nobody subscribes to this. To unsubscribe from it is a question, whose answer comes behind what the broker has said
// before.
constexpr const char* no_filter = "nothing";

session::session(std::uint64_t number, const broker_settings& broker, const std::string& client_id,
                 const publication& will, std::function<void(happening)> tell)
    : number_(number), paho_(broker, client_id, will, std::move(tell)) {}

void session::connect(const std::vector<socket_address>& addresses) {
  is_begun_ = true;
  paho_.connect(addresses);
}

void session::subscribe(const std::vector<subscription>& to) {
  if (!is_up_) return;
  for (const auto& s : to) {
    paho_.subscribe(s);
    filters_.insert(s.filter);
  }
  subscribing_ += to.size();
  outbox_.wait_for(to.size());
}

void session::unsubscribe(const std::vector<std::string>& filters) {
  if (!is_up_) return;
  for (const auto& filter : filters) {
    paho_.unsubscribe(filter);
    filters_.erase(filter);
  }
  outbox_.wait_for(filters.size());
}

void session::publish(publication p) {
  if (!is_up_) return;
  outbox_.put(std::move(p));
  go_on();
}

void session::close() {
  outbox_.close();
  go_on();
}

void session::withdraw() {
  outbox_.drop();
  close();
}

// With MQTT 5 there is a DISCONNECT that has the will published (section 3.14.2.1), but Paho C++ 1.2 has no word for
// it.
void session::abort() {
  if (!is_up_) return withdraw();
  paho_.publish_will();
  is_up_ = false;
  has_ended_ = true;
  paho_.disconnect();
}

bool session::take(step what) {
  silent_ = 0;
  switch (what) {
    case step::connected:
      is_up_ = true;
      outbox_.set_receive_maximum(paho_.receive_maximum());
      return false;
    case step::failed: is_begun_ = false; return false;
    case step::subscribed:
      outbox_.answered();
      if (--subscribing_ > 0) return false;
      return was_subscribed_ = true;
    case step::unsubscribed:
    case step::refused: outbox_.answered(); return false;
    default: return false;
  }
}

void session::heard() {
  silent_ = 0;
  has_heard_ = true;
}

void session::go_on() {
  if (!is_up_) return;
  int awaited = 0, before = 0;
  do {
    before = awaited;
    const int acknowledged = paho_.take_acknowledged(awaited);
    if (acknowledged > 0) silent_ = 0;
    outbox_.acknowledged(acknowledged);
    while (const auto p = outbox_.next()) paho_.publish(*p);
    if (outbox_.is_through()) return ask_for_silence();
    awaited = outbox_.awaited_acknowledgements();
  } while (awaited != before);  // not before it is known that as many are still to come
}

// Paho closes its socket behind DISCONNECT. If anything were unread then, TCP would reset the connection, and the
// broker might never see the DISCONNECT. So first it is asked to send no more, and again until all that it had has
// come.
void session::ask_for_silence() {
  if (!filters_.empty() || has_heard_) {
    has_heard_ = false;
    std::vector<std::string> all(filters_.begin(), filters_.end());
    if (all.empty()) all.emplace_back(no_filter);
    return unsubscribe(all);
  }
  is_up_ = false;
  has_ended_ = true;
  paho_.disconnect();
}

bool session::is_silent_too_long() {
  if (!is_up_) return false;
  go_on();  // which counts what has been acknowledged
  if (++silent_ == silent_until_asked) unsubscribe({no_filter});
  return silent_ >= silent_until_given_up;
}

}  // namespace nodelink::paho
