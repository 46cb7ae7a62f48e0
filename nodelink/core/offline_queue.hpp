/// @file offline_queue.hpp
/// What processes have sent while there was no connection, until there is one, and the node that it is for is up.
/// Pure; the node's thread only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nodelink/self.hpp>

namespace nodelink {

class offline_queue {
 public:
  struct entry {
    std::string node;  ///< whom it is for
    std::string topic;
    term content;
    std::size_t size;             ///< of the payload
    instant until;                ///< instant::max() for ever
    std::uint64_t signed_by = 0;  ///< the process whose pid stands first in it; 0 for nobody's
  };

  /// @returns how many of the oldest went for it: there are no more than max_kept, of max_kept_bytes in all.
  std::size_t put(entry e);
  /// Drops those whose time is over. @returns how many
  std::size_t expire(instant now);
  std::optional<instant> next_deadline() const;

  /// Whom there is something for.
  std::vector<std::string> nodes() const;
  std::size_t size() const { return entries_.size(); }
  bool has(const std::string& node) const { return of_node_.contains(node); }
  /// Takes the oldest for that node out.
  std::optional<entry> take(const std::string& node);

 private:
  using number = std::uint64_t;
  entry take(number which);

  std::map<number, entry> entries_;  // in order
  std::map<std::string, std::set<number>, std::less<>> of_node_;
  std::set<std::pair<instant, number>> ends_;
  std::size_t bytes_ = 0;
  number last_ = 0;
};

}  // namespace nodelink
