#include <nodelink/paho/host.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <ostream>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <nodelink/paho/broker_url.hpp>
#include <nodelink/paho/transport.hpp>

#include "paho/mailbox.hpp"

namespace nodelink {
namespace {

using std::chrono::steady_clock;

// A loop that can wait in another: its one descriptor is readable when one of those in it is.
class epoll_reactor final : public paho::reactor {
 public:
  epoll_reactor() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
  }
  ~epoll_reactor() { ::close(fd_); }
  epoll_reactor(const epoll_reactor&) = delete;

  int fd() const { return fd_; }

  void watch(int fd, short events, std::function<void()> ready) override {
    const bool is_new = !watched_.contains(fd);
    watched_[fd] = std::move(ready);
    epoll_event e{};
    e.events = static_cast<std::uint32_t>(events);  // POLLIN is EPOLLIN, and so on
    e.data.fd = fd;
    ::epoll_ctl(fd_, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e);
  }
  void unwatch(int fd) override {
    if (watched_.erase(fd) > 0) ::epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr);
  }

  void look() {
    epoll_event ready[16];
    const int count = ::epoll_wait(fd_, ready, static_cast<int>(std::size(ready)), 0);
    for (int i = 0; i < count; ++i) {
      const auto found = watched_.find(ready[i].data.fd);
      if (found == watched_.end()) continue;
      const auto call = found->second;  // it may unwatch itself
      call();
    }
  }

 private:
  const int fd_;
  std::map<int, std::function<void()>> watched_;
};

class line_log final : public node_observer {
 public:
  line_log(const std::string& node, std::ostream& to) : node_(node), to_(to) {}

  void node_up(std::uint64_t) override { to_ << node_ << " is up" << std::endl; }
  void connection_lost(const connection_loss& loss, duration next_try) override {
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(next_try).count();
    to_ << node_ << ": " << loss.sentence << "; trying again in " << wait << " ms" << std::endl;
  }
  void replaced(std::uint64_t) override { to_ << node_ << ": another program has this name, and stays" << std::endl; }
  void unheard() override {
    to_ << node_ << ": what it says of itself does not come back: it may not write or read its own topics" << std::endl;
  }
  void stopped() override { to_ << node_ << " has stopped" << std::endl; }
  void dropped(drop why, std::string_view from, std::string_view what, std::uint64_t count) override {
    if ((count & (count - 1)) != 0) return;  // the first, the second, the fourth...
    to_ << node_ << ": dropped (" << to_string(why) << ", " << count << " so far), from " << (from.empty() ? "?" : from)
        << ": " << what << std::endl;
  }
  void process_ended(const pid& process, const term& reason) override {
    if (reason != reason::normal) to_ << to_string(process) << " ended: " << brief(reason) << std::endl;
  }

 private:
  const std::string node_;
  std::ostream& to_;
};

std::string short_host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return "localhost";
  const std::string whole = name;
  return whole.substr(0, whole.find('.'));
}

std::optional<std::string> of_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value && *value ? std::optional<std::string>(value) : std::nullopt;
}

int milliseconds_until(const std::optional<instant>& deadline) {
  if (!deadline) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*deadline - steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(wait, 0, 3'600'000));
}

}  // namespace

environment real_environment() {
  return {.now = [] { return steady_clock::now(); },
          .unix_time_ms =
              [] {
                const auto now = std::chrono::system_clock::now().time_since_epoch();
                return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
              },
          .random = [generator = std::mt19937_64(std::random_device{}())]() mutable { return generator(); }};
}

host_settings host_settings::from_environment(const std::string& name) {
  host_settings s;
  s.node.name = of_environment("NODELINK_NAME").value_or(name);
  if (s.node.name.find('@') == std::string::npos) s.node.name += "@" + short_host_name();
  s.node.cookie = of_environment("NODELINK_COOKIE").value_or("nodelink");
  try {
    if (const auto url = of_environment("NODELINK_BROKER")) paho::read_broker_url(*url, s.broker);
  } catch (const paho::bad_broker_url& e) {
    throw std::invalid_argument("the broker's URL (NODELINK_BROKER) " + e.fault);
  }
  if (const auto file = of_environment("NODELINK_PASSWORD_FILE")) {
    std::ifstream in(*file);
    if (!in.is_open())
      throw std::invalid_argument("the file of the password, " + *file +
                                  " (NODELINK_PASSWORD_FILE), cannot be read: " + std::strerror(errno));
    if (!std::getline(in, s.broker.password))
      throw std::invalid_argument("there is no password in " + *file + " (NODELINK_PASSWORD_FILE)");
    s.broker.password_file = *file;
    if (s.broker.username.empty())
      throw std::invalid_argument(
          "NODELINK_PASSWORD_FILE is set, and NODELINK_BROKER has no user name: mqtt://USER@HOST");
  }
  for (const char* file : {"NODELINK_CA_FILE", "NODELINK_CERTIFICATE", "NODELINK_KEY"})
    if (of_environment(file) && !s.broker.tls.on)
      throw std::invalid_argument(std::string(file) +
                                  " is set, and NODELINK_BROKER is no URL with TLS: mqtts:// or wss://");
  s.broker.tls.ca_file = of_environment("NODELINK_CA_FILE").value_or("");
  s.broker.tls.certificate = of_environment("NODELINK_CERTIFICATE").value_or("");
  s.broker.tls.key = of_environment("NODELINK_KEY").value_or("");
  return s;
}

