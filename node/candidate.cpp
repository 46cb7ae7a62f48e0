#include "node/candidate.hpp"

#include <nodelink/node.hpp>
#include "program/log_event.hpp"

namespace messenger {

constexpr nodelink::duration longest_change = std::chrono::seconds(1);

void candidate::start(nodelink::node& node) {
  now_ = node.env().now;
  if (serves_) return start_server(node, server_);
  program::log(spdlog::level::info, "standing_by", {{"node", node.name()}, {"server", standby_->server_node}},
               "standing by for {}", standby_->server_node);
  const auto its_turn = [this] {
    program::log(spdlog::level::info, "takes_over", {{"server", standby_->server_node}},
                 "{} is down; this program takes its name", standby_->server_node);
    over_since_ = now_();
    is_over_ = true;
  };
  node.register_name(standby_name, node.spawn(standby, *standby_, its_turn));
}

bool candidate::lost(nodelink::connection_loss::kind how) {
  const bool is_lost = serves_ && standby_ && how != nodelink::connection_loss::kind::outranked;
  return is_over_ = is_over_ || is_lost;
}

bool candidate::change() {
  if (is_ending_ || !std::exchange(is_over_, false)) return false;
  serves_ = !serves_ && now_() - over_since_ < longest_change;
  return true;
}

}  // namespace messenger
