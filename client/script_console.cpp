#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "client/console.hpp"
#include "client/json_lines.hpp"
#include "client/line_reader.hpp"
#include "client/lines.hpp"

namespace messenger {
namespace {

// What may wait for its reader when the next command is carried out: its replies are not to be lost.
constexpr std::size_t most_for_commands = program::output::most / 4;

class script_console final : public console {
 public:
  script_console(script_settings settings, program::event_loop& loop, program::output& errors)
      : settings_(std::move(settings)), input_(STDIN_FILENO), output_(loop, STDOUT_FILENO), errors_(errors) {
    output_.on_room = [](std::uint64_t lost) {
      if (lost > 0) spdlog::warn("{} lines of standard output were lost: it took no more", lost);
    };
    if (settings_.commands) commands_ = {settings_.commands->begin(), settings_.commands->end()};
  }

  void show(const event& e) override {
    namespace chrono = std::chrono;
    if (settings_.json) {
      const auto now =
          chrono::duration_cast<chrono::milliseconds>(chrono::system_clock::now().time_since_epoch()).count();
      return write(as_json(e, static_cast<std::uint64_t>(now)));
    }
    if (const auto* p = std::get_if<shown::progress>(&e); p && ::isatty(STDERR_FILENO))
      return errors_.write("\x1b[K" + p->text + "\r");
    if (std::holds_alternative<shown::load>(e) && ::isatty(STDERR_FILENO)) errors_.write("\x1b[K");
    const bool is_note = std::holds_alternative<shown::note>(e) || std::holds_alternative<shown::progress>(e);
    for (const auto& line : as_lines(e)) is_note ? log(line) : write(line);
    if (const auto* x = std::get_if<shown::exit>(&e); x && x->is_rejoining && x->reason != nodelink::reason::timeout)
      log("logging on again when the server is back; /logoff gives that up");
  }

  void log(const std::string& line) override { errors_.write(line + "\n"); }

  void update(const whereabouts&) override {}
  void read() override { input_.fill(); }
  bool wants_more() const override { return !settings_.commands && input_.wants_more(); }
  bool at_end() const override { return settings_.commands ? commands_.empty() : input_.at_end(); }
  bool is_broken() const override { return is_broken_; }
  bool is_backed_up() const override { return output_.waiting() > most_for_commands; }
  bool finish(std::chrono::milliseconds at_most) override { return output_.drain(at_most); }

  std::optional<std::string> next() override {
    if (settings_.commands) {
      if (commands_.empty()) return std::nullopt;
      auto first = commands_.front();
      commands_.pop_front();
      return first;
    }
    auto line = input_.next();
    for (; line && line->too_long; line = input_.next()) log("a line longer than 65536 bytes was left out");
    return line ? std::optional(line->text) : std::nullopt;
  }

 private:
  void write(const std::string& line) {
    output_.write(line + "\n");
    if (!output_.is_broken() || std::exchange(is_broken_, true)) return;
    spdlog::error("nobody reads standard output any more; stopping");
  }

  script_settings settings_;
  line_reader input_;
  program::output output_;
  program::output& errors_;
  std::deque<std::string> commands_;
  bool is_broken_ = false;
};

}  // namespace

std::unique_ptr<console> make_script_console(script_settings settings, program::event_loop& loop,
                                             program::output& errors) {
  return std::make_unique<script_console>(std::move(settings), loop, errors);
}

}  // namespace messenger
