#include <nodelink/simulation/world.hpp>
#include "transport/ground.hpp"

namespace transport_contract {
namespace {

using namespace std::chrono_literals;

class simulated_ground final : public ground {
 public:
  explicit simulated_ground(bool mqtt_5) {
    world_.broker().mqtt_5 = mqtt_5;
    world_.broker().on_publish = [this](const nodelink::publication& p) {
      published_.push_back(p.topic + "=" + p.payload +
                           (p.retain && world_.broker().mqtt_5 ? " (retained)" : ""));
    };
  }

  std::unique_ptr<nodelink::transport> make_transport() override {
    return std::make_unique<nodelink::simulation::simulated_transport>(world_.broker(), nullptr);
  }
  bool until(const std::function<bool()>& is_so) override {
    for (int i = 0; i < 1'000 && !is_so(); ++i) world_.advance(10ms);
    return is_so();
  }
  void rest() override { world_.advance(10s); }
  std::vector<std::string> published() override {
    world_.advance(10ms);
    return published_;
  }
  void publish(const std::string& topic, const std::string& payload, bool retain) override {
    world_.broker().publish({topic, payload, retain});
  }
  std::string retained(const std::string& topic) override { return world_.broker().retained(topic); }
  void kill_broker() override { world_.broker().crash(); }
  void start_broker() override { world_.broker().restart(nodelink::simulation::persistence::none); }

 private:
  nodelink::simulation::world world_;
  std::vector<std::string> published_;
};

}  // namespace

std::unique_ptr<ground> make_simulated_ground(bool mqtt_5) { return std::make_unique<simulated_ground>(mqtt_5); }

}  // namespace transport_contract
