/// @file room_view.hpp
/// What one member knows of a room: who is in it, and which events it has seen. Pure.
#pragma once

#include <set>
#include <string>

#include "protocol/rooms.hpp"

namespace messenger {

class room_view {
 public:
  /// The server's list as of an event; the events up to the first such are older than the membership.
  void list(std::uint64_t seq, const names& users) {
    if (seen_ == 0) seen_ = seq;
    as_of_ = seq;
    users_ = {users.begin(), users.end()};
  }

  struct taken {
    bool is_new = false;        ///< to be shown
    bool is_after_gap = false;  ///< others before it are missing: ask for the list again
  };
  taken take(const room_event& e) {
    if (e.seq <= seen_) return {};
    seen_ = e.seq;
    if (e.seq <= as_of_) return {true, false};  // was missing when the list was asked for
    if (e.seq > as_of_ + 1) return {true, true};
    as_of_ = e.seq;
    if (e.what == room_event::kind::joined) users_.insert(e.name);
    if (e.what == room_event::kind::left) users_.erase(e.name);
    return {true, false};
  }

  const std::set<std::string>& users() const { return users_; }
  std::uint64_t as_of() const { return as_of_; }

 private:
  std::set<std::string> users_;
  std::uint64_t as_of_ = 0;  // what users_ is right for
  std::uint64_t seen_ = 0;   // the last event that was shown
};

}  // namespace messenger
