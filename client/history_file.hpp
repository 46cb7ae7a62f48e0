/// @file history_file.hpp
/// The lines that were typed, kept between runs.
#pragma once

#include <string>
#include <vector>

namespace messenger {

/// `$XDG_STATE_HOME/messenger/history`, or `~/.local/state/messenger/history`; empty without a home.
std::string history_path();

class history_file {
 public:
  static constexpr std::size_t longest = 1'000;

  /// A file that cannot be read or written is none: nobody is to be kept from talking by that. Empty for none.
  explicit history_file(std::string path) : path_(std::move(path)) {}

  /// The latest lines, oldest first. Drops what is older from the file.
  std::vector<std::string> load() const;
  /// Adds a line at the end, unless it is a private message: those are nobody's but the two's.
  void add(const std::string& line) const;

 private:
  std::string path_;
};

}  // namespace messenger