struct host::parts final : node_observer {
  explicit parts(host_settings settings)
      : transport(paho::make_transport(settings.broker, reactor)),
        node(std::move(settings.node), real_environment(), *transport) {
    node.observe(*this);
    reactor.watch(posted.fd(), POLLIN, [this] {
      for (const auto& what : posted.take()) what();
    });
  }
  ~parts() { reactor.unwatch(posted.fd()); }

  void replaced(std::uint64_t) override { is_replaced = true; }

  bool is_over() const { return node.is_stopped() && transport->is_idle(); }

  bool step() {
    reactor.look();
    node.run();
    return !is_over();
  }

  void drive() {
    while (step()) {
      pollfd inside{reactor.fd(), POLLIN, 0};
      if (::poll(&inside, 1, milliseconds_until(node.next_deadline())) < 0 && errno != EINTR)
        throw std::system_error(errno, std::system_category(), "poll");
    }
  }

  paho::mailbox<std::function<void()>> posted;
  epoll_reactor reactor;
  std::unique_ptr<nodelink::transport> transport;
  std::unique_ptr<line_log> log;
  nodelink::node node;
  std::thread own;
  bool is_connected = false;
  bool is_replaced = false;
};

static host_settings checked(host_settings s) {
  if (s.broker.port < 1 || s.broker.port > 65'535)
    throw std::invalid_argument("the broker's port " + std::to_string(s.broker.port) + " must be 1 to 65535");
  if (s.broker.keepalive_seconds < 1 || s.broker.keepalive_seconds > 65'535)
    throw std::invalid_argument("the keepalive " + std::to_string(s.broker.keepalive_seconds) +
                                " must be 1 to 65535 seconds");
  if (s.broker.host.empty()) throw std::invalid_argument("the broker's host must not be empty");
  if (s.broker.host.find_first_of("/ \t\r\n@") != std::string::npos)
    throw std::invalid_argument("the broker's host '" + s.broker.host +
                                "' must be a name or an address; paho::read_broker_url() takes a URL apart");
  if (s.broker.tls.on)
    if (const auto problem = paho::problem_with(s.broker.tls)) throw std::invalid_argument(*problem);
  return s;
}

host::host(host_settings settings) : parts_(std::make_unique<parts>(checked(std::move(settings)))) {}

host::~host() {
  stop();
  if (parts_->own.joinable())
    parts_->own.join();
  else if (parts_->is_connected)
    parts_->drive();
}

node& host::node() { return parts_->node; }

void host::log_to(std::ostream& to) {
  parts_->log = std::make_unique<line_log>(parts_->node.name(), to);
  parts_->node.observe(*parts_->log);
}

void host::connect() {
  if (!std::exchange(parts_->is_connected, true)) parts_->node.start();
}

int host::run() {
  sigset_t asked_for;
  sigemptyset(&asked_for);
  sigaddset(&asked_for, SIGINT);
  sigaddset(&asked_for, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &asked_for, nullptr);
  const int signals = ::signalfd(-1, &asked_for, SFD_CLOEXEC | SFD_NONBLOCK);
  parts_->reactor.watch(signals, POLLIN, [this, signals] {
    signalfd_siginfo which{};
    if (::read(signals, &which, sizeof which) == sizeof which) parts_->node.stop();
  });
  connect();
  parts_->drive();
  parts_->reactor.unwatch(signals);
  ::close(signals);
  return parts_->is_replaced ? 1 : 0;
}

void host::start() {
  if (parts_->own.joinable()) throw std::logic_error("host::start() was called twice");
  // A new thread has the mask of who makes it.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  parts_->own = std::thread([this] {
    connect();
    parts_->drive();
  });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

int host::fd() const { return parts_->reactor.fd(); }
std::optional<instant> host::next_deadline() const { return parts_->node.next_deadline(); }
bool host::step() { return parts_->step(); }
void host::post(std::function<void()> what) { parts_->posted.put(std::move(what)); }
void host::stop() {
  post([this] { parts_->node.stop(); });
}

}  // namespace nodelink
