// What a client costs that is nothing but Paho C++: connects with a will, subscribes, publishes one logon, and says
// what it is answered. The reference for the start of messenger-client.
//
// Usage: bare_client PORT NODE SERVER-NODE
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>

#include <unistd.h>

#include <mqtt/async_client.h>

int main(int argc, char** argv) {
  if (argc != 4) return std::fputs("Usage: bare_client PORT NODE SERVER-NODE\n", stderr), 2;
  const std::string root = "messenger/1/messenger/", node = argv[2], pid = node + "/1795204836123-1";
  mqtt::async_client client(std::string("tcp://127.0.0.1:") + argv[1], node, mqtt::create_options(MQTTVERSION_5),
                            nullptr);
  std::mutex guard;
  std::condition_variable answered;
  bool is_answered = false;
  client.set_message_callback([&](const mqtt::const_message_ptr&) {
    const std::lock_guard lock(guard);
    is_answered = true;
    answered.notify_one();
  });
  mqtt::connect_options options;
  options.set_mqtt_version(MQTTVERSION_5);
  options.set_clean_start(true);
  options.set_will(mqtt::will_options(root + "node/" + node, std::string("[]"), 1, true));
  client.connect(std::move(options))->wait();
  client.subscribe(root + "to/" + node + "/+/from/+", 1)->wait();
  client.publish(root + "to/" + argv[3] + "/messenger/from/" + node, "[\"" + pid + "\",\"logon\",\"" + node + "\"]", 1,
                 false);
  std::unique_lock lock(guard);
  answered.wait(lock, [&] { return is_answered; });
  std::puts("logged_on");
  std::fflush(stdout);
  ::_exit(0);
}
