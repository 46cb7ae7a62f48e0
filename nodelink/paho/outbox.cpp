#include "paho/outbox.hpp"

#include <algorithm>
#include <utility>

namespace nodelink::paho {

// One place is left free: for the last word of a connection that is given up, and since Paho, whose window is full, may
// sleep for a second before it sees that there is room again.
void outbox::set_receive_maximum(int count) { window_ = std::clamp(count - 1, 1, most_in_flight); }

void outbox::put(publication p) { p.is_urgent ? queued_.push_front(std::move(p)) : queued_.push_back(std::move(p)); }

std::optional<publication> outbox::next() {
  if (queued_.empty() || in_flight_ >= window_ || is_waiting()) return std::nullopt;
  auto first = std::move(queued_.front());
  queued_.pop_front();
  ++in_flight_;
  return first;
}

// A part of the window at a time: each wake-up costs.
int outbox::awaited_acknowledgements() const {
  if (is_closing_ && queued_.empty()) return in_flight_;
  if (queued_.empty() || in_flight_ < window_) return 0;
  return std::max(1, window_ / 4);
}

}  // namespace nodelink::paho
