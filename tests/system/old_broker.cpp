#include "system/old_broker.hpp"

#include <array>
#include <map>
#include <string>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace testing_system {

static sockaddr_in at(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static int make_socket() { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }

old_broker::old_broker(manner how, int behind)
    : how_(how), behind_(behind), door_(make_socket()), end_(::eventfd(0, EFD_CLOEXEC)) {
  const auto any = at(0);
  (void)::bind(door_, reinterpret_cast<const sockaddr*>(&any), sizeof any);
  (void)::listen(door_, 10);
  server_ = std::thread([this] { serve(); });
}

old_broker::~old_broker() {
  ::eventfd_write(end_, 1);
  server_.join();
  ::close(door_);
  ::close(end_);
}

int old_broker::port() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(door_, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// CONNECT has the version behind the name of the protocol.
static bool is_mqtt_5(const std::string& connect) {
  const auto name = connect.find("MQTT");
  return name != connect.npos && name + 4 < connect.size() && connect[name + 4] == 5;
}

void old_broker::serve() {
  std::map<int, int> other_side;  // 0: has said nothing yet
  const auto close_both = [&](int fd) {
    const int other = other_side[fd];
    for (const int each : {fd, other})
      if (each > 0) ::close(each), other_side.erase(each);
  };
  for (;;) {
    std::vector<pollfd> all{{end_, POLLIN, 0}, {door_, POLLIN, 0}};
    for (const auto& [fd, other] : other_side) all.push_back({fd, POLLIN, 0});
    ::poll(all.data(), all.size(), -1);
    if (all[0].revents != 0) break;
    if (all[1].revents != 0) other_side[::accept4(door_, nullptr, nullptr, SOCK_CLOEXEC)] = 0;
    for (std::size_t i = 2; i < all.size(); ++i) {
      const int fd = all[i].fd;
      if (all[i].revents == 0 || !other_side.contains(fd)) continue;
      std::array<char, 65'536> bytes{};
      const auto size = ::recv(fd, bytes.data(), bytes.size(), 0);
      if (size <= 0) {
        close_both(fd);
        continue;
      }
      if (how_ == manner::silent) continue;
      if (other_side[fd] == 0 && is_mqtt_5({bytes.data(), static_cast<std::size_t>(size)})) {
        if (how_ == manner::says_so) (void)!::send(fd, "\x20\2\0\1", 4, MSG_NOSIGNAL);
        close_both(fd);
        continue;
      }
      if (other_side[fd] == 0) {
        const int server = make_socket();
        const auto address = at(behind_);
        (void)::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        other_side[fd] = server;
        other_side[server] = fd;
      }
      (void)!::send(other_side[fd], bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL);
    }
  }
  while (!other_side.empty()) close_both(other_side.begin()->first);
}

}  // namespace testing_system
