#include "system/raw_node.hpp"

namespace testing_system {

raw_node::raw_node(int port, std::string name, std::uint64_t creation, bool mqtt_5)
    : connection(port), name_(std::move(name)), creation_(creation) {
  connection.mqtt_5 = mqtt_5;
  const std::string c = std::to_string(creation_);
  connection.connect(name_,
                     {root_topic + "node/" + name_, "[\"nodedown\",\"" + name_ + "\"," + c + ",\"noconnection\"]"});
  connection.subscribe(root_topic + "to/" + name_ + "/+/from/+");
  connection.publish(root_topic + "node/" + name_, "[\"nodeup\",\"" + name_ + "\"," + c + "]", true);
}

std::string raw_node::pid(int serial) const {
  return name_ + "/" + std::to_string(creation_) + "-" + std::to_string(serial);
}

std::string raw_node::logon(const std::string& user, int serial) {
  send("messenger", "[\"" + pid(serial) + "\",\"logon\",\"" + user + "\"]");
  std::string reply = next();
  while (reply.find("LINK") != std::string::npos || reply.find("PING") != std::string::npos) reply = next();
  return reply.substr(std::min(reply.size(), reply.find(' ') + 1));
}

void raw_node::send(const std::string& to, const std::string& payload) {
  connection.publish(root_topic + "to/messenger@test/" + to + "/from/" + name_, payload);
}

std::string raw_node::next(std::chrono::milliseconds at_most) {
  const auto m = connection.next(at_most);
  if (!m) return {};
  const auto from = m->topic.find("/from/");
  const auto process = m->topic.rfind('/', from - 1);
  return m->topic.substr(process + 1, from - process - 1) + " " + m->payload;
}

void raw_node::say_nodedown(const std::string& reason) {
  connection.publish(root_topic + "node/" + name_,
                     "[\"nodedown\",\"" + name_ + "\"," + std::to_string(creation_) + ",\"" + reason + "\"]", true);
}

}  // namespace testing_system
