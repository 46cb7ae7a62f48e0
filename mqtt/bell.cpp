#include "mqtt/bell.hpp"

#include <MQTTAsync.h>

namespace paho {

// A client that never connects, and keeps the last message that it was given. Whoever gives one wakes the thread.
bell::bell() {
  MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer5;
  options.sendWhileDisconnected = options.allowDisconnectedSendAtAnyTime = 1;
  options.maxBufferedMessages = options.deleteOldestMessages = 1;
  MQTTAsync_createWithOptions(&client_, "localhost", "bell", MQTTCLIENT_PERSISTENCE_NONE, nullptr, &options);
}

bell::~bell() { MQTTAsync_destroy(&client_); }

void bell::ring() { MQTTAsync_send(client_, "bell", 1, "!", 0, 0, nullptr); }

}  // namespace paho
