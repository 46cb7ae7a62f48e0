/// @file quotas.hpp
/// What one node may ask of the server, so that it cannot hurt the others. Pure; the node's thread only.
#pragma once

#include <algorithm>
#include <string>
#include <unordered_map>

#include <nodelink/transport.hpp>

namespace messenger {

/// Generous: who behaves never meets them. 0 is no bound.
struct limits {
  std::size_t users = 100'000;                        ///< logged on
  std::size_t rooms = 100'000;                        ///< that somebody is in
  std::size_t users_of_node = 1'000;                  ///< logged on from one node
  std::size_t memberships_of_node = 10'000;           ///< rooms that users of one node are in
  double requests_of_node = 200;                      ///< a second
  double reply_bytes_of_node = std::size_t{4} << 20;  ///< a second; of lists
};

class quotas {
 public:
  /// So many seconds' worth of requests and replies may come at once.
  static constexpr double burst_seconds = 10;
  /// That a node is told of.
  static constexpr double refusals_a_second = 50;

  explicit quotas(const limits& at_most) : at_most_(at_most) {}

  /// Whether that node may ask for something now; then it has.
  bool may_ask(const std::string& node, nodelink::instant now) {
    auto& n = at(node, now);
    if (at_most_.reply_bytes_of_node > 0 && n.reply_bytes <= 0) return false;
    if (at_most_.requests_of_node <= 0) return true;
    if (n.requests < 1) return false;
    n.requests -= 1;
    return true;
  }
  /// It was sent so much, of a list. That may be more than it had left: then it waits the longer.
  void replied(const std::string& node, std::size_t bytes, nodelink::instant now) {
    at(node, now).reply_bytes -= static_cast<double>(bytes);
  }
  /// It was refused something: whether it is told so, which is work too. Beyond refusals_a_second it is not.
  bool is_told(const std::string& node, nodelink::instant now) {
    auto& n = at(node, now);
    if (n.refusals < 1) return false;
    n.refusals -= 1;
    return true;
  }
  /// Likewise: true if that has not been logged for some seconds.
  bool is_news(const std::string& node, nodelink::instant now) {
    constexpr auto pause = std::chrono::seconds(10);
    auto& n = at(node, now);
    if (n.was_said && now < n.said + pause) return false;
    n.was_said = true;
    n.said = now;
    return true;
  }

  bool may_have_user(const std::string& node) const { return is_below(node, &of_node::users, at_most_.users_of_node); }
  bool may_have_room(const std::string& node) const {
    return is_below(node, &of_node::memberships, at_most_.memberships_of_node);
  }
  void add_user(const std::string& node, nodelink::instant now) { ++at(node, now).users; }
  void remove_user(const std::string& node) { --nodes_.find(node)->second.users; }
  void add_room(const std::string& node, nodelink::instant now) { ++at(node, now).memberships; }
  void remove_rooms(const std::string& node, std::size_t count) { nodes_.find(node)->second.memberships -= count; }

  /// How many nodes something is known of.
  std::size_t size() const { return nodes_.size(); }

 private:
  struct of_node {
    double requests, reply_bytes, refusals;  // that it has left
    nodelink::instant as_of;
    std::size_t users = 0, memberships = 0;
    bool was_said = false;
    nodelink::instant said{};
  };

  bool is_below(const std::string& node, std::size_t of_node::*what, std::size_t most) const {
    const auto found = nodes_.find(node);
    return most == 0 || found == nodes_.end() || found->second.*what < most;
  }

  void refill(of_node& n, nodelink::instant now) const {
    const double seconds = std::chrono::duration<double>(now - n.as_of).count();
    const auto fill = [&](double& left, double rate) { left = std::min(left + seconds * rate, burst_seconds * rate); };
    fill(n.requests, at_most_.requests_of_node);
    fill(n.reply_bytes, at_most_.reply_bytes_of_node);
    fill(n.refusals, refusals_a_second);
    n.as_of = now;
  }

  of_node& at(const std::string& node, nodelink::instant now) {
    if (nodes_.size() >= forget_at_) forget(now);
    const auto [found, is_new] = nodes_.try_emplace(
        node, of_node{burst_seconds * at_most_.requests_of_node, burst_seconds * at_most_.reply_bytes_of_node,
                      burst_seconds * refusals_a_second, now});
    if (!is_new) refill(found->second, now);
    return found->second;
  }

  // Those of which there is nothing to know but that they may ask.
  void forget(nodelink::instant now) {
    for (auto entry = nodes_.begin(); entry != nodes_.end();) {
      auto& n = entry->second;
      refill(n, now);
      const bool is_idle = n.users == 0 && n.requests >= burst_seconds * at_most_.requests_of_node &&
                           n.reply_bytes >= burst_seconds * at_most_.reply_bytes_of_node;
      entry = is_idle ? nodes_.erase(entry) : std::next(entry);
    }
    forget_at_ = 2 * nodes_.size() + least_to_forget;
  }

  static constexpr std::size_t least_to_forget = 1'000;

  limits at_most_;
  std::unordered_map<std::string, of_node> nodes_;
  std::size_t forget_at_ = least_to_forget;
};

}  // namespace messenger
