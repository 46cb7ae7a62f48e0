#include "system/network.hpp"

#include <stdexcept>

#include <unistd.h>

namespace testing_system {

static bool succeeds(const std::string& command) {
  program shell("/bin/sh", {"-c", command});
  return shell.end() == 0;
}
static void run(const std::string& command) {
  program shell("/bin/sh", {"-c", command});
  if (shell.end() != 0) throw std::runtime_error(command + ": " + shell.errors());
}

bool network::can_be_made() {
  const std::string name = "messenger-can-" + std::to_string(::getpid());
  return ::geteuid() == 0 && succeeds("ip netns add " + name + " && ip netns exec " + name +
                                      " nft list tables; rc=$?; ip netns del " + name + "; exit $rc");
}

network::network() {
  static int made = 0;
  const std::string name = "messenger-" + std::to_string(::getpid()) + "-" + std::to_string(++made);
  here_ = name + "-here";
  there_ = name + "-there";
  run("ip netns add " + here_ + " && ip netns add " + there_);
  run("ip -n " + here_ + " link add cable type veth peer name cable netns " + there_);
  const std::string up[] = {here_ + " addr add 10.98.76.1/24 dev cable", there_ + " addr add 10.98.76.2/24 dev cable"};
  for (const auto& side : up) run("ip -n " + side);
  for (const auto& side : {here_, there_}) {
    run("ip -n " + side + " link set lo up && ip -n " + side + " link set cable up");
    run("ip netns exec " + side +
        " nft 'add table inet t; add chain inet t c { type filter hook output priority 0; }'");
  }
}

network::~network() {
  for (const auto& side : {here_, there_}) succeeds("ip netns del " + side);
}

program network::start(const std::string& side, const std::string& path, std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"netns", "exec", side, path});
  return {"ip", arguments};
}

void network::rule(const std::string& what) const {
  for (const auto& side : {here_, there_})
    run("ip netns exec " + side + " nft 'add rule inet t c oifname cable " + what + "'");
}

void network::mend() const {
  for (const auto& side : {here_, there_}) run("ip netns exec " + side + " nft flush chain inet t c");
}

}  // namespace testing_system
