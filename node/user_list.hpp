/// @file user_list.hpp
/// The user list of the seeds, `[{ClientPid, Name}, ...]`, found by pid and by name in constant time.
#pragma once

#include <string>
#include <unordered_map>

#include "runtime/names.hpp"

namespace messenger {

class user_list {
 public:
  /// Adds a user. The pid and the name are on the list at most once: the caller has looked.
  void add(const runtime::pid& who, const std::string& name) {
    const auto added = names_.emplace(who, name).first;
    pids_.emplace(added->second, &added->first);
  }

  /// Removes a user; the name it had, or nothing if it was not on the list.
  std::string remove(const runtime::pid& who) {
    const auto found = names_.find(who);
    if (found == names_.end()) return {};
    pids_.erase(found->second);
    std::string name = std::move(found->second);
    names_.erase(found);
    return name;
  }

  /// lists:keyfind(Pid, 1, List). The pointer is good until the list changes.
  const std::string* name_of(const runtime::pid& who) const {
    const auto found = names_.find(who);
    return found == names_.end() ? nullptr : &found->second;
  }

  /// lists:keyfind(Name, 2, List). The pointer is good until the list changes.
  const runtime::pid* pid_of(std::string_view name) const {
    const auto found = pids_.find(name);
    return found == pids_.end() ? nullptr : found->second;
  }

  std::size_t size() const { return names_.size(); }
  auto begin() const { return names_.begin(); }
  auto end() const { return names_.end(); }

 private:
  std::unordered_map<runtime::pid, std::string> names_;
  std::unordered_map<std::string_view, const runtime::pid*> pids_;  // both point into names_
};

}  // namespace messenger
