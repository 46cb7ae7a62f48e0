/// @file offline_queue.hpp
/// What processes have sent while there was no connection, until there is one. Pure; the node's thread only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include <nodelink/self.hpp>

namespace nodelink {

class offline_queue {
 public:
  struct entry {
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
  /// Takes the oldest out.
  std::optional<entry> take();

 private:
  using number = std::uint64_t;
  entry take(number which);

  std::map<number, entry> entries_;  // in order
  std::set<std::pair<instant, number>> ends_;
  std::size_t bytes_ = 0;
  number last_ = 0;
};

}  // namespace nodelink
