// Where the contract of nodelink/transport.hpp is tested: at the simulation's broker, or through Paho at a real
// Mosquitto.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nodelink/transport.hpp>

namespace transport_contract {

/// Which of them.
struct variant {
  enum class by { simulation, tcp, tls, websockets };
  by what;
  bool mqtt_5;
};

class ground {
 public:
  virtual ~ground() = default;

  virtual std::unique_ptr<nodelink::transport> make_transport() = 0;
  /// Lets time and events pass until then; false if it never comes.
  virtual bool until(const std::function<bool()>& is_so) = 0;
  /// As much as what must not happen would have taken.
  virtual void rest() = 0;

  /// What has passed the broker, oldest first: `TOPIC=PAYLOAD`, with ` (retained)` if so flagged.
  virtual std::vector<std::string> published() = 0;
  /// A publish by somebody else.
  virtual void publish(const std::string& topic, const std::string& payload, bool retain = false) = 0;
  /// What the broker keeps.
  virtual std::string retained(const std::string& topic) = 0;

  virtual void kill_broker() = 0;
  virtual void start_broker() = 0;
};

std::unique_ptr<ground> make_simulated_ground(bool mqtt_5);
std::unique_ptr<ground> make_paho_ground(const variant& v);

/// A node, as far as its transport can tell: notes what it is told, and does on the way what a test wants.
class listener final : public nodelink::transport_events {
 public:
  void connected() override { note("connected"); }
  void subscribed() override { note("subscribed"); }
  void received(std::string_view topic, std::string_view payload, bool retained) override {
    note(std::string(topic) + "=" + std::string(payload) + (retained ? " (retained)" : ""));
  }
  void disconnected(const nodelink::connection_loss& l) override {
    loss = l;
    note("disconnected");
  }
  void closed() override { note("closed"); }

  bool has(const std::string& what) const { return count(what) > 0; }
  long count(const std::string& what) const { return std::count(heard.begin(), heard.end(), what); }

  std::vector<std::string> heard;
  nodelink::connection_loss loss;
  std::function<void(const std::string& what)> then;

 private:
  void note(const std::string& what) {
    heard.push_back(what);
    if (then) then(what);
  }
};

}  // namespace transport_contract
