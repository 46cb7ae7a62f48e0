#include "core/offline_queue.hpp"

namespace nodelink {

std::size_t offline_queue::put(entry e) {
  const number which = ++last_;
  bytes_ += e.size;
  of_node_[e.node].insert(which);
  if (e.until != instant::max()) ends_.emplace(e.until, which);
  entries_.emplace(which, std::move(e));
  std::size_t gone = 0;
  for (; entries_.size() > max_kept || bytes_ > max_kept_bytes; ++gone) take(entries_.begin()->first);
  return gone;
}

std::size_t offline_queue::expire(instant now) {
  std::size_t gone = 0;
  for (; !ends_.empty() && ends_.begin()->first <= now; ++gone) take(ends_.begin()->second);
  return gone;
}

std::optional<instant> offline_queue::next_deadline() const {
  return ends_.empty() ? std::nullopt : std::optional(ends_.begin()->first);
}

std::vector<std::string> offline_queue::nodes() const {
  std::vector<std::string> all;
  for (const auto& [node, entries] : of_node_) all.push_back(node);
  return all;
}

std::optional<offline_queue::entry> offline_queue::take(const std::string& node) {
  const auto found = of_node_.find(node);
  return found == of_node_.end() ? std::nullopt : std::optional(take(*found->second.begin()));
}

offline_queue::entry offline_queue::take(number which) {
  entry e = std::move(entries_.extract(which).mapped());
  const auto of_node = of_node_.find(e.node);
  of_node->second.erase(which);
  if (of_node->second.empty()) of_node_.erase(of_node);
  ends_.erase({e.until, which});
  bytes_ -= e.size;
  return e;
}

}  // namespace nodelink
