// Where a scenario is played: the broker of the simulation, or a real Mosquitto. Both tell what each client saw.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nodelink/simulation/broker.hpp>

namespace model {

using nodelink::simulation::persistence;

class stage {
 public:
  virtual ~stage() = default;

  /// A client with a will: on topic `will/ID`, retained, payload "ID is gone".
  virtual void connect(const std::string& id) = 0;
  /// @param wants_retained MQTT 5: what is retained is sent, or not.
  virtual void subscribe(const std::string& id, const std::string& filter, bool wants_retained = true) = 0;
  virtual void publish(const std::string& id, const std::string& topic, const std::string& payload, bool retain) = 0;
  /// The client's socket closes without a word.
  virtual void kill(const std::string& id) = 0;
  virtual void disconnect(const std::string& id) = 0;
  /// A second CONNECT on the same connection.
  virtual void connect_again(const std::string& id) = 0;
  /// The client reads and acknowledges nothing until it resumes.
  virtual void pause(const std::string& id) = 0;
  virtual void resume(const std::string& id) = 0;

  virtual void stop_broker() = 0;
  virtual void crash_broker() = 0;
  virtual void save() = 0;
  virtual void restart_broker() = 0;

  /// What this client saw since the last call, each as `TOPIC=PAYLOAD`, with ` (retained)` if so flagged, or `closed`.
  /// In the order seen, which brokers promise within a topic only: the scenarios have one topic, or look at one at a
  /// time.
  virtual std::vector<std::string> seen(const std::string& id) = 0;
};

/// @param persistent whether the broker keeps retained messages over a restart: saved when stopped, or at save().
std::unique_ptr<stage> make_simulated_stage(bool mqtt_5, bool persistent);
std::unique_ptr<stage> make_mosquitto_stage(bool mqtt_5, bool persistent);

}  // namespace model
