#include "runtime/node_table.hpp"

#include <algorithm>

namespace runtime {

std::vector<remote_link> node_table::nodedown(const std::string& node, std::uint64_t creation) {
  entry& e = known(node);
  e.down = std::max(e.down, creation);  // a repeat, or an older one, changes nothing
  return take_links(node, e, creation);
}

std::vector<remote_link> node_table::nodeup(const std::string& node, std::uint64_t creation) {
  entry& e = known(node);
  if (creation <= e.up || creation <= e.down) return {};
  e.up = creation;
  return take_links(node, e, creation - 1);
}

bool node_table::may_live(const pid& p) const {
  const auto found = nodes_.find(p.node);
  return found == nodes_.end() || (p.creation > found->second.down && p.creation >= found->second.up);
}

bool node_table::link(const remote_link& l, instant now) {
  entry& e = known(l.remote.node);
  e.ended.erase(l);
  if (e.links.empty()) {
    unlinked_.erase(e.unlinked);
    e.heard = e.repeated = now;
    e.answer_by.reset();
    schedule(l.remote.node, e);
  }
  return e.links.insert(l).second;
}

bool node_table::unlink(const remote_link& l) {
  const auto found = nodes_.find(l.remote.node);
  if (found == nodes_.end() || found->second.links.erase(l) == 0) return false;
  if (found->second.links.empty()) unlinked(l.remote.node, found->second);
  return true;
}

void node_table::end(const remote_link& l, const term& reason) {
  if (unlink(l)) remember_end(nodes_.find(l.remote.node)->second, l, reason);
}

void node_table::remember_end(entry& e, const remote_link& l, const term& reason) {
  e.ended.insert_or_assign(l, reason);
  if (e.ended.size() > max_ended) e.ended.erase(e.ended.begin());  // the oldest process
}

const term* node_table::ended_with(const remote_link& l) const {
  const auto found = nodes_.find(l.remote.node);
  if (found == nodes_.end()) return nullptr;
  const auto ended = found->second.ended.find(l);
  return ended == found->second.ended.end() ? nullptr : &ended->second;
}

std::size_t node_table::links_to(const std::string& node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? 0 : found->second.links.size();
}

void node_table::heard(std::string_view node, instant now) {
  const auto found = nodes_.find(node);
  if (found == nodes_.end() || found->second.links.empty()) return;
  found->second.heard = now;
  found->second.answer_by.reset();
}

// The due time is not moved at every sign of life, which would cost something per message, but
// looked at when it comes: silent since then, or since when.
tick_actions node_table::tick(instant now) {
  tick_actions actions;
  while (!due_.empty() && due_.begin()->first <= now) {
    const std::string node = due_.begin()->second;
    entry& e = nodes_.find(node)->second;
    if (e.answer_by && *e.answer_by <= now) {
      for (auto& l : take_links(node, e, max_number)) {
        remember_end(e, l, reason::noconnection);
        actions.dead.push_back(std::move(l));
      }
      continue;
    }
    if (e.repeated + repeat_interval() <= now) {
      e.repeated = now;
      actions.repeat.insert(actions.repeat.end(), e.links.begin(), e.links.end());
    }
    if (!e.answer_by && e.heard + net_ticktime_ <= now) {
      e.answer_by = now + net_ticktime_ / 4;
      actions.ping.push_back(node);
    }
    schedule(node, e);
  }
  return actions;
}

std::optional<instant> node_table::next_deadline() const {
  return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

std::vector<remote_link> node_table::disconnect() {
  std::vector<remote_link> ended;
  for (auto& [node, e] : nodes_) {
    e.ended.clear();  // the pids of this side were of the connection
    if (!e.links.empty()) {
      auto links = take_links(node, e, max_number);
      ended.insert(ended.end(), std::make_move_iterator(links.begin()), std::make_move_iterator(links.end()));
    }
  }
  std::sort(ended.begin(), ended.end());  // the same order in every run
  return ended;
}

node_table::entry& node_table::known(const std::string& node) {
  const auto [found, is_new] = nodes_.try_emplace(node);
  entry& e = found->second;
  if (is_new) {
    e.unlinked = unlinked_.insert(unlinked_.end(), node);
    if (unlinked_.size() > max_unlinked) {
      nodes_.erase(nodes_.find(unlinked_.front()));
      unlinked_.pop_front();
    }
  } else if (e.links.empty()) {
    unlinked_.splice(unlinked_.end(), unlinked_, e.unlinked);
  }
  return e;
}

std::vector<remote_link> node_table::take_links(const std::string& node, entry& e, std::uint64_t up_to_creation) {
  if (e.links.empty()) return {};
  const auto end = e.links.upper_bound({{node, up_to_creation, max_number}, max_number});
  std::vector<remote_link> taken(e.links.begin(), end);
  e.links.erase(e.links.begin(), end);
  if (e.links.empty()) unlinked(node, e);
  return taken;
}

void node_table::unlinked(const std::string& node, entry& e) {
  due_.erase({e.due, node});
  e.unlinked = unlinked_.insert(unlinked_.end(), node);
}

void node_table::schedule(const std::string& node, entry& e) {
  due_.erase({e.due, node});
  e.due = std::min(e.repeated + repeat_interval(), e.answer_by ? *e.answer_by : e.heard + net_ticktime_);
  due_.emplace(e.due, node);
}

}  // namespace runtime
