#include "node/candidate.hpp"

#include <spdlog/spdlog.h>

#include "runtime/node.hpp"

namespace messenger {

void candidate::start(runtime::node& node) {
  if (serves_) return start_server(node, server_);
  spdlog::info("standing by for {}", standby_->server_node);
  const auto its_turn = [this] {
    spdlog::info("{} is down; this program takes its name", standby_->server_node);
    is_over_ = true;
  };
  node.register_name(standby_name, node.spawn(standby, *standby_, its_turn));
}

bool candidate::change() {
  if (!std::exchange(is_over_, false)) return false;
  serves_ = !serves_;
  server_.last_event = std::make_shared<std::uint64_t>(0);  // the rooms of a term are its own
  return true;
}

}  // namespace messenger
