/// @file completion.hpp
/// What a word that is being typed may become. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "client/events.hpp"

namespace messenger {

class completion {
 public:
  /// Learns the names of users, rooms and nodes from what is shown.
  void learn(const event& e);

  enum class kind { none, command, user, room, node };
  struct word {
    kind what = kind::none;
    std::string begun;
  };
  /// What the last word of the text is to be.
  static word last_word(const std::string& text);

  /// Whole words for the last word of the text, sorted. A user's name with spaces comes in double quotes.
  std::vector<std::string> words(const std::string& text) const;

 private:
  std::set<std::string> users_, rooms_, nodes_;
};

}  // namespace messenger
