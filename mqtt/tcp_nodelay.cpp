#include "mqtt/tcp_nodelay.hpp"

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

}  // namespace

int set_tcp_nodelay(int peer_port) {
  DIR* own_files = ::opendir("/proc/self/fd");
  if (!own_files) return 0;
  int found = 0;
  while (const dirent* entry = ::readdir(own_files)) {
    const int fd = static_cast<int>(std::strtol(entry->d_name, nullptr, 10));
    const int on = 1;
    if (fd > 2 && peer_port_of(fd) == peer_port && ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0)
      ++found;
  }
  ::closedir(own_files);
  return found;
}

}  // namespace paho
