#include "bench/stage.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace bench {

program stage::start_relay(const std::string& node) const {
  program relay(BIN_FOLDER "/relay", {std::to_string(port()), node, std::to_string(qos_)});
  if (relay.next_line() != "up") throw std::runtime_error("R does not start: " + relay.errors());
  return relay;
}

program stage::start_server(const std::string& node, const std::vector<std::string>& more) const {
  // Clients here ask faster than a node may. Its log goes where a service's would go to: not into a pipe that nobody
  // reads.
  std::string command = "exec " BIN_FOLDER "/messenger-node -h 127.0.0.1 -p " + std::to_string(port()) + " --name " +
                        node + " -q " + std::to_string(qos_) + " --max-requests-per-node 0 --max-users 0";
  for (const auto& m : more) command += " " + m;
  const auto log = log_of(node);
  std::filesystem::remove(log);  // an earlier one says "is up" too
  program server("/bin/sh", {"-c", command + " 2>" + log});
  const auto is_up = [&] {
    std::ifstream file(log);
    for (std::string line; std::getline(file, line);)
      if (line.find(" is up at ") != std::string::npos) return true;
    return false;
  };
  if (!testing_system::eventually(is_up)) throw std::runtime_error("messenger-node does not start, see " + log);
  return server;
}

std::string stage::log_of(const std::string& node) {
  struct temporary_folder {
    temporary_folder() {
      if (!::mkdtemp(path.data())) throw std::runtime_error("cannot make a temporary folder");
    }
    ~temporary_folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
    std::string path = std::filesystem::temp_directory_path() / "messenger-bench-XXXXXX";
  };
  static const temporary_folder logs;
  return logs.path + "/" + node + ".log";
}

program stage::start_client(const std::string& name, const std::string& server) const {
  return program(BIN_FOLDER "/messenger-client", {"-h", "127.0.0.1", "-p", std::to_string(port()), "--name",
                                                  name + "@bench", "--server", server, "--logon", name});
}

program stage::start_bare_client(const std::string& node, const std::string& relay) const {
  return program(BIN_FOLDER "/bare_client", {std::to_string(port()), node, relay});
}

duration stage::broker_cpu() const { return cpu_of(broker_.pid()); }

duration cpu_of(pid_t process) {
  duration sum{};
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
    std::int64_t ns = 0;
    std::ifstream(task.path() / "schedstat") >> ns;
    sum += duration(ns);
  }
  return sum;
}

std::size_t memory_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  for (std::string word; file >> word;)
    if (word == "RssAnon:") {
      std::size_t kilobytes = 0;
      file >> kilobytes;
      return kilobytes * 1'024;
    }
  return 0;
}

}  // namespace bench
