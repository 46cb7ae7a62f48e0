/// @file screen.hpp
/// What the user sees: every line that the client writes to standard output, and its words.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "runtime/term.hpp"

namespace messenger {

/// Text as Erlang's `~p` prints a string, in double quotes and with escapes, so that what others
/// wrote cannot command the terminal. Unicode text stays as it is.
std::string quoted(std::string_view text);
/// The same without quotes, for names and single words.
std::string printable(std::string_view text);

class screen {
 public:
  /// @param write_line is called with each line, without its end.
  explicit screen(std::function<void(std::string_view)> write_line) : write_line_(std::move(write_line)) {}

  /// `io:format("~p~n", [What])` for a reply or the result of a command.
  void print(std::string_view what) const { write_line_(printable(what)); }
  /// `Message from peter: "hello"`
  void message_from(std::string_view name, std::string_view text) const;
  /// `exit: noconnection`: a signal ended mess_client.
  void exit(const runtime::term& reason) const;

 private:
  std::function<void(std::string_view)> write_line_;
};

}  // namespace messenger
