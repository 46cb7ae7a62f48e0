/// @file line_reader.hpp
/// Lines from a file descriptor, as they come. Knows nothing of what is in them.
#pragma once

#include <deque>
#include <optional>
#include <string>

namespace messenger {

class line_reader {
 public:
  /// The longest line, in bytes. What is longer is given as `too_long`, once, without its text.
  static constexpr std::size_t longest = 65'536;

  struct line {
    std::string text;
    bool too_long = false;
  };

  /// @param fd is read by fill() only, and not closed.
  explicit line_reader(int fd) : fd_(fd) {}

  /// Reads once what is there; call it when the descriptor is readable.
  void fill();
  /// The next whole line; at the end of input also what came after the last line's end.
  std::optional<line> next();
  /// True while there is more to read and little is waiting to be taken.
  bool wants_more() const { return !ended_ && lines_.size() < 100; }
  /// Everything was read and taken.
  bool at_end() const { return ended_ && lines_.empty(); }

 private:
  void take(std::string_view bytes);
  void end_line();

  int fd_;
  std::deque<line> lines_;
  line present_;
  bool ended_ = false;
};

}  // namespace messenger
