// What the tests through Paho share.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include <nodelink/paho/broker_settings.hpp>
#include <nodelink/paho/reactor.hpp>

namespace transport_contract {

/// The loop of somebody else's program.
class host_loop final : public nodelink::paho::reactor {
 public:
  void watch(int fd, short events, std::function<void()> ready) override { watched_[fd] = {events, std::move(ready)}; }
  void unwatch(int fd) override { watched_.erase(fd); }
  /// Waits a little, and calls what is ready.
  void turn();

 private:
  std::map<int, std::pair<short, std::function<void()>>> watched_;
};

/// Runs the loop until then; false if it never comes.
bool turn_until(host_loop& loop, const std::function<bool()>& is_so,
                std::chrono::milliseconds at_most = std::chrono::seconds(30));

/// For 127.0.0.1, without a port.
nodelink::paho::broker_settings settings_for(bool mqtt_5);

/// A folder with authority.crt, and broker.crt and broker.key for 127.0.0.1, made once in this program.
const std::string& certificates();

}  // namespace transport_contract
