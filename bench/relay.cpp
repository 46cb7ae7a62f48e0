// R, the reference: a relay on the same wire that looks at nothing. It answers a logon, and passes a message on to the
// pid that its receiver's *name* is: no list, no checks, no links. One thread, libmosquitto, TCP_NODELAY.
//
// Usage: relay PORT NODE QOS
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <poll.h>

#include <mosquitto.h>

namespace {

constexpr const char* root = "messenger/1/messenger/";

struct relay {
  std::string node;
  std::string from;  // "/from/<node>"
  int qos;
  std::string topic;
  std::string payload;

  // The strings of a request: a JSON array of three or four strings without escapes.
  static std::string_view next_string(std::string_view& rest) {
    const auto begin = rest.find('"') + 1;
    const auto end = rest.find('"', begin);
    const auto found = rest.substr(begin, end - begin);
    rest.remove_prefix(end + 1);
    return found;
  }

  void publish(mosquitto* m, std::string_view to, std::string_view content) {
    topic.assign(root).append("to/").append(to).append(from);
    mosquitto_publish(m, nullptr, topic.c_str(), static_cast<int>(content.size()), content.data(), qos, false);
  }

  void received(mosquitto* m, std::string_view request) {
    const auto client = next_string(request);
    if (next_string(request) == "logon") return publish(m, client, R"(["messenger","logged_on"])");
    const auto to = next_string(request);
    const auto text = next_string(request);
    payload.assign("[\"message_from\",\"").append(client).append("\",\"").append(text).append("\"]");
    publish(m, to, payload);
    publish(m, client, R"(["messenger","sent"])");
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fputs("Usage: relay PORT NODE QOS\n", stderr), 2;
  relay r{argv[2], std::string("/from/") + argv[2], std::atoi(argv[3]), {}, {}};
  mosquitto_lib_init();
  mosquitto* m = mosquitto_new(argv[2], true, &r);
  mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(m, MOSQ_OPT_SEND_MAXIMUM, 65'535);
  mosquitto_int_option(m, MOSQ_OPT_RECEIVE_MAXIMUM, 65'535);
  mosquitto_connect_callback_set(m, [](mosquitto* of, void* self, int) {
    const auto& own = *static_cast<relay*>(self);
    mosquitto_subscribe(of, nullptr, (root + ("to/" + own.node + "/+/from/+")).c_str(), own.qos);
  });
  mosquitto_subscribe_callback_set(m, [](mosquitto*, void*, int, int, const int*) {
    std::puts("up");
    std::fflush(stdout);
  });
  mosquitto_message_callback_set(m, [](mosquitto* of, void* self, const mosquitto_message* message) {
    static_cast<relay*>(self)->received(
        of, {static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)});
  });
  if (mosquitto_connect(m, "127.0.0.1", std::atoi(argv[1]), 600) != MOSQ_ERR_SUCCESS) return 1;
  for (;;) {
    pollfd p{mosquitto_socket(m), static_cast<short>(POLLIN | (mosquitto_want_write(m) ? POLLOUT : 0)), 0};
    if (p.fd < 0) return 1;
    ::poll(&p, 1, 1'000);
    if (p.revents & (POLLIN | POLLHUP | POLLERR) && mosquitto_loop_read(m, 1) != MOSQ_ERR_SUCCESS) return 1;
    if (mosquitto_want_write(m)) mosquitto_loop_write(m, 1);
    mosquitto_loop_misc(m);
  }
}
