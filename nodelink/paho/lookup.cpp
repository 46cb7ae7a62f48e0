#include "paho/lookup.hpp"

#include <cstring>

#include <netdb.h>

namespace nodelink::paho {

lookup look_up(const broker_settings& broker) {
  lookup result;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(broker.host.c_str(), std::to_string(broker.port).c_str(), &hints, &found);
  if (code != 0) {
    result.problem = std::string("the name cannot be resolved: ") + ::gai_strerror(code);
    return result;
  }
  for (const auto* a = found; a; a = a->ai_next) {
    auto& address = result.addresses.emplace_back();
    std::memcpy(&address.bytes, a->ai_addr, a->ai_addrlen);
    address.size = a->ai_addrlen;
  }
  ::freeaddrinfo(found);
  return result;
}

bool is_ip_address(const std::string& host) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return false;
  ::freeaddrinfo(found);
  return true;
}

}  // namespace nodelink::paho
