#include <csignal>
#include <set>
#include <stdexcept>
#include <utility>

#include "stage.hpp"
#include "system/mosquitto.hpp"
#include "system/raw_client.hpp"

namespace model {
namespace {

using testing_system::eventually;
using testing_system::raw_client;
using namespace std::chrono_literals;

class mosquitto_stage final : public stage {
 public:
  mosquitto_stage(bool mqtt_5, bool persistent)
      : mqtt_5_(mqtt_5),
        persistent_(persistent),
        broker_(persistent ? "persistence true\nautosave_interval 0\n" : "") {}

  void connect(const std::string& id) override {
    const std::string name = id.substr(0, id.find('#'));
    clients_.erase(id);
    closed_.erase(id);
    raw_client& c = clients_.emplace(id, raw_client(broker_.port())).first->second;
    c.mqtt_5 = mqtt_5_;
    c.connect(name, {"will/" + name, name + " is gone"});
  }
  void subscribe(const std::string& id, const std::string& filter, bool wants_retained) override {
    raw_client& c = clients_.at(id);
    c.subscribe(filter, wants_retained);
    if (filter != "#") c.subscribe("barrier");
  }
  void publish(const std::string& id, const std::string& topic, const std::string& payload, bool retain) override {
    clients_.at(id).publish(topic, payload, retain);
    through(id);
  }
  void kill(const std::string& id) override {
    const auto before = testing_system::count(broker_.log(), "closed its connection");
    clients_.at(id).close();
    wait([&] { return testing_system::count(broker_.log(), "closed its connection") > before; }, "the end of " + id);
  }
  void disconnect(const std::string& id) override {
    const auto before = testing_system::count(broker_.log(), "Received DISCONNECT");
    clients_.at(id).disconnect();
    wait([&] { return testing_system::count(broker_.log(), "Received DISCONNECT") > before; }, "DISCONNECT of " + id);
  }
  void connect_again(const std::string& id) override {
    raw_client& c = clients_.at(id);
    c.send(c.connect_packet(id, {"will/" + id, id + " is gone"}));
    wait([&] { return !c.read(10ms); }, "the end after a second CONNECT");
  }
  // Nothing of it is called until it resumes: it reads and acknowledges nothing.
  void pause(const std::string&) override {}
  void resume(const std::string&) override {}
  void stop_broker() override { broker_.stop(); }
  void crash_broker() override { broker_.kill(); }
  void save() override {
    if (!persistent_) return;
    const auto before = testing_system::count(broker_.log(), "Saving in-memory database");
    broker_.signal(SIGUSR1);
    wait([&] { return testing_system::count(broker_.log(), "Saving in-memory database") > before; }, "saving");
    testing_system::nap(200ms);
  }
  void restart_broker() override { broker_.start(); }

  std::vector<std::string> seen(const std::string& id) override {
    std::vector<std::string> all;
    raw_client& c = clients_.at(id);
    if (c.is_open()) barrier();
    while (const auto m = c.next(c.is_open() ? 2s : 0s)) {
      if (m->topic == "barrier") {
        if (m->payload == std::to_string(barriers_)) break;
        continue;
      }
      all.push_back(m->topic + "=" + m->payload + (m->retained ? " (retained)" : ""));
    }
    if (!c.is_open() && closed_.insert(id).second) all.emplace_back("closed");
    return all;
  }

 private:
  template <class F>
  void wait(F condition, const std::string& what) {
    if (!eventually(condition)) throw std::runtime_error("waited in vain for " + what + "\n" + broker_.log());
  }
  // Everything published before has passed the broker.
  void barrier() {
    try {
      raw_client c(broker_.port());
      c.connect("barrier");
      c.publish("barrier", std::to_string(++barriers_));
      c.subscribe("none");                 // its SUBACK comes after
    } catch (const std::runtime_error&) {  // no broker: nothing will come
    }
  }
  void through(const std::string& id) { clients_.at(id).subscribe("none/" + id.substr(0, id.find('#'))); }

  bool mqtt_5_;
  bool persistent_;
  testing_system::mosquitto broker_;
  std::map<std::string, raw_client> clients_;
  std::set<std::string> closed_;
  int barriers_ = 0;
};

}  // namespace

std::unique_ptr<stage> make_mosquitto_stage(bool mqtt_5, bool persistent) {
  return std::make_unique<mosquitto_stage>(mqtt_5, persistent);
}

}  // namespace model
