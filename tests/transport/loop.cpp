#include "transport/loop.hpp"

#include <cstdlib>
#include <stdexcept>
#include <vector>

#include <poll.h>

#include "system/mosquitto.hpp"

namespace transport_contract {

void host_loop::turn() {
  std::vector<pollfd> polled;
  for (const auto& [fd, what] : watched_) polled.push_back({fd, what.first, 0});
  ::poll(polled.data(), polled.size(), 10);
  for (const auto& p : polled) {
    const auto found = watched_.find(p.fd);
    if (p.revents == 0 || found == watched_.end()) continue;
    const auto ready = found->second.second;
    ready();
  }
}

bool turn_until(host_loop& loop, const std::function<bool()>& is_so, std::chrono::milliseconds at_most) {
  const auto until = std::chrono::steady_clock::now() + at_most;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > until) return false;
    loop.turn();
  }
  return true;
}

nodelink::paho::broker_settings settings_for(bool mqtt_5) {
  nodelink::paho::broker_settings settings;
  settings.host = "127.0.0.1";
  settings.mqtt_5 = mqtt_5;
  return settings;
}

const std::string& certificates() {
  static const std::string folder = [] {
    const auto f = testing_system::make_folder();
    const auto make =
        "cd " + f +
        " && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=authority -keyout authority.key -out authority.crt"
        " && openssl req -newkey rsa:2048 -nodes -subj /CN=broker -keyout broker.key -out broker.csr"
        " && printf 'subjectAltName=IP:127.0.0.1\\n' >names"
        " && openssl x509 -req -in broker.csr -CA authority.crt -CAkey authority.key -CAcreateserial -days 2"
        " -extfile names -out broker.crt && chmod a+r broker.key";
    if (std::system(("(" + make + ") 2>/dev/null >&2").c_str()) != 0) throw std::runtime_error("no certificates");
    return f;
  }();
  return folder;
}

}  // namespace transport_contract
