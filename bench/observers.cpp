#include "bench/observers.hpp"

#include <chrono>
#include <stdexcept>

#include <poll.h>

namespace bench {

will_counter::will_counter(int port) {
  mqtt_.open(port, "counter@bench");
  const auto until = [this](auto done) {
    for (int i = 0; !done(); ++i) {
      if (i > 1'000) throw std::runtime_error("the counter of wills could not connect");
      wait(std::chrono::milliseconds(10));
    }
  };
  until([this] { return mqtt_.is_connected(); });
  mqtt_.subscribe("messenger/1/messenger/node/+", 1);
  until([this] { return mqtt_.is_subscribed(); });
  // What is retained comes first.
  for (std::size_t before = 1; before != count_; wait(std::chrono::milliseconds(50))) before = count_;
  count_ = 0;
}

void will_counter::wait(duration at_most) {
  pollfd p{mqtt_.fd(), static_cast<short>(POLLIN | (mqtt_.has_output() ? POLLOUT : 0)), 0};
  ::poll(&p, 1, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(at_most).count()));
  mqtt_.flush();
  if (!(p.revents & POLLIN)) return;
  mqtt_.read(
      [this](std::string_view, std::string_view payload) { count_ += payload.starts_with("[\"nodedown\"") ? 1 : 0; });
  mqtt_.flush();
}

log_reader::log_reader(const std::string& path) : file_(path) { file_.seekg(0, std::ios::end); }

std::size_t log_reader::count_new(const std::string& text) {
  std::size_t n = 0;
  for (std::string line; std::getline(file_, line); rest_.clear()) {
    rest_ += line;
    if (file_.eof()) break;  // the rest of it is still to come
    n += rest_.find(text) != std::string::npos ? 1 : 0;
  }
  file_.clear();
  return n;
}

}  // namespace bench
