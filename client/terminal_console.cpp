#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include <unistd.h>

#include "client/completion.hpp"
#include "client/console.hpp"
#include "client/history_file.hpp"
#include "client/printable.hpp"
#include "client/terminal.hpp"
#include "client/terminal_text.hpp"

namespace messenger {
namespace {

using std::chrono::steady_clock;

// After this time what Tab knows is asked for anew.
constexpr auto fresh = std::chrono::seconds(10);

std::string time_of_day() {
  const auto now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M", &parts);
  return text.data();
}

class terminal_console final : public console {
 public:
  terminal_console(terminal_settings settings, program::event_loop& loop)
      : settings_(settings),
        output_(loop, STDOUT_FILENO),
        terminal_(output_, history_path(), [this](const std::string& text) { return complete(text); }) {}

  void show(const event& e) override {
    completion_.learn(e);
    if (is_for_completion_ && is_answer(e)) return;
    const auto* r = std::get_if<shown::reply>(&e);
    if (r && r->what == "sent" && was_said_) return;  // one sees what one has said
    const auto text = as_terminal_text(e, {settings_.has_colours, time_of_day(), user_name_});
    if (!text.empty()) terminal_.print(text);
  }

  void log(const std::string& line) override { terminal_.print(printable(line)); }

  void update(const whereabouts& w) override {
    user_name_ = w.user;
    is_logged_on_ = w.is_logged_on;
    std::string prompt = w.node;
    if (w.is_logged_on) prompt += " " + ascii(name_text(w.user));
    if (w.is_logged_on && !w.room.empty()) prompt += ":" + w.room;
    terminal_.set_prompt(prompt + "> ");
  }

  void read() override { terminal_.read(); }
  bool wants_more() const override { return terminal_.wants_more(); }
  bool at_end() const override { return terminal_.at_end(); }
  bool is_broken() const override { return false; }
  bool is_backed_up() const override { return false; }
  bool finish(std::chrono::milliseconds at_most) override { return output_.drain(at_most); }

  std::optional<std::string> next() override {
    is_for_completion_ = false;
    if (auto line = terminal_.next()) {
      const auto begin = line->find_first_not_of(' ');
      was_said_ = begin != line->npos && ((*line)[begin] != '/' || line->compare(begin, 5, "/say ") == 0);
      return line;
    }
    if (!question_.empty()) {
      is_for_completion_ = true;
      return std::exchange(question_, "");
    }
    return std::nullopt;
  }

  void window_changed() override { terminal_.redraw(); }
  bool interrupt() override { return terminal_.give_line_up(); }

 private:
  static bool is_answer(const event& e) {
    return std::holds_alternative<shown::users>(e) || std::holds_alternative<shown::rooms>(e) ||
           std::holds_alternative<shown::nodes>(e) || std::holds_alternative<shown::reply>(e);
  }

  static std::string ascii(const std::string& name) {
    std::string text;
    for (const char c : name) text += c >= ' ' && c <= '~' ? c : '?';
    return text;
  }

  std::vector<std::string> complete(const std::string& text) {
    using kind = completion::kind;
    const auto what = completion::last_word(text).what;
    const char* question = what == kind::user && is_logged_on_   ? "/users"
                           : what == kind::room && is_logged_on_ ? "/rooms"
                           : what == kind::node                  ? "/nodes"
                                                                 : "";
    auto& asked = asked_[what];
    if (*question && steady_clock::now() > asked + fresh) {
      asked = steady_clock::now();
      question_ = question;
    }
    return completion_.words(text);
  }

  terminal_settings settings_;
  program::output output_;
  completion completion_;
  terminal terminal_;
  std::string user_name_;
  bool is_logged_on_ = false;
  bool was_said_ = false;           // the latest command
  bool is_for_completion_ = false;  // likewise
  std::string question_;            // a command of which only the completion wants to know
  std::map<completion::kind, steady_clock::time_point> asked_;
};

}  // namespace

std::unique_ptr<console> make_terminal_console(terminal_settings settings, program::event_loop& loop) {
  return std::make_unique<terminal_console>(settings, loop);
}

bool is_at_terminal() {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO) && kind && *kind && std::string_view(kind) != "dumb";
}

}  // namespace messenger
