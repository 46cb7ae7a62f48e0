#include <chrono>
#include <optional>

#include <nodelink/paho/transport.hpp>
#include "program/paho_tuning.hpp"
#include "system/mosquitto.hpp"
#include "system/raw_client.hpp"
#include "transport/ground.hpp"
#include "transport/loop.hpp"

namespace transport_contract {
namespace {

using namespace std::chrono_literals;
using testing_system::patience;
using testing_system::raw_client;

class paho_ground final : public ground {
 public:
  explicit paho_ground(const variant& v) : variant_(v), broker_(configuration()) { watch(); }

  std::unique_ptr<nodelink::transport> make_transport() override {
    auto settings = settings_for(variant_.mqtt_5);
    settings.port = variant_.what == variant::by::tcp ? broker_.port() : other_port_;
    settings.websockets = variant_.what == variant::by::websockets;
    settings.tls.on = variant_.what == variant::by::tls;
    settings.tls.ca_file = certificates() + "/authority.crt";
    return nodelink::paho::make_transport(settings, loop_, program::wake_paho);
  }
  bool until(const std::function<bool()>& is_so) override { return turn_until(loop_, is_so); }
  void rest() override {
    turn_until(
        loop_, [] { return false; }, 300ms);
  }

  std::vector<std::string> published() override {
    // What is published after it has passed the broker after it.
    raw_client last(broker_.port());
    last.connect("last");
    last.publish("last", std::to_string(++asked_));
    while (const auto m = watcher_->next(patience)) {
      if (m->topic == "last" && m->payload == std::to_string(asked_)) break;
      if (m->topic != "last") published_.push_back(m->topic + "=" + m->payload + (m->retained ? " (retained)" : ""));
    }
    return published_;
  }
  void publish(const std::string& topic, const std::string& payload, bool retain) override {
    broker_.publish(topic, payload, retain);
  }
  std::string retained(const std::string& topic) override {
    // What is published after the subscription comes after what is retained.
    raw_client late(broker_.port());
    late.connect("late");
    late.subscribe(topic);
    late.subscribe("last");
    late.publish("last", "");
    const auto m = late.next(patience);
    return m && m->topic == topic ? m->payload : "";
  }
  void kill_broker() override { broker_.kill(); }
  void start_broker() override {
    broker_.start();
    watch();
  }

 private:
  std::string configuration() {
    std::string more = "allow_anonymous true\nset_tcp_nodelay true\n";
    if (variant_.what == variant::by::tcp) return more;
    more += "listener " + std::to_string(other_port_ = testing_system::free_port()) + " 127.0.0.1\n";
    if (variant_.what == variant::by::websockets) return more + "protocol websockets\n";
    return more + "certfile " + certificates() + "/broker.crt\nkeyfile " + certificates() + "/broker.key\n";
  }
  void watch() {
    watcher_.emplace(broker_.port());
    watcher_->mqtt_5 = variant_.mqtt_5;
    watcher_->connect("watcher");
    watcher_->subscribe("#");
  }

  variant variant_;
  int other_port_ = 0;
  testing_system::mosquitto broker_;
  host_loop loop_;
  std::optional<raw_client> watcher_;
  std::vector<std::string> published_;
  int asked_ = 0;
};

}  // namespace

std::unique_ptr<ground> make_paho_ground(const variant& v) { return std::make_unique<paho_ground>(v); }

}  // namespace transport_contract
