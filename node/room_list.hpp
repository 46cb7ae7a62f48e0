/// @file room_list.hpp
/// The rooms that somebody is in, who is in them, and the numbers of what happens there.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

namespace messenger {

class room_list {
 public:
  /// In how many rooms a user may be at a time.
  static constexpr std::size_t max_rooms_of_user = 100;

  struct room {
    std::uint64_t seq = 0;  ///< of the last event
    std::set<std::string> users;
  };

  /// @param last_event the highest number that an event of any room had: who opens a room that was there before is
  /// not to take its late events for new ones.
  explicit room_list(std::shared_ptr<std::uint64_t> last_event) : last_event_(std::move(last_event)) {}

  /// Nothing if nobody is in it.
  const room* find(const std::string& name) const {
    const auto found = rooms_.find(name);
    return found == rooms_.end() ? nullptr : &found->second;
  }
  bool is_in(const std::string& user, const std::string& name) const {
    const auto found = rooms_of_.find(user);
    return found != rooms_of_.end() && found->second.contains(name);
  }
  std::set<std::string> rooms_of(const std::string& user) const {
    const auto found = rooms_of_.find(user);
    return found == rooms_of_.end() ? std::set<std::string>() : found->second;
  }
  const std::map<std::string, room>& all() const { return rooms_; }
  /// How often somebody is in a room.
  std::size_t members() const { return members_; }

  // Each of these is an event of the room. They return its number.

  /// The user is not in it. @param creation of the server's node: the numbers of a new room are above that too, and
  /// so above those of every server before.
  std::uint64_t join(const std::string& user, const std::string& name, std::uint64_t creation) {
    auto& r = rooms_.emplace(name, room{std::max(*last_event_, creation), {}}).first->second;
    r.users.insert(user);
    rooms_of_[user].insert(name);
    ++members_;
    return next(r);
  }
  /// The user is in it. With the last one the room is gone.
  std::uint64_t leave(const std::string& user, const std::string& name) {
    const auto found = rooms_.find(name);
    const auto seq = next(found->second);
    found->second.users.erase(user);
    --members_;
    if (found->second.users.empty()) rooms_.erase(found);
    const auto rooms = rooms_of_.find(user);
    rooms->second.erase(name);
    if (rooms->second.empty()) rooms_of_.erase(rooms);
    return seq;
  }
  /// There is such a room.
  std::uint64_t say(const std::string& name) { return next(rooms_.find(name)->second); }

 private:
  std::uint64_t next(room& r) {
    *last_event_ = std::max(*last_event_, ++r.seq);
    return r.seq;
  }

  std::map<std::string, room> rooms_;
  std::unordered_map<std::string, std::set<std::string>> rooms_of_;  // by user
  std::size_t members_ = 0;
  std::shared_ptr<std::uint64_t> last_event_;
};

}  // namespace messenger
