#include <utility>

#include <nodelink/simulation/world.hpp>
#include "stage.hpp"

namespace model {
namespace {

using namespace std::chrono_literals;

class client final : public nodelink::transport_events {
 public:
  client(nodelink::simulation::world& w, const std::string& id) : transport(w.broker(), nullptr) {
    transport.connect(id, {"will/" + id, id + " is gone", true}, *this);
  }
  void connected() override {}
  void subscribed() override {}
  void received(std::string_view topic, std::string_view payload, bool retained) override {
    seen.push_back(std::string(topic) + "=" + std::string(payload) + (retained ? " (retained)" : ""));
  }
  void disconnected(const nodelink::connection_loss&) override { seen.emplace_back("closed"); }
  void closed() override {}

  std::vector<std::string> seen;
  nodelink::simulation::simulated_transport transport;
};

class simulated_stage final : public stage {
 public:
  simulated_stage(bool mqtt_5, bool persistent) : persistent_(persistent) {
    world_.broker().mqtt_5 = mqtt_5;
    world_.broker().keepalive = 10min;
  }

  void connect(const std::string& id) override {
    const std::string name = id.substr(0, id.find('#'));
    clients_[id] = std::make_unique<client>(world_, name);
    world_.advance(10ms);
  }
  void subscribe(const std::string& id, const std::string& filter, bool wants_retained) override {
    clients_.at(id)->transport.subscribe({{filter, wants_retained}});
    world_.advance(10ms);
  }
  void publish(const std::string& id, const std::string& topic, const std::string& payload, bool retain) override {
    clients_.at(id)->transport.publish({topic, payload, retain});
    world_.advance(1ms);
  }
  void kill(const std::string& id) override { clients_.at(id)->transport.abort(); }
  void disconnect(const std::string& id) override { clients_.at(id)->transport.close(); }
  void connect_again(const std::string& id) override {
    clients_.at(id)->transport.withdraw();
    clients_.at(id)->seen.emplace_back("closed");
  }
  void pause(const std::string& id) override { clients_.at(id)->transport.cut(); }
  void resume(const std::string& id) override { clients_.at(id)->transport.heal(); }
  void stop_broker() override {
    world_.broker().stop();
    if (persistent_) world_.broker().save();
  }
  void crash_broker() override { world_.broker().crash(); }
  void save() override { world_.broker().save(); }
  void restart_broker() override {
    world_.advance(10ms);
    world_.broker().restart(persistent_ ? persistence::rolled_back : persistence::none);
  }
  std::vector<std::string> seen(const std::string& id) override {
    world_.advance(10ms);
    return std::exchange(clients_.at(id)->seen, {});
  }

 private:
  bool persistent_;
  nodelink::simulation::world world_;
  std::map<std::string, std::unique_ptr<client>> clients_;
};

}  // namespace

std::unique_ptr<stage> make_simulated_stage(bool mqtt_5, bool persistent) {
  return std::make_unique<simulated_stage>(mqtt_5, persistent);
}

}  // namespace model
