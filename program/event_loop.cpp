#include "program/event_loop.hpp"

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace program {

// A standard descriptor that is closed would be given to the next socket, and what is printed to it.
static void fill_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd)
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", O_RDWR);  // takes the lowest free one: this
}

// As nohup leaves it to what it starts.
static bool is_ignored(int signal) {
  struct sigaction present {};
  return ::sigaction(signal, nullptr, &present) == 0 && present.sa_handler == SIG_IGN;
}

event_loop::event_loop() {
  fill_standard_descriptors();
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGINT);
  sigaddset(&ours, SIGTERM);
  sigaddset(&ours, SIGUSR1);
  if (!is_ignored(SIGHUP)) sigaddset(&ours, SIGHUP);
  sigaddset(&ours, SIGWINCH);
  sigaddset(&ours, SIGCONT);
  pthread_sigmask(SIG_BLOCK, &ours, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a write to a closed pipe is an error, not the end
  signals_ = ::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) throw std::system_error(errno, std::system_category(), "signalfd");
  watch(signals_, [this] {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) == sizeof info) {
      const bool is_of_window = info.ssi_signo == SIGWINCH || info.ssi_signo == SIGCONT;
      if (is_of_window && on_window_change_) on_window_change_();
      if (!is_of_window && on_signal_) on_signal_(static_cast<int>(info.ssi_signo));
    }
  });
}

event_loop::~event_loop() { ::close(signals_); }

// Rounded up, so that a deadline has come when poll() returns for it.
static int milliseconds_until(std::optional<nodelink::instant> deadline) {
  if (!deadline) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(wait, 0, 3'600'000));
}

void event_loop::run(const std::function<std::optional<nodelink::instant>()>& after_each) {
  std::optional<nodelink::instant> deadline = nodelink::instant{};
  std::vector<pollfd> polled;
  while (!std::exchange(stopped_, false)) {
    polled.clear();
    for (const auto& [fd, w] : watched_) polled.push_back({fd, w.events, 0});
    if (::poll(polled.data(), polled.size(), milliseconds_until(deadline)) < 0 && errno != EINTR)
      throw std::system_error(errno, std::system_category(), "poll");
    const auto ready_at = std::chrono::steady_clock::now();
    for (const auto& p : polled) {
      const auto found = watched_.find(p.fd);
      if (p.revents == 0 || found == watched_.end()) continue;
      const auto ready = found->second.ready;  // it may unwatch itself
      ready();
    }
    deadline = after_each();
    if (on_turn) on_turn(std::chrono::steady_clock::now() - ready_at);
  }
}

}  // namespace program
