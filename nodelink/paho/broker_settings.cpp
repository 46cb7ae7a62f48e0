#include <nodelink/paho/broker_settings.hpp>

namespace nodelink::paho {

std::string address(const broker_settings& broker) {
  const bool ipv6 = broker.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + broker.host + "]" : broker.host) + ":" + std::to_string(broker.port);
}

std::string uri(const broker_settings& broker) {
  if (broker.websockets) return (broker.tls.on ? "wss://" : "ws://") + address(broker) + broker.path;
  return (broker.tls.on ? "ssl://" : "tcp://") + address(broker);
}

}  // namespace nodelink::paho
