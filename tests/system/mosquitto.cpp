#include "system/mosquitto.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace testing_system {

static sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Below those that the kernel gives to connections, one of which might have it before the broker does; and no test's
// that runs beside this one.
int free_port() {
  constexpr int first = 10'000, count = 22'000, each = 10;
  for (static int tried = 0;;) {
    const int port = first + (::getpid() * each + tried++) % count;
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(port);
    const bool is_free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    if (is_free) return port;
  }
}

static bool answers(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

// Goes with the program, whatever the test that made it came to.
static std::vector<std::string>& folders() {
  struct list {
    ~list() {
      std::error_code ignored;
      for (const auto& f : folders) std::filesystem::remove_all(f, ignored);
    }
    std::vector<std::string> folders;
  };
  static list all;
  return all.folders;
}

std::string make_folder() {
  std::string folder = std::filesystem::temp_directory_path() / "messenger-test-XXXXXX";
  if (!::mkdtemp(folder.data())) throw std::runtime_error("mkdtemp");
  ::chmod(folder.c_str(), 0777);  // Mosquitto gives up being root
  folders().push_back(folder);
  return folder;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

mosquitto::mosquitto(const std::string& more, std::string netns, const std::string& address)
    : folder_(make_folder()), netns_(std::move(netns)), port_(free_port()) {
  std::ofstream config(folder_ + "/mosquitto.conf");
  config << "listener " << port_ << " " << address << "\npersistence_location " << folder_
         << "/\nset_tcp_nodelay true\nlog_dest stderr\nlog_type all\n"
         << more << "\n";
  if (more.find("allow_anonymous") == std::string::npos) config << "allow_anonymous true\n";
  config.close();
  start();
}

void mosquitto::start() {
  const auto before = count(log(), " running");
  const std::string run = "exec " + (netns_.empty() ? "" : "ip netns exec " + netns_ + " ") +
                          "/usr/sbin/mosquitto -c " + folder_ + "/mosquitto.conf >>" + folder_ + "/log 2>&1";
  program_ = std::make_unique<program>("/bin/sh", std::vector<std::string>{"-c", run});
  if (!eventually([&] { return netns_.empty() ? answers(port_) : count(log(), " running") > before; }))
    throw std::runtime_error("Mosquitto did not start: " + log());
}

mosquitto::~mosquitto() {
  program_.reset();
  std::filesystem::remove_all(folder_);
}

std::string mosquitto::log() const {
  std::ifstream file(folder_ + "/log");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void mosquitto::stop() {
  // Mosquitto forgets a signal that comes before its main loop has begun.
  const bool has_ended = eventually([this] {
    program_->signal(SIGTERM);
    return program_->end(1s).has_value();
  });
  if (!has_ended) throw std::runtime_error("Mosquitto did not stop");
}

void mosquitto::kill() {
  program_->signal(SIGKILL);
  program_->end();
}

void mosquitto::publish(const std::string& topic, const std::string& payload, bool retain) const {
  std::vector<std::string> arguments{
      "-h", "127.0.0.1", "-p", port_text(), "-q", "1", "-t", topic, payload.empty() ? "-n" : "-s"};
  if (retain) arguments.emplace_back("-r");
  program pub("mosquitto_pub", arguments);
  pub.type_raw(payload);
  pub.end_input();
  if (pub.end() != 0) throw std::runtime_error("mosquitto_pub: " + pub.errors());
}

program mosquitto::subscribe(const std::string& filter, const std::vector<std::string>& more) const {
  const auto before = count(log(), "Sending SUBACK");
  std::vector<std::string> arguments{"-h", "127.0.0.1", "-p", port_text(), "-q", "1", "-F", "%t %p", "-t", filter};
  arguments.insert(arguments.end(), more.begin(), more.end());
  program sub("mosquitto_sub", arguments);
  if (!eventually([&] { return count(log(), "Sending SUBACK") > before; }))
    throw std::runtime_error("mosquitto_sub: " + sub.errors());
  return sub;
}

}  // namespace testing_system
