#include "core/node_table.hpp"

#include <algorithm>

namespace nodelink {

std::vector<remote_link> node_table::nodedown(const std::string& node, std::uint64_t creation, instant now,
                                              std::uint64_t place) {
  entry& e = known(node, now);
  if (creation > e.down && creation >= e.up) e.changed_at = place;
  e.down = std::max(e.down, creation);  // a repeat, or an older one, changes nothing
  return take_links(node, e, creation, now);
}

std::vector<remote_link> node_table::nodeup(const std::string& node, std::uint64_t creation, instant now,
                                            std::uint64_t place) {
  entry& e = known(node, now);
  if (creation <= e.up || creation <= e.down) return {};
  e.up = creation;
  e.changed_at = place;
  return take_links(node, e, creation - 1, now);
}

bool node_table::may_live(const pid& p) const {
  const auto found = nodes_.find(p.node);
  return found == nodes_.end() || (p.creation > found->second.down && p.creation >= found->second.up);
}

std::optional<bool> node_table::is_up(const std::string& node) const {
  const auto found = nodes_.find(node);
  if (found == nodes_.end() || std::max(found->second.up, found->second.down) == 0) return std::nullopt;
  return found->second.up > found->second.down;
}

std::uint64_t node_table::changed_at(const std::string& node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? 0 : found->second.changed_at;
}

std::map<std::string, std::uint64_t> node_table::up() const {
  std::map<std::string, std::uint64_t> names;
  for (const auto& [name, e] : nodes_)
    if (e.up > e.down) names.emplace(name, e.up);
  return names;
}

bool node_table::link(const remote_link& l, instant now) {
  entry& e = known(l.remote.node, now);
  const bool first = e.links.empty();
  const bool is_new = e.links.emplace(l, now).second;
  if (first) {
    unlinked_.erase(e.unlinked);
    e.heard = now;
    e.asked.reset();
    e.ask_at = now + interval(l.remote.node);
    schedule(l.remote.node, e);
  }
  return is_new;
}

bool node_table::unlink(const remote_link& l, instant now) {
  const auto found = nodes_.find(l.remote.node);
  if (found == nodes_.end() || found->second.links.erase(l) == 0) return false;
  if (found->second.links.empty()) unlinked(l.remote.node, found->second, now);
  return true;
}

std::size_t node_table::links_to(const std::string& node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? 0 : found->second.links.size();
}

node_table::counts node_table::count() const {
  counts all;
  for (const auto& [name, e] : nodes_) {
    if (e.up > e.down) ++all.up;
    all.links += e.links.size();
  }
  return all;
}

// The due time is not moved at every sign of life, which would cost something per message: it is looked at when it
// comes.
void node_table::heard(std::string_view node, instant now) {
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return;
  found->second.heard = now;
  found->second.asked.reset();
}

bool node_table::asked_after(const remote_link& l, instant now) {
  const auto node = nodes_.find(l.remote.node);
  if (node == nodes_.end()) return false;
  const auto link = node->second.links.find(l);
  if (link == node->second.links.end()) return false;
  link->second = now;
  return true;
}

tick_actions node_table::tick(instant now) {
  tick_actions actions;
  while (!due_.empty() && due_.begin()->first <= now) {
    const std::string node = due_.begin()->second;
    entry& e = nodes_.find(node)->second;
    if (e.asked && e.asked->is_read && now >= e.asked->since + net_ticktime_ / 4) {
      auto dead = take_links(node, e, max_number, now);
      actions.dead.insert(actions.dead.end(), std::make_move_iterator(dead.begin()),
                          std::make_move_iterator(dead.end()));
      continue;
    }
    if (e.asked && now >= e.asked->again) {
      actions.ask.push_back(e.links.begin()->first);
      actions.echo = true;
      e.asked->again = now + step();
    }
    if (e.ask_at <= now) ask_links(node, e, now, actions);
    schedule(node, e);
  }
  return actions;
}

void node_table::ask_links(const std::string& node, entry& e, instant now, tick_actions& actions) {
  instant oldest = now;
  for (const auto& [link, asked] : e.links) oldest = std::min(oldest, asked);
  if (oldest + interval(node) <= now) {
    oldest = now;
    for (auto& [link, asked] : e.links) {
      if (asked + net_ticktime_ / 2 <= now) {  // the others will be due soon: one question for all is cheaper
        asked = now;
        actions.ask.push_back(link);
      }
      oldest = std::min(oldest, asked);
    }
    if (!e.asked) {
      const instant since = std::max(e.heard + net_ticktime_, now);
      e.asked = question{.since = since, .again = since + step(), .passed = {}};
      silent_.insert(node);
    }
  }
  e.ask_at = oldest + interval(node);
}

void node_table::read_up_to(instant sent, bool is_whole, instant now) {
  for (auto node = silent_.begin(); node != silent_.end();) {
    const auto found = nodes_.find(*node);
    if (found == nodes_.end() || !found->second.asked || found->second.links.empty()) {
      node = silent_.erase(node);
      continue;
    }
    auto& asked = *found->second.asked;
    if (!is_whole) {
      asked.passed.reset();
      asked.is_read = false;
    }
    if (!asked.passed && sent >= asked.since) asked.passed = now;
    // Two steps are for the answer's own way.
    if (asked.passed && sent >= *asked.passed + 2 * step()) asked.is_read = true;
    schedule(*node, found->second);
    ++node;
  }
}

// The node whose name sorts first asks a little earlier than the other, which then need not.
duration node_table::interval(const std::string& node) const {
  return own_ < node ? net_ticktime_ * 7 / 8 : net_ticktime_;
}

std::optional<instant> node_table::next_deadline() const {
  return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

std::vector<remote_link> node_table::disconnect() {
  std::vector<remote_link> ended;
  for (const auto& [node, e] : nodes_)
    for (const auto& [link, asked] : e.links) ended.push_back(link);
  std::sort(ended.begin(), ended.end());  // the same order in every run
  nodes_.clear();
  due_.clear();
  silent_.clear();
  unlinked_.clear();
  return ended;
}

node_table::entry& node_table::known(const std::string& node, instant now) {
  while (!unlinked_.empty() && nodes_.find(unlinked_.front())->second.used + remembered < now) forget_longest_unused();
  const auto [found, is_new] = nodes_.try_emplace(node);
  entry& e = found->second;
  if (is_new) {
    e.unlinked = unlinked_.insert(unlinked_.end(), node);
    if (unlinked_.size() > max_unlinked) forget_longest_unused();
  } else if (e.links.empty()) {
    unlinked_.splice(unlinked_.end(), unlinked_, e.unlinked);
  }
  e.used = now;
  return e;
}

void node_table::forget_longest_unused() {
  nodes_.erase(nodes_.find(unlinked_.front()));
  unlinked_.pop_front();
}

std::vector<remote_link> node_table::take_links(const std::string& node, entry& e, std::uint64_t up_to_creation,
                                                instant now) {
  if (e.links.empty()) return {};
  const auto end = e.links.upper_bound({{node, up_to_creation, max_number}, max_number});
  std::vector<remote_link> taken;
  for (auto l = e.links.begin(); l != end; ++l) taken.push_back(l->first);
  e.links.erase(e.links.begin(), end);
  if (e.links.empty()) unlinked(node, e, now);
  return taken;
}

void node_table::unlinked(const std::string& node, entry& e, instant now) {
  e.used = now;
  due_.erase({e.due, node});
  e.unlinked = unlinked_.insert(unlinked_.end(), node);
}

void node_table::schedule(const std::string& node, entry& e) {
  due_.erase({e.due, node});
  e.due = e.ask_at;
  if (e.asked) e.due = std::min(e.due, e.asked->again);
  if (e.asked && e.asked->is_read) e.due = std::min(e.due, e.asked->since + net_ticktime_ / 4);
  due_.emplace(e.due, node);
}

}  // namespace nodelink
