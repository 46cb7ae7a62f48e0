#include "core/offline_queue.hpp"

namespace nodelink {

std::size_t offline_queue::put(entry e) {
  bytes_ += e.size;
  if (e.until != instant::max()) ends_.emplace(e.until, last_ + 1);
  entries_.emplace(++last_, std::move(e));
  std::size_t gone = 0;
  for (; entries_.size() > max_kept || bytes_ > max_kept_bytes; ++gone) take();
  return gone;
}

std::size_t offline_queue::expire(instant now) {
  std::size_t gone = 0;
  for (; !ends_.empty() && ends_.begin()->first <= now; ++gone) take(ends_.begin()->second);
  return gone;
}

std::optional<instant> offline_queue::next_deadline() const {
  return ends_.empty() ? std::nullopt : std::optional(ends_.begin()->first);
}

std::optional<offline_queue::entry> offline_queue::take() {
  return entries_.empty() ? std::nullopt : std::optional(take(entries_.begin()->first));
}

offline_queue::entry offline_queue::take(number which) {
  entry e = std::move(entries_.extract(which).mapped());
  ends_.erase({e.until, which});
  bytes_ -= e.size;
  return e;
}

}  // namespace nodelink
