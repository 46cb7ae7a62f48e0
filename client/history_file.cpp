#include "client/history_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

namespace messenger {

namespace fs = std::filesystem;

std::string history_path() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state && state[0] == '/') return std::string(state) + "/messenger/history";
  const char* home = std::getenv("HOME");
  return home && home[0] == '/' ? std::string(home) + "/.local/state/messenger/history" : "";
}

// Appends at once, so that the lines of two programs do not mix.
static void append(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  (void)!::write(fd, text.data(), text.size());
  ::close(fd);
}

std::vector<std::string> history_file::load() const {
  std::vector<std::string> lines;
  std::ifstream file(path_);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  if (lines.size() <= longest) return lines;
  lines.erase(lines.begin(), lines.end() - longest);
  const std::string fresh = path_ + ".new";
  std::error_code ignored;
  fs::remove(fresh, ignored);
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  append(fresh, text);
  fs::rename(fresh, path_, ignored);
  return lines;
}

void history_file::add(const std::string& line) const {
  const auto is = [&](const char* command) { return line.rfind(command, line.find_first_not_of(' ')) != line.npos; };
  if (path_.empty() || is("/message") || is("/msg") || is("/pm")) return;
  std::error_code ignored;
  const auto folder = fs::path(path_).parent_path();
  if (fs::create_directories(folder, ignored)) fs::permissions(folder, fs::perms::owner_all, ignored);
  append(path_, line + "\n");
}

}  // namespace messenger
