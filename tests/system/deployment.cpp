#include "system/deployment.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace testing_system {

std::string first_line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

deployment::deployment(const std::vector<std::string>& nodes, const std::vector<std::string>& more)
    : folder_(make_folder()), port_(free_port()) {
  std::vector<std::string> arguments{"init", "--server", "messenger@test", "--port", std::to_string(port_)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  arguments.insert(arguments.end(), nodes.begin(), nodes.end());
  provision(arguments);
  start();
}

deployment::~deployment() {
  mosquitto_.reset();
  std::filesystem::remove_all(folder_);
}

std::string deployment::provision(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), folder_);
  program p(SOURCE_FOLDER "/broker/provision", arguments);
  const auto code = p.end(2 * patience);  // it makes keys
  if (!code) throw std::runtime_error("provision has not ended in time. So far it said: " + p.errors());
  if (code != 0) throw std::runtime_error("provision: " + p.errors());
  std::string said;
  for (const auto& line : p.rest()) said += line + "\n";
  return said;
}

std::vector<std::string> deployment::as(const std::string& node, std::vector<std::string> more) const {
  more.insert(more.begin(), {"--name", node, "--credentials", credentials(node), "-h", "localhost", "-p",
                             std::to_string(port_), "--server", "messenger@test"});
  return more;
}

raw_client deployment::raw(const std::string& node) const {
  raw_client c(port_, ca_file());
  c.username = node;
  c.password = first_line(credentials(node) + "/" + node + ".password");
  return c;
}

void deployment::start() {
  const auto before = count(log(), " running");
  mosquitto_ = std::make_unique<program>(
      "/bin/sh", std::vector<std::string>{
                     "-c", "exec /usr/sbin/mosquitto -c " + folder_ + "/broker/mosquitto.conf 2>>" + folder_ + "/log"});
  if (!eventually([&] { return count(log(), " running") > before; }))
    throw std::runtime_error("Mosquitto did not start: " + log());
}

void deployment::stop() {
  mosquitto_->signal(SIGTERM);
  mosquitto_->end();
}

std::string deployment::log() const {
  std::ifstream in(folder_ + "/log");
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace testing_system
