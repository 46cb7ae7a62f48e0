#include "node/service.hpp"

#include <systemd/sd-daemon.h>

namespace messenger {

service::service() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) > 0) interval_ = std::chrono::microseconds(microseconds / 3);
}

void service::is(const std::string& status, bool is_ready) {
  if (status == status_ || is_stopping_) return;
  status_ = status;
  ::sd_notify(0, ((is_ready ? "READY=1\nSTATUS=" : "STATUS=") + status).c_str());
}

void service::is_stopping() {
  is_stopping_ = true;
  ::sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

std::optional<nodelink::instant> service::alive() {
  if (!interval_) return std::nullopt;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return next_;
  ::sd_notify(0, "WATCHDOG=1");
  return next_ = now + *interval_;
}

}  // namespace messenger
