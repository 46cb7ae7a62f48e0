#include "bench/fleet.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <random>
#include <stdexcept>
#include <system_error>

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace bench {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

const std::string root = "messenger/1/messenger/";
const std::string filler(22, '.');        // of a text: 32 bytes with its number
constexpr std::size_t digits = 10;        // of that number
constexpr auto patience = 30s;            // with what should come by itself
constexpr auto warm_up = 200ms;           // of a closed loop
constexpr std::size_t accept_queue = 64;  // connections that may wait for the broker at once: it listens for 100

std::uint64_t new_creation() {
  static std::uint64_t last = 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  return last = std::max(last + 1, ms);
}

std::string status(const std::string& node, std::uint64_t creation, bool up) {
  return std::string(up ? "[\"nodeup\",\"" : "[\"nodedown\",\"") + node + "\"," + std::to_string(creation) +
         (up ? "]" : ",\"noconnection\"]");
}

// `R/to/<node>/...` or `["PING","<pid>"]`: what stands between `before` and `end`.
std::string_view part(std::string_view of, std::size_t before, char end) {
  return of.substr(before, of.find(end, before) - before);
}

void answer_ping(connection& c, std::string_view topic, std::string_view ping, int qos) {
  const auto node = part(topic, root.size() + 3, '/');
  const auto asker = part(ping, 9, '"');
  c.publish(root + "to/" + std::string(asker) + "/from/" + std::string(node),
            "[\"PONG\",\"" + std::string(node) + "\"]", qos);
}

}  // namespace

fleet::fleet(int port, const std::string& name, std::size_t size, int qos)
    : port_(port), qos_(qos), epoll_(::epoll_create1(EPOLL_CLOEXEC)), creation_(new_creation()), clients_(size) {
  if (epoll_ < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
  for (std::size_t i = 0; i < size; ++i) {
    clients_[i].node = name + std::to_string(i) + "@load";
    clients_[i].pid = clients_[i].node + "/" + std::to_string(creation_) + "-1";
  }
}

fleet::~fleet() { ::close(epoll_); }

void fleet::use(const std::string& server, std::size_t clients) {
  server_ = server;
  in_use_ = clients;
  for (std::size_t i = 0; i < clients; ++i) {
    auto& c = clients_[i];
    c.request_topic = root + "to/" + server + "/messenger/from/" + c.node;
    c.request_head = "[\"" + c.pid + "\",\"message_to\",\"" + clients_[(i + 1) % clients].pid + "\",\"";
    c.sent = c.received = 0;
  }
}

duration fleet::log_on(const std::string& server) {
  use(server, clients_.size());
  const auto start = steady_clock::now();
  logging_on_ = true;
  on_ = 0;
  std::size_t next = 0;
  for (auto& c : clients_) {
    c.is_on = false;
    if (c.at == client::step::connected) go_on(c), flush(c);
  }
  while (on_ < clients_.size()) {
    for (; next < clients_.size() && connecting_ < accept_queue; ++next) {
      auto& c = clients_[next];
      if (c.at != client::step::away) continue;
      c.mqtt.open(port_, c.node, {root + "node/" + c.node, status(c.node, creation_, false)});
      c.at = client::step::connecting;
      ++connecting_;
      epoll_event event{EPOLLIN | EPOLLOUT, {.ptr = &c}};
      c.waits_for_output = true;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.mqtt.fd(), &event);
    }
    wait(100ms);
    if (steady_clock::now() > start + 4 * patience) throw std::runtime_error("not every client could log on");
  }
  logging_on_ = false;
  return steady_clock::now() - start;
}

// The next step of a client that is logging on.
void fleet::go_on(client& c) {
  using step = client::step;
  if (c.at == step::connecting && c.mqtt.is_connected()) {
    --connecting_;
    c.mqtt.subscribe(root + "to/" + c.node + "/+/from/+", qos_);
    c.at = step::subscribing;
  } else if ((c.at == step::subscribing && c.mqtt.is_subscribed()) || c.at == step::connected) {
    if (c.at != step::connected) c.mqtt.publish(root + "node/" + c.node, status(c.node, creation_, true), 1, true);
    c.at = step::connected;
    if (logging_on_ && !c.is_on)
      c.mqtt.publish(c.request_topic, "[\"" + c.pid + "\",\"logon\",\"" + c.pid + "\"]", qos_);
  }
}

