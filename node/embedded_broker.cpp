#include "node/embedded_broker.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace messenger {
namespace {

using namespace std::chrono_literals;

// Debian puts it where only root's PATH looks.
std::string find_mosquitto() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path ? path : "") + ":/usr/sbin:/usr/local/sbin");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (auto file = folder + "/mosquitto"; !folder.empty() && ::access(file.c_str(), X_OK) == 0) return file;
  throw std::runtime_error(
      "--embedded-broker needs Mosquitto, which is not installed; on Debian: apt-get install mosquitto");
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("--embedded-broker found no free port on 127.0.0.1");
  return ntohs(address.sin_port);
}

bool answers(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

// Settings as measured for this use: no delay on small packets, no limit in flight, deep queues.
constexpr const char* configuration =
    "allow_anonymous true\n"
    "set_tcp_nodelay true\n"
    "max_inflight_messages 0\n"
    "max_queued_messages 100000\n"
    "max_packet_size 131072\n"
    "persistence false\n"
    "log_dest stderr\n"
    "log_type error\n"
    "log_type warning\n";

}  // namespace

embedded_broker::embedded_broker(int port)
    : mosquitto_(find_mosquitto()), wanted_port_(port), log_(::memfd_create("mosquitto.log", MFD_CLOEXEC)) {
  try {
    if (log_ < 0) throw std::runtime_error("cannot start Mosquitto: " + std::string(std::strerror(errno)));
    start();
  } catch (...) {
    end();
    throw;
  }
}

void embedded_broker::restart() {
  wanted_port_ = port_;
  end_process();
  start();
}

void embedded_broker::start() {
  // Between finding a free port and taking it somebody else may: then the next one.
  for (int attempt = 0; attempt < (wanted_port_ > 0 ? 1 : 5); ++attempt) {
    if (wanted_port_ > 0 && answers(wanted_port_))
      throw std::runtime_error("somebody else serves port " + std::to_string(wanted_port_) +
                               " of 127.0.0.1; choose another with -p, or leave it out");
    port_ = wanted_port_ > 0 ? wanted_port_ : free_port();
    // Its files are in memory: whatever ends this program, nothing is left behind.
    const int config = ::memfd_create("mosquitto.conf", MFD_CLOEXEC);
    const std::string text = "listener " + std::to_string(port_) + " 127.0.0.1\n" + configuration;
    if (::write(config, text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::ftruncate(log_, 0) != 0 ||
        ::lseek(log_, 0, SEEK_SET) != 0)
      throw std::runtime_error("cannot start Mosquitto: " + std::string(std::strerror(errno)));
    // Looked up before fork(): after it a lock of another thread's would never be released.
    const passwd* user = ::geteuid() == 0 ? ::getpwnam("mosquitto") : nullptr;
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("cannot start Mosquitto: " + std::string(std::strerror(errno)));
    if (pid_ == 0) {
      // Mosquitto started by root changes its user, and with that forgets the signal asked for here: it is
      // started as that user.
      if (user && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0))
        ::_exit(126);
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      if (::getppid() != parent) ::_exit(1);
      sigset_t none;
      sigemptyset(&none);
      ::sigprocmask(SIG_SETMASK, &none, nullptr);
      ::setpgid(0, 0);  // Ctrl-C is for this program, which then ends the broker in order
      // Not with dup2() where it is there already: that would leave it to be closed by exec.
      constexpr int config_in_child = 3;
      const int from = config == config_in_child ? ::dup(config) : config;
      ::dup2(log_, 1);
      ::dup2(log_, 2);
      ::dup2(from, config_in_child);
      ::execl(mosquitto_.c_str(), mosquitto_.c_str(), "-c", "/proc/self/fd/3", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(config);
    pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    for (int i = 0; i < 500; ++i) {
      if (answers(port_)) return;
      pollfd ended{pidfd_, POLLIN, 0};
      if (::poll(&ended, 1, 10) > 0) break;
    }
    const std::string words = last_words();
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(std::exchange(pidfd_, -1));
    pid_ = -1;
    if (words.find("in use") == std::string::npos) throw std::runtime_error("Mosquitto did not start: " + words);
  }
  throw std::runtime_error("Mosquitto did not start: every port tried was taken");
}

std::string embedded_broker::last_words() const {
  std::array<char, 4'096> end{};
  const auto size = ::lseek(log_, 0, SEEK_END);
  const auto count = ::pread(log_, end.data(), end.size(), std::max<off_t>(size - static_cast<off_t>(end.size()), 0));
  std::istringstream log(std::string(end.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))));
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) lines.push_back(line);
  std::string last;
  for (std::size_t i = lines.size() < 3 ? 0 : lines.size() - 3; i < lines.size(); ++i)
    last += (last.empty() ? "" : " | ") + lines[i];
  return last.empty() ? "it said nothing" : last;
}

embedded_broker::~embedded_broker() { end(); }

void embedded_broker::end_process() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  pollfd ended{pidfd_, POLLIN, 0};
  if (::poll(&ended, 1, 2000) <= 0) ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::close(std::exchange(pidfd_, -1));
  pid_ = -1;
}

void embedded_broker::end() {
  end_process();
  if (log_ >= 0) ::close(log_);
}

}  // namespace messenger
