#include "system/terminal.hpp"

#include <sstream>

#include <unistd.h>

#include "system/mosquitto.hpp"

namespace testing_system {

static std::string in_quotes(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

terminal::terminal(const std::string& path, const std::vector<std::string>& arguments,
                   const std::map<std::string, std::string>& environment, int columns, int rows) {
  static int count = 0;
  socket_ = "messenger-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  std::string command = "exec env -u NO_COLOR XDG_CONFIG_HOME=/nonexistent XDG_STATE_HOME=/nonexistent";
  for (const auto& [name, value] : environment) command += " " + name + "=" + in_quotes(value);
  command += " " + in_quotes(path);
  for (const auto& a : arguments) command += " " + in_quotes(a);
  tmux({"-f",
        "/dev/null",
        "new-session",
        "-d",
        "-x",
        std::to_string(columns),
        "-y",
        std::to_string(rows),
        "sleep 600",
        ";",
        "set-option",
        "-g",
        "remain-on-exit",
        "on",
        ";",
        "set-option",
        "-g",
        "history-limit",
        "5000",
        ";",
        "respawn-pane",
        "-k",
        command});
}

terminal::~terminal() { tmux({"kill-server"}); }

std::string terminal::tmux(const std::vector<std::string>& arguments) const {
  std::vector<std::string> all{"-u", "-L", socket_};
  all.insert(all.end(), arguments.begin(), arguments.end());
  static const std::string sockets = make_folder();
  program p("tmux", all, {{"LC_ALL", "C.UTF-8"}, {"TMUX_TMPDIR", sockets}});
  p.end();
  std::string text;
  for (const auto& line : p.rest()) text += line + "\n";
  return text;
}

void terminal::type(const std::string& text) const { tmux({"send-keys", "-l", "--", text}); }
void terminal::press(const std::string& key) const { tmux({"send-keys", key}); }

void terminal::paste(const std::string& text) const { tmux({"set-buffer", "--", text, ";", "paste-buffer"}); }

void terminal::resize(int columns, int rows) const {
  tmux({"resize-window", "-x", std::to_string(columns), "-y", std::to_string(rows)});
}

lines terminal::capture(const std::vector<std::string>& how) const {
  std::vector<std::string> arguments{"capture-pane", "-p"};
  arguments.insert(arguments.end(), how.begin(), how.end());
  lines all;
  std::istringstream text(tmux(arguments));
  for (std::string line; std::getline(text, line);) all.push_back(line);
  while (!all.empty() && all.back().empty()) all.pop_back();
  return all;
}

lines terminal::screen(bool colours) const { return colours ? capture({"-e"}) : capture({}); }
lines terminal::all() const { return capture({"-J", "-S", "-"}); }

bool terminal::shows(const std::string& part) const {
  return eventually([&] { return text().find(part) != std::string::npos; });
}

bool terminal::ends_with(const std::string& line) const {
  return eventually([&] {
    const auto now = screen();
    return !now.empty() && now.back() == line;
  });
}

bool terminal::has_ended() const {
  return eventually([&] { return tmux({"display-message", "-p", "#{pane_dead}"}) == "1\n"; });
}

std::pair<int, int> terminal::cursor() const {
  std::pair<int, int> at;
  std::istringstream(tmux({"display-message", "-p", "#{cursor_x} #{cursor_y}"})) >> at.first >> at.second;
  return at;
}

std::string terminal::text() const {
  std::string all;
  for (const auto& line : screen()) all += line + "\n";
  return all;
}

}  // namespace testing_system
