/// @file terminal.hpp
/// A person's screen and keyboard, on libedit: a line being typed at the bottom, and everything else above it.
/// The event loop's thread only; read() never waits.
#pragma once

#include <cstdio>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <histedit.h>

#include "client/history_file.hpp"
#include "program/output.hpp"

namespace messenger {

class terminal {
 public:
  /// What may stand in place of the last, unfinished word of this text. Whole words, sorted.
  using completer = std::function<std::vector<std::string>(const std::string& text)>;

  /// @param screen standard output. What does not fit into it while the terminal is stopped is lost, and said later.
  /// @param history_path where typed lines are kept for the next time; empty for nowhere.
  terminal(program::output& screen, const std::string& history_path, completer complete);
  /// Leaves the terminal as it was.
  ~terminal();
  terminal(const terminal&) = delete;

  /// Takes what was typed, when standard input is readable.
  void read();
  /// The next line, once it was ended.
  std::optional<std::string> next();
  bool wants_more() const { return !at_end_ && lines_.size() < 100; }
  /// Ctrl-D on an empty line, or the terminal is gone.
  bool at_end() const { return at_end_ && lines_.empty(); }

  /// Writes above the line that is being typed. @param text without control characters of others; lines end in \n.
  void print(const std::string& text);
  /// Empties the line that is being typed, and begins another. False if there was nothing in it.
  bool give_line_up();
  /// ASCII.
  void set_prompt(const std::string& prompt);
  /// The window has another size, or the program was stopped and goes on: draws the line anew.
  void redraw();

  /// The width of text in columns, as far as the C library knows it.
  static int width(const std::string& text);

 private:
  static int get_character(EditLine* el, wchar_t* c);
  static unsigned char complete_word(EditLine* el, int key);
  unsigned char complete_word();
  static const char* prompt_of(EditLine* el);
  void feed();
  bool insert_run();
  void line_is_ended(const std::string& line);
  int row_after(std::size_t size) const;
  void erase();
  void draw();

  program::output& screen_;
  std::FILE* file_;  // what is written to it goes to screen_
  completer complete_;
  History* history_;
  EditLine* edit_;
  history_file saved_;
  std::string prompt_;
  std::string input_;  // typed, and not yet given to libedit
  std::string unit_;   // one key, being given to libedit
  std::deque<std::string> lines_;
  bool at_end_ = false;
  std::uint64_t lost_ = 0;  // prints, while the terminal was stopped
  int drawn_columns_ = 0;   // the width of the window when the line was drawn
};

}  // namespace messenger
