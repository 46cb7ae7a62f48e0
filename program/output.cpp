#include "program/output.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace program {

// What a pipe or a terminal that is writable takes without waiting, whatever its state.
constexpr std::size_t surely_taken = 512;

output::output(event_loop& loop, int fd) : loop_(loop), fd_(fd), own_(fd), may_wait_(true), is_socket_(false) {
  struct stat what {};
  if (::fstat(fd, &what) != 0) return;
  is_socket_ = S_ISSOCK(what.st_mode);
  if (is_socket_ || S_ISREG(what.st_mode)) {
    may_wait_ = false;
    return;
  }
  // O_NONBLOCK belongs to what is open, which the program's parent may share: so it is opened once more.
  const auto path = "/proc/self/fd/" + std::to_string(fd);
  if (const int again = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); again >= 0) {
    own_ = again;
    may_wait_ = false;
  }
}

output::~output() {
  flush();
  loop_.unwatch(own_);
  if (own_ != fd_) ::close(own_);
}

bool output::is_writable(int milliseconds) const {
  pollfd p{own_, POLLOUT, 0};
  return ::poll(&p, 1, milliseconds) > 0;
}

long output::write_some(std::string_view text) const {
  if (is_socket_) return ::send(own_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (!may_wait_) return ::write(own_, text.data(), text.size());
  if (is_writable(0)) return ::write(own_, text.data(), std::min(text.size(), surely_taken));
  errno = EAGAIN;
  return -1;
}

// @returns whether there is nothing more to wait for.
bool output::flush() {
  while (waiting() > 0 && !is_broken_) {
    const auto count = write_some(std::string_view(kept_).substr(gone_));
    if (count >= 0)
      gone_ += static_cast<std::size_t>(count);
    else if (errno == EAGAIN)
      break;
    else if (errno != EINTR) {
      // A disk that is full may have room again; a reader that is gone does not come back.
      is_broken_ = errno == EPIPE || errno == ECONNRESET || errno == EIO || errno == EBADF;
      lose_kept();
    }
  }
  if (waiting() == 0) {
    kept_.clear();
    gone_ = 0;
  } else if (gone_ > most / 4) {
    kept_.erase(0, std::exchange(gone_, 0));
  }
  return waiting() == 0;
}

void output::lose_kept() {
  lost_ +=
      static_cast<std::uint64_t>(std::count(kept_.begin() + static_cast<std::ptrdiff_t>(gone_), kept_.end(), '\n'));
  kept_.clear();
  gone_ = 0;
}

void output::say_lost() {
  if (on_room && !is_broken_) on_room(std::exchange(lost_, 0));
}

void output::write(std::string_view text) {
  if (is_broken_) return;
  const bool is_waiting = waiting() > 0;
  if (is_waiting && waiting() + text.size() > most) {
    ++lost_;
    return;
  }
  kept_ += text;
  if (is_waiting) return;
  const auto lost_before = lost_;
  if (flush()) {
    if (lost_before > 0 && lost_ == lost_before) say_lost();
    return;
  }
  loop_.watch(own_, POLLOUT, [this] {
    if (!flush()) return;
    loop_.unwatch(own_);
    say_lost();
  });
}

bool output::drain(std::chrono::milliseconds at_most) {
  while (!flush() && is_writable(static_cast<int>(at_most.count()))) {
  }
  loop_.unwatch(own_);
  lose_kept();
  const bool is_whole = lost_ == 0 && !is_broken_;
  if (lost_ > 0) say_lost();
  return is_whole;
}

}  // namespace program
