// A terminal with a person at it: tmux, with a server of its own.
#pragma once

#include <functional>
#include <map>

#include "system/program.hpp"

namespace testing_system {

class terminal {
 public:
  /// Runs a program in a window of that size. @param environment besides TERM and a UTF-8 locale.
  terminal(const std::string& path, const std::vector<std::string>& arguments,
           const std::map<std::string, std::string>& environment, int columns = 80, int rows = 24);
  ~terminal();
  terminal(const terminal&) = delete;

  /// Types text, as it stands.
  void type(const std::string& text) const;
  /// Presses a key, in tmux's words: `Enter`, `Up`, `C-d`.
  void press(const std::string& key) const;
  void paste(const std::string& text) const;
  void resize(int columns, int rows) const;

  /// What is on the screen, with the colours as escape sequences if asked for; no empty lines at the end.
  lines screen(bool colours = false) const;
  /// The lines that have scrolled out of sight too, long lines in one.
  lines all() const;
  /// Waits until a line of the screen has this text; false if none ever has.
  bool shows(const std::string& text) const;
  /// Waits until the last line is this one.
  bool ends_with(const std::string& line) const;
  /// Waits for the end of the program.
  bool has_ended() const;
  /// Column and row of the cursor, from 0.
  std::pair<int, int> cursor() const;
  /// What the screen has, for a failed test.
  std::string text() const;

 private:
  std::string tmux(const std::vector<std::string>& arguments) const;
  lines capture(const std::vector<std::string>& how) const;

  std::string socket_;
};

}  // namespace testing_system
