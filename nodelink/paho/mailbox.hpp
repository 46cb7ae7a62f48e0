/// @file mailbox.hpp
/// From any thread to one.
#pragma once

#include <deque>
#include <mutex>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace nodelink::paho {

template <class T>
class mailbox {
 public:
  mailbox() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~mailbox() { ::close(fd_); }
  mailbox(const mailbox&) = delete;

  /// Readable when there is something to take.
  int fd() const { return fd_; }

  /// Any thread.
  void put(T what) {
    {
      const std::lock_guard lock(guard_);
      waiting_.push_back(std::move(what));
      if (waiting_.size() > 1) return;  // the reader has been woken for the first
    }
    wake();
  }

  /// All of it, oldest first.
  std::deque<T> take() {
    eventfd_t count = 0;
    ::eventfd_read(fd_, &count);
    const std::lock_guard lock(guard_);
    return std::exchange(waiting_, {});
  }

  /// Makes it readable though nothing came.
  void wake() const { ::eventfd_write(fd_, 1); }

 private:
  const int fd_;
  std::mutex guard_;
  std::deque<T> waiting_;
};

}  // namespace nodelink::paho
