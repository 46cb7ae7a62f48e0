/// @file output.hpp
/// What a program writes to where somebody may not read: a pipe that nobody empties, a terminal that is stopped
/// (Ctrl-S). The program never waits for that somebody. What cannot go out at once is kept, up to a bound; what comes
/// beyond it is lost, counted, and said when there is room again. The event loop's thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "program/event_loop.hpp"

namespace program {

class output {
 public:
  /// How many bytes are kept; of one write() that is longer, all.
  static constexpr std::size_t most = std::size_t{1} << 20;

  /// @param fd is not closed, and its flags, which others may share, are not changed.
  output(event_loop& loop, int fd);
  ~output();
  output(const output&) = delete;

  /// All of it or nothing goes out: a line, or whatever belongs together.
  void write(std::string_view text);
  /// How many bytes wait to go out.
  std::size_t waiting() const { return kept_.size() - gone_; }
  /// Nobody can read it any more.
  bool is_broken() const { return is_broken_; }
  /// Called when everything is out that had to wait, with how many write()s were lost meanwhile.
  std::function<void(std::uint64_t lost)> on_room;

  /// Waits until everything is out; not longer than this without anything going out.
  /// @returns false if something was lost that on_room has not been told of before.
  bool drain(std::chrono::milliseconds at_most);

 private:
  bool flush();
  void lose_kept();
  void say_lost();
  long write_some(std::string_view text) const;
  bool is_writable(int milliseconds) const;

  event_loop& loop_;
  int fd_;
  int own_;  // another descriptor for the same, which does not wait; or fd_
  bool may_wait_;
  bool is_socket_;
  std::string kept_;
  std::size_t gone_ = 0;  // of kept_
  std::uint64_t lost_ = 0;
  bool is_broken_ = false;
};

}  // namespace program
