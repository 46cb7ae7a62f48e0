#include "paho/tcp_nodelay.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace nodelink::paho {

std::set<int> open_descriptors() {
  std::set<int> open;
  const std::unique_ptr<DIR, int (*)(DIR*)> own(::opendir("/proc/self/fd"), ::closedir);
  while (const dirent* entry = own ? ::readdir(own.get()) : nullptr)
    if (entry->d_name[0] != '.') open.insert(static_cast<int>(std::strtol(entry->d_name, nullptr, 10)));
  if (own) open.erase(::dirfd(own.get()));  // whose number the next socket has
  return open;
}

static bool is_same(const sockaddr_storage& a, const sockaddr_storage& b) {
  if (a.ss_family != b.ss_family) return false;
  if (a.ss_family == AF_INET) {
    const auto &x = reinterpret_cast<const sockaddr_in&>(a), &y = reinterpret_cast<const sockaddr_in&>(b);
    return x.sin_port == y.sin_port && x.sin_addr.s_addr == y.sin_addr.s_addr;
  }
  const auto &x = reinterpret_cast<const sockaddr_in6&>(a), &y = reinterpret_cast<const sockaddr_in6&>(b);
  return x.sin6_port == y.sin6_port && std::memcmp(&x.sin6_addr, &y.sin6_addr, sizeof x.sin6_addr) == 0;
}

void set_tcp_nodelay(const std::vector<socket_address>& peers, const std::set<int>& before) {
  for (const int fd : open_descriptors()) {
    if (before.contains(fd)) continue;
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    const int on = 1;
    if (std::any_of(peers.begin(), peers.end(), [&](const auto& p) { return is_same(p.bytes, peer); }))
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
}

}  // namespace nodelink::paho
