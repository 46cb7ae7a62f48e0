/// @file rate_limit.hpp
/// How much of one other node is looked at: so much a second, and ten seconds' worth at once. Pure; the node's thread
/// only.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>

#include <nodelink/transport.hpp>

namespace nodelink {

class rate_limit {
 public:
  /// @param a_second 0 for no bound
  explicit rate_limit(double a_second) : rate_(a_second) {}

  /// Something has come. False if it is too much of that node.
  bool allows(std::string_view node, instant now) {
    if (rate_ <= 0) return true;
    auto found = nodes_.find(node);
    if (found == nodes_.end()) {
      if (nodes_.size() >= forget_at_) forget(now);
      found = nodes_.emplace(std::string(node), allowance{most(), now}).first;
    }
    auto& n = found->second;
    refill(n, now);
    if (n.left < 1) return false;
    n.left -= 1;
    return true;
  }

 private:
  struct allowance {
    double left;
    instant as_of;
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  double most() const { return 10 * rate_; }
  void refill(allowance& n, instant now) const {
    n.left = std::min(n.left + std::chrono::duration<double>(now - n.as_of).count() * rate_, most());
    n.as_of = now;
  }
  // Who may send all at once is as good as new.
  void forget(instant now) {
    for (auto n = nodes_.begin(); n != nodes_.end();) {
      refill(n->second, now);
      n = n->second.left >= most() ? nodes_.erase(n) : std::next(n);
    }
    forget_at_ = 2 * nodes_.size() + least_to_forget;
  }

  static constexpr std::size_t least_to_forget = 1'000;

  double rate_;
  std::unordered_map<std::string, allowance, text_hash, std::equal_to<>> nodes_;
  std::size_t forget_at_ = least_to_forget;
};

}  // namespace nodelink
