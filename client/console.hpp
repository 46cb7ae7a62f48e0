/// @file console.hpp
/// Where a user's commands come from and where is shown what comes of them: a terminal, or lines for a script.
/// The event loop's thread only.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/events.hpp"
#include "program/output.hpp"

namespace messenger {

/// What the prompt says.
struct whereabouts {
  std::string node;
  std::string user;  ///< of the latest logon; empty if there was none
  bool is_logged_on = false;
  std::string room;  ///< the current one, or empty
};

class console {
 public:
  virtual ~console() = default;

  virtual void show(const event& e) = 0;
  /// A line of the program's log.
  virtual void log(const std::string& line) = 0;
  virtual void update(const whereabouts& w) = 0;

  /// Takes what was typed, when standard input is readable.
  virtual void read() = 0;
  virtual bool wants_more() const = 0;
  /// The next command.
  virtual std::optional<std::string> next() = 0;
  virtual bool at_end() const = 0;
  /// Nobody reads what is shown any more.
  virtual bool is_broken() const = 0;
  /// So much is waiting to be read that no more commands are to be carried out for now.
  virtual bool is_backed_up() const = 0;
  /// The program ends: waits for whoever reads, but no longer than this while nothing is read.
  /// @returns false if something was left unread.
  virtual bool finish(std::chrono::milliseconds at_most) = 0;

  virtual void window_changed() {}
  /// Ctrl-C. False if there was nothing to give up, so that it is meant for the program.
  virtual bool interrupt() { return false; }
};

/// Lines in, lines or JSON out.
struct script_settings {
  bool json = false;
  std::optional<std::vector<std::string>> commands;  ///< instead of standard input
};
/// @param errors for what is no reply.
std::unique_ptr<console> make_script_console(script_settings settings, program::event_loop& loop,
                                             program::output& errors);

struct terminal_settings {
  bool has_colours = false;
};
std::unique_ptr<console> make_terminal_console(terminal_settings settings, program::event_loop& loop);

/// Standard input and output are a terminal that can do more than print lines.
bool is_at_terminal();

}  // namespace messenger
