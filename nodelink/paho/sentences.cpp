#include "paho/sentences.hpp"

namespace nodelink::paho {
namespace {

using kind = connection_loss::kind;
using remedy = connection_loss::remedy;

// The five codes of MQTT 3.1.1 in the numbering of MQTT 5.
int as_mqtt_5(int code) {
  switch (code) {
    case 1: return 0x84;
    case 2: return 0x85;
    case 3: return 0x88;
    case 4: return 0x86;
    case 5: return 0x87;
    default: return code;
  }
}

std::string number(int code) { return " (MQTT reason code " + std::to_string(code) + ")"; }

}  // namespace

connection_loss connect_failure(int code, const std::string& broker, const std::string& node) {
  const std::string who = "the broker at " + broker;
  switch (as_mqtt_5(code)) {
    case 0x86:  // bad user name or password
    case 0x87:  // not authorized
      return {kind::not_authorised, who + " refused the credentials of node " + node, remedy::credentials};
    case 0x8a: return {kind::not_authorised, who + " has banned node " + node};
    case 0x84: return {kind::refused, who + " does not speak this version of MQTT", remedy::mqtt_version};
    case 0x85: return {kind::refused, who + " refused the client id " + node, remedy::node_name};
    case 0x88: return {kind::refused, who + " says that it is not available"};
    case 0x89: return {kind::refused, who + " says that it is busy"};
    case 0x97: return {kind::refused, who + " says that a quota is exceeded"};
    case 0x9a:
      return {kind::refused,
              who + " does not keep retained messages, without which nodes cannot be told dead from alive"};
    case 0x9f: return {kind::refused, who + " says that connections come too fast"};
    default: break;
  }
  return {kind::refused, who + " refused the connection of node " + node + number(code)};
}

connection_loss connection_lost(int code, const std::string& broker, const std::string& node) {
  const std::string who = "the broker at " + broker;
  switch (code) {
    case 0: return {kind::lost, "the connection to " + who + " was lost"};
    case 0x87: return {kind::lost, who + " no longer authorises node " + node};
    case 0x8b: return {kind::lost, who + " is shutting down"};
    case 0x8d: return {kind::lost, who + " heard nothing from node " + node + " for 1.5 times the keepalive"};
    case 0x8e: return {kind::lost, who + " gave the connection of node " + node + " to another client of that name"};
    default: return {kind::lost, who + " closed the connection of node " + node + number(code)};
  }
}

connection_loss silent(const std::string& broker) {
  return {kind::lost, "the broker at " + broker + " answers no more; the connection to it was lost"};
}

connection_loss flooded(const std::string& broker, const std::string& node) {
  return {kind::lost, "more came for node " + node + " from the broker at " + broker + " than it could take"};
}

connection_loss subscription_refused(const std::string& broker, const std::string& node) {
  return {kind::not_authorised, "the broker at " + broker + " does not let node " + node +
                                    " subscribe to its own topics; look at the broker's access control list"};
}

}  // namespace nodelink::paho
