/// @file user_list.hpp
/// The user list of the seeds, `[{ClientPid, Name}, ...]`, found by pid and by name in constant time.
#pragma once

#include <list>
#include <string>
#include <unordered_map>

#include <nodelink/names.hpp>
#include <nodelink/transport.hpp>

namespace messenger {

class user_list {
 public:
  /// Adds a user. The pid and the name are on the list at most once: the caller has looked.
  void add(const nodelink::pid& who, const std::string& name, nodelink::instant now) {
    const auto added = users_.emplace(who, user{name, {}}).first;
    pids_.emplace(added->second.name, &added->first);
    added->second.place = by_activity_.insert(by_activity_.end(), {now, &added->first});
  }

  /// Removes a user; the name it had, or nothing if it was not on the list.
  std::string remove(const nodelink::pid& who) {
    const auto found = users_.find(who);
    if (found == users_.end()) return {};
    pids_.erase(found->second.name);
    by_activity_.erase(found->second.place);
    std::string name = std::move(found->second.name);
    users_.erase(found);
    return name;
  }

  /// lists:keyfind(Pid, 1, List). The pointer is good until the list changes.
  const std::string* name_of(const nodelink::pid& who) const {
    const auto found = users_.find(who);
    return found == users_.end() ? nullptr : &found->second.name;
  }

  /// lists:keyfind(Name, 2, List). The pointer is good until the list changes.
  const nodelink::pid* pid_of(std::string_view name) const {
    const auto found = pids_.find(name);
    return found == pids_.end() ? nullptr : found->second;
  }

  /// A user of the list has done something.
  void is_active(const nodelink::pid& who, nodelink::instant now) {
    const auto place = users_.find(who)->second.place;
    place->since = now;
    by_activity_.splice(by_activity_.end(), by_activity_, place);
  }

  /// Who has done nothing for longest, and since when; the list is not empty.
  struct idle {
    nodelink::instant since;
    const nodelink::pid& who;
  };
  idle longest_idle() const { return {by_activity_.front().since, *by_activity_.front().who}; }

  std::size_t size() const { return users_.size(); }

  /// Calls f(pid, name) for each user, in no order.
  template <class F>
  void for_each(F f) const {
    for (const auto& [pid, u] : users_) f(pid, u.name);
  }

 private:
  struct activity {
    nodelink::instant since;
    const nodelink::pid* who;
  };
  struct user {
    std::string name;
    std::list<activity>::iterator place;
  };
  // Names and pids stand in users_; the others point there.
  std::unordered_map<nodelink::pid, user> users_;
  std::unordered_map<std::string_view, const nodelink::pid*> pids_;
  std::list<activity> by_activity_;  // longest idle first
};

}  // namespace messenger
