/// @file page_queue.hpp
/// Long lists on their way to who asked for them: a page of each in turn, so that nobody waits for another's. Pure; the
/// node's thread only.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>

#include <nodelink/names.hpp>
#include "protocol/rooms.hpp"

namespace messenger {

class page_queue {
 public:
  /// How many lists one node may have on their way.
  static constexpr std::size_t most_of_node = 8;

  bool empty() const { return turns_.empty(); }
  bool may_add(const std::string& node) const {
    const auto found = of_node_.find(node);
    return found == of_node_.end() || found->second < most_of_node;
  }
  /// Whether a list for that process is on its way: the next one goes after it.
  bool has(const nodelink::pid& to) const { return lists_.contains(to); }
  void add(const nodelink::pid& to, paged_list list) {
    auto& of_process = lists_[to];
    if (of_process.empty()) turns_.push_back(to);
    of_process.push_back(std::move(list));
    ++of_node_[to.node];
  }
  /// The next page, and whose it is; there is one.
  std::pair<nodelink::pid, nodelink::term> take() {
    auto to = std::move(turns_.front());
    turns_.pop_front();
    const auto found = lists_.find(to);
    auto& of_process = found->second;
    auto page = of_process.front().next();
    if (of_process.front().is_over()) {
      of_process.pop_front();
      if (--of_node_[to.node] == 0) of_node_.erase(to.node);
    }
    if (of_process.empty())
      lists_.erase(found);
    else
      turns_.push_back(to);
    return {std::move(to), std::move(page)};
  }

 private:
  std::deque<nodelink::pid> turns_;
  std::map<nodelink::pid, std::deque<paged_list>> lists_;
  std::map<std::string, std::size_t> of_node_;
};

}  // namespace messenger
