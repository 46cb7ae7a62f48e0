#include "mqtt/sockets.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static std::atomic<bool> at_once = true;

// In place of the C library's, for this program and the libraries in it: Paho looks only every 100 ms whether its
// socket is connected, so it is told at once when that takes no longer. Whoever connects without waiting waits 100 ms
// at most.
extern "C" int connect(int fd, const sockaddr* address, socklen_t size) {
  const auto result = static_cast<int>(::syscall(SYS_connect, fd, address, size));
  if (result == 0 || errno != EINPROGRESS || !at_once) return result;
  constexpr int longest_wait_ms = 100;
  pollfd connected{fd, POLLOUT, 0};
  int error = 0;
  socklen_t error_size = sizeof error;
  if (::poll(&connected, 1, longest_wait_ms) == 1 && ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) == 0 &&
      error == 0)
    return 0;
  errno = error != 0 ? error : EINPROGRESS;
  return -1;
}

namespace paho {

void connect_at_once(bool yes) { at_once = yes; }

static int peer_port_of(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return -1;
  if (peer.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&peer)->sin_port);
  if (peer.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&peer)->sin6_port);
  return -1;
}

int find_socket(int peer_port) {
  DIR* own_files = ::opendir("/proc/self/fd");
  if (!own_files) return -1;
  int found = -1;
  while (const dirent* entry = ::readdir(own_files)) {
    const int fd = static_cast<int>(std::strtol(entry->d_name, nullptr, 10));
    if (fd > 2 && peer_port_of(fd) == peer_port) found = fd;
  }
  ::closedir(own_files);
  return found;
}

std::size_t set_options(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int buffer = 1 << 20;
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  socklen_t size = sizeof buffer;
  ::getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, &size);
  // Linux takes a socket for writable when a third is free of what it says here, which is twice what it was given.
  return static_cast<std::size_t>(buffer) / 3;
}

static void set_cork(int fd, int on) { ::setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on); }

void hold(int fd) { set_cork(fd, 1); }
void let_go(int fd) { set_cork(fd, 0); }

bool is_writable(int fd) {
  pollfd p{fd, POLLOUT, 0};
  return ::poll(&p, 1, 0) == 1;
}

std::chrono::milliseconds silence(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
  return std::chrono::milliseconds(info.tcpi_last_data_recv);
}

input next_input(int fd) {
  constexpr unsigned char disconnect = 0xe0;
  std::array<unsigned char, 3> next{};
  const auto n = ::recv(fd, next.data(), next.size(), MSG_PEEK | MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return {};
  return {true, n == 3 && next[0] == disconnect && next[1] > 0 && next[1] < 0x80 ? next[2] : 0};
}

void cut(int fd) { ::shutdown(fd, SHUT_RDWR); }

void say_disconnect(int fd, bool websockets) {
  // RFC 6455 section 5.2: the last frame of a binary message, 2 bytes long, with a mask of zeros. Then MQTT 3.1.1
  // section 3.14, and 5 with reason 0.
  constexpr std::array<unsigned char, 8> disconnect{0x82, 0x82, 0, 0, 0, 0, 0xe0, 0x00};
  const std::size_t frame = websockets ? 0 : 6;
  (void)!::send(fd, disconnect.data() + frame, disconnect.size() - frame, MSG_DONTWAIT | MSG_NOSIGNAL);
  ::shutdown(fd, SHUT_RDWR);
}

}  // namespace paho