void fleet::wait(duration at_most) {
  std::array<epoll_event, 256> events;
  const timespec time{at_most.count() / 1'000'000'000, at_most.count() % 1'000'000'000};
  const int n = ::epoll_pwait2(epoll_, events.data(), events.size(), &time, nullptr);
  for (int i = 0; i < n; ++i) {
    auto& c = *static_cast<client*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (events[static_cast<std::size_t>(i)].events & ~static_cast<std::uint32_t>(EPOLLOUT)) {
      c.mqtt.read([&](std::string_view topic, std::string_view payload) { received(c, topic, payload); });
      if (c.at != client::step::connected) go_on(c);
    }
    flush(c);
  }
}

void fleet::wait_until(instant end) {
  for (auto now = steady_clock::now(); now < end; now = steady_clock::now()) wait(end - now);
}

void fleet::flush(client& c) {
  const bool waits = !c.mqtt.flush();
  if (waits == c.waits_for_output) return;
  c.waits_for_output = waits;
  epoll_event event{waits ? EPOLLIN | EPOLLOUT : EPOLLIN, {.ptr = &c}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, c.mqtt.fd(), &event);
}

void fleet::send_request(client& c, instant intended) {
  std::array<char, digits> number;
  number.fill('0');
  std::array<char, 20> text;
  const auto size = static_cast<std::size_t>(std::to_chars(text.begin(), text.end(), c.sent++).ptr - text.data());
  std::copy_n(text.begin(), size, number.end() - static_cast<std::ptrdiff_t>(size));
  c.under_way.push_back(intended);
  c.mqtt.publish(c.request_topic, c.request_head + std::string(number.data(), digits) + filler + "\"]", qos_);
}

void fleet::received(client& c, std::string_view topic, std::string_view payload) {
  if (payload.starts_with("[\"message_from\"")) {
    const auto number = payload.substr(payload.size() - 2 - filler.size() - digits, digits);
    std::uint64_t n = 0;
    std::from_chars(number.data(), number.data() + number.size(), n);
    // What is lost is seen when they are counted; what comes late or twice must not be.
    if (n < c.received)
      throw std::runtime_error("at " + c.node + " message " + std::to_string(n) + " came late or twice");
    c.received = n + 1;
    if (load_) ++load_->delivered;
  } else if (payload == "[\"messenger\",\"sent\"]") {
    const auto now = steady_clock::now();
    if (c.under_way.empty()) throw std::runtime_error("a reply too many at " + c.node);
    if (load_) {
      ++load_->replies;
      if (from_ && now >= *from_ && now < *until_) {
        ++counted_;
        load_->latency.add(now - c.under_way.front());
      }
    }
    c.under_way.pop_front();
    if (again_) send_request(c, now);
  } else if (payload == "[\"messenger\",\"logged_on\"]") {
    c.is_on = true;
    ++on_;
  } else if (payload.starts_with("[\"PING\"")) {
    answer_ping(c.mqtt, topic, payload, qos_);
  } else if (!payload.starts_with("[\"LINK\"") && !payload.starts_with("[\"PONG\"")) {
    throw std::runtime_error("unexpected at " + c.node + ": " + std::string(payload));
  }
}

std::uint64_t fleet::total(std::uint64_t client::*what) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < in_use_; ++i) sum += clients_[i].*what;
  return sum;
}

// Until everything has come, and all of it exactly once.
void fleet::drain(load& result) {
  again_ = false;
  for (const auto end = steady_clock::now() + patience;;) {
    result.requests = total(&client::sent);
    if (result.replies == result.requests && result.delivered == result.requests) break;
    if (steady_clock::now() > end) break;
    wait(10ms);
  }
  load_ = nullptr;
  from_.reset();
  for (auto& c : clients_) c.under_way.clear();
}

load fleet::closed_loop(const std::string& server, std::size_t clients, int window, duration time) {
  load result;
  use(server, clients);
  load_ = &result;
  again_ = true;
  counted_ = 0;
  from_ = steady_clock::now() + warm_up;
  until_ = *from_ + time;
  for (std::size_t i = 0; i < clients; ++i) {
    for (int n = 0; n < window; ++n) send_request(clients_[i], steady_clock::now());
    flush(clients_[i]);
  }
  while (steady_clock::now() < *until_) wait(10ms);
  result.rate = static_cast<double>(counted_) / std::chrono::duration<double>(time).count();
  drain(result);
  return result;
}

