#include "mqtt/sockets.hpp"

#include <array>
#include <cstdlib>

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace paho {
namespace {

int peer_port_of(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return -1;
  if (peer.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&peer)->sin_port);
  if (peer.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&peer)->sin6_port);
  return -1;
}

template <class F>
int for_each_socket(int peer_port, F f) {
  DIR* own_files = ::opendir("/proc/self/fd");
  if (!own_files) return 0;
  int found = 0;
  while (const dirent* entry = ::readdir(own_files)) {
    const int fd = static_cast<int>(std::strtol(entry->d_name, nullptr, 10));
    if (fd <= 2 || peer_port_of(fd) != peer_port) continue;
    f(fd);
    ++found;
  }
  ::closedir(own_files);
  return found;
}

}  // namespace

int set_tcp_nodelay(int peer_port) {
  return for_each_socket(peer_port, [](int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  });
}

void cut(int peer_port) {
  for_each_socket(peer_port, [](int fd) { ::shutdown(fd, SHUT_RDWR); });
}

void say_disconnect(int peer_port) {
  for_each_socket(peer_port, [](int fd) {
    constexpr std::array<unsigned char, 2> disconnect{0xe0, 0x00};  // MQTT 3.1.1 section 3.14, and 5 with reason 0
    (void)!::send(fd, disconnect.data(), disconnect.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    ::shutdown(fd, SHUT_RDWR);
  });
}

}  // namespace paho
