// A broker that speaks MQTT 3.1.1 only, or none at all: in front of a Mosquitto, which has it all.
#pragma once

#include <thread>
#include <vector>

namespace testing_system {

class old_broker {
 public:
  enum class manner {
    says_so,  ///< to MQTT 5: CONNACK with "unacceptable protocol version"; so does aedes
    closes,   ///< without a word: so does RabbitMQ 3.10
    silent,   ///< to everybody
  };

  /// @param behind the port of a Mosquitto
  old_broker(manner how, int behind);
  ~old_broker();
  old_broker(const old_broker&) = delete;
  int port() const;

 private:
  void serve();

  manner how_;
  int behind_;
  int door_, end_;
  std::thread server_;
};

}  // namespace testing_system