load fleet::open_loop(const std::string& server, std::size_t clients, double rate, duration time) {
  load result;
  use(server, clients);
  load_ = &result;
  counted_ = 0;
  std::mt19937 random(1);
  // Where nothing came through while the capacity was measured, there is no rate.
  std::exponential_distribution<double> gap(std::max(rate, 1.0));
  const auto start = steady_clock::now();
  from_ = start;
  until_ = start + time;
  auto due = start;
  for (std::size_t next = 0; due < *until_;) {
    const auto now = steady_clock::now();
    for (; due <= now && due < *until_; next = (next + 1) % clients) {
      send_request(clients_[next], due);
      flush(clients_[next]);
      due += std::chrono::duration_cast<duration>(std::chrono::duration<double>(gap(random)));
    }
    wait(std::max<duration>(due - steady_clock::now(), 0ns));
  }
  while (steady_clock::now() < *until_) wait(1ms);
  result.rate = static_cast<double>(counted_) / std::chrono::duration<double>(time).count();
  // What is late counts for latency all the same.
  until_ = instant::max();
  drain(result);
  return result;
}

duration fleet::request(const std::string& server, std::size_t client) {
  use(server, clients_.size());
  auto& c = clients_[client];
  load result;
  load_ = &result;
  const auto start = steady_clock::now();
  from_ = start;
  until_ = instant::max();
  send_request(c, start);
  flush(c);
  drain(result);
  if (result.replies != 1) throw std::runtime_error("no reply");
  return result.latency.at(1);
}

void fleet::kill() {
  for (auto& c : clients_) {
    c.mqtt.close();
    c.at = client::step::away;
    c.is_on = false;
  }
}

crowd::crowd(int port, const std::string& name, std::size_t size, std::string server)
    : name_(name), size_(size), server_(std::move(server)), creation_(new_creation()) {
  mqtt_.open(port, name + "@gateway");
  const auto until = [this](auto done) {
    for (const auto end = steady_clock::now() + patience; !done();) {
      if (steady_clock::now() > end) throw std::runtime_error("the gateway could not connect");
      wait(10ms);
    }
  };
  until([this] { return mqtt_.is_connected(); });
  mqtt_.subscribe(root + "to/+/+/from/" + server_, 1);
  until([this] { return mqtt_.is_subscribed(); });
}

void crowd::wait(duration at_most) {
  pollfd p{mqtt_.fd(), static_cast<short>(POLLIN | (mqtt_.has_output() ? POLLOUT : 0)), 0};
  ::poll(&p, 1, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(at_most).count()));
  mqtt_.flush();
  if (!(p.revents & POLLIN)) return;
  mqtt_.read([this](std::string_view topic, std::string_view payload) {
    if (payload == "[\"messenger\",\"logged_on\"]") {
      ++on_;
    } else if (payload.starts_with("[\"PING\"")) {
      ++pings_;
      answer_ping(mqtt_, topic, payload, 1);
    }
  });
  mqtt_.flush();
}

void crowd::log_on() {
  constexpr std::size_t at_once = 200;
  auto last = steady_clock::now();
  for (std::size_t sent = 0, before = 0; on_ < size_;) {
    for (; sent < size_ && sent < on_ + at_once; ++sent) {
      const std::string node = name_ + std::to_string(sent) + "@load";
      const std::string pid = node + "/" + std::to_string(creation_) + "-1";
      mqtt_.publish(root + "to/" + server_ + "/messenger/from/" + node, "[\"" + pid + "\",\"logon\",\"" + pid + "\"]",
                    1);
    }
    wait(100ms);
    if (on_ > before) before = on_, last = steady_clock::now();
    if (steady_clock::now() > last + patience) throw std::runtime_error("not everybody in the crowd could log on");
  }
}

std::uint64_t crowd::answer(duration time) {
  const auto before = pings_;
  for (const auto end = steady_clock::now() + time; steady_clock::now() < end;) wait(100ms);
  return pings_ - before;
}

}  // namespace bench
