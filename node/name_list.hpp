/// @file name_list.hpp
/// Whose name is it: which node may log on which user. The node's thread only.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

namespace messenger {

/// A file with `NODE NAME` in each line, which broker/provision makes; empty lines and those that begin with # are
/// none. What changes in the file counts from the next question on. What is wrong with it then is logged, and changes
/// nothing.
class name_list {
 public:
  /// @throws std::runtime_error with a sentence, if the file cannot be read or has a line that is none.
  explicit name_list(std::string path);

  bool may_have(const std::string& name, const std::string& node);
  const std::string& path() const { return path_; }
  std::size_t size() const { return all_.size(); }

 private:
  struct version {
    std::int64_t seconds = 0, nanoseconds = 0;
    std::uint64_t inode = 0;
    bool operator==(const version&) const = default;
  };

  version present() const;
  void read();

  std::string path_;
  version version_;
  std::set<std::pair<std::string, std::string>> all_;  // node and name
};

}  // namespace messenger
