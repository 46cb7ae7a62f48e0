#include "laws.hpp"

#include <algorithm>

namespace chaos {

void laws::violated(const std::string& law) {
  if (violation_) return;
  violation_ = law;
  if (on_violation) on_violation(law);
}

void laws::disturb(const std::string& node, duration time) {
  auto& until = disturbed_until_[node];
  until = std::max(until, world_.now() + time + memory_);
}

bool laws::is_calm(const std::string& node, instant since) const {
  return std::all_of(disturbed_until_.begin(), disturbed_until_.end(),
                     [&](const auto& d) { return (d.first != node && d.first != all) || d.second < since; });
}

void laws::logon(const host& server, const pid& who, const std::string& name) {
  auto& list = lists_[&server];
  for (const auto& [other, taken] : list)
    if (taken == name)
      violated("no name is on the list twice: " + name + " by " + to_string(other) + " and " + to_string(who));
  if (!list.emplace(who, name).second) violated("no process is on the list twice: " + to_string(who));
}

void laws::logoff(const host& server, const pid& who, bool lives) {
  if (lists_[&server].erase(who) == 0) violated("who is logged off was logged on: " + to_string(who));
  const auto now = world_.now();
  if (lives && is_calm(who.node, now) && is_calm(server.name(), now))
    violated("no living, connected process is logged off: " + to_string(who));
}

void laws::message(const std::string& to, const std::string& from, std::uint64_t number) {
  auto& last = last_message_[{to, from}];
  if (number <= last)
    violated("messages of a pair arrive in order and never twice: " + std::to_string(number) + " of " + from + " at " +
             to + " after " + std::to_string(last));
  last = number;
}

void laws::linked(const pid& a, const pid& b) {
  ++end_of_link(a, b).links;
  ++end_of_link(b, a).links;
}

void laws::exited(const pid& at, const pid& from, bool from_lives) {
  auto& l = end_of_link(at, from);
  if (++l.exits > l.links) violated("a link gives one exit: another at " + to_string(at) + " from " + to_string(from));
  const auto now = world_.now();
  if (from_lives && is_calm(at.node, now) && is_calm(from.node, now))
    violated("no exit comes from a living, connected process: at " + to_string(at) + " from " + to_string(from));
}

}  // namespace chaos
