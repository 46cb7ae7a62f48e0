// A program under test: started with arguments, written to, read from, signalled, waited for.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace testing_system {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

/// How long a condition may take to come true. Generous: it is there to end a test that has failed.
inline constexpr auto patience = 30s;
/// Seconds that a busy machine may add to a time that is promised. The simulation, which has a clock of its own, adds
/// none.
inline constexpr double busy = 4;

class program {
 public:
  program(const std::string& path, const std::vector<std::string>& arguments,
          const std::map<std::string, std::string>& environment = {});
  ~program();  // kills it if it still runs
  program(program&& other) noexcept;
  program& operator=(program&&) = delete;

  void type(const std::string& line);
  void type_raw(const std::string& bytes);
  void end_input();

  /// Waits for the next line of standard output. Nothing if it does not come.
  std::optional<std::string> next_line(std::chrono::milliseconds at_most = patience);
  /// Waits until standard error has this text; true if it came.
  bool says(const std::string& text, std::chrono::milliseconds at_most = patience);
  /// What standard error has had so far.
  const std::string& errors();
  /// What has not been taken of standard output.
  lines rest();

  void signal(int number) const;
  /// Waits for its end: the exit code, or minus the signal. Nothing if it goes on.
  std::optional<int> end(std::chrono::milliseconds at_most = patience);
  pid_t pid() const { return pid_; }

 private:
  bool pump(std::chrono::milliseconds at_most);

  pid_t pid_ = -1;
  int in_ = -1, out_ = -1, err_ = -1;
  std::string out_text_, err_text_;
  std::optional<int> status_;
};

/// Waits until the condition holds; false if it never did.
template <class F>
bool eventually(F condition, std::chrono::milliseconds at_most = patience);

void nap(std::chrono::milliseconds time);
double seconds_since(std::chrono::steady_clock::time_point start);

template <class F>
bool eventually(F condition, std::chrono::milliseconds at_most) {
  for (const auto until = std::chrono::steady_clock::now() + at_most; !condition(); nap(5ms))
    if (std::chrono::steady_clock::now() > until) return false;
  return true;
}

}  // namespace testing_system
