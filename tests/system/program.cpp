#include "system/program.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace testing_system {

using clock = std::chrono::steady_clock;

// What whoever runs the tests has set for himself.
static void leave_out_of_environment(const std::string& prefix) {
  for (char** v = environ; *v;) {
    const std::string variable = *v;
    if (!variable.starts_with(prefix))
      ++v;
    else
      ::unsetenv(variable.substr(0, variable.find('=')).c_str());
  }
}

program::program(const std::string& path, const std::vector<std::string>& arguments,
                 const std::map<std::string, std::string>& environment) {
  int in[2], out[2], err[2];
  if (::pipe2(in, O_CLOEXEC) || ::pipe2(out, O_CLOEXEC) || ::pipe2(err, O_CLOEXEC)) throw std::runtime_error("pipe");
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    ::dup2(err[1], 2);
    leave_out_of_environment("MQTT_");
    leave_out_of_environment("MESSENGER_");
    leave_out_of_environment("NO_COLOR=");
    ::setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    ::setenv("XDG_STATE_HOME", "/nonexistent", 1);
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> argv{const_cast<char*>(path.c_str())};
    for (const auto& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    ::execvp(path.c_str(), argv.data());
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  ::close(err[1]);
  in_ = in[1];
  out_ = out[0];
  err_ = err[0];
  std::signal(SIGPIPE, SIG_IGN);
}

program::program(program&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      in_(std::exchange(other.in_, -1)),
      out_(std::exchange(other.out_, -1)),
      err_(std::exchange(other.err_, -1)),
      out_text_(std::move(other.out_text_)),
      err_text_(std::move(other.err_text_)),
      status_(other.status_) {}

program::~program() {
  if (pid_ > 0 && !status_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  for (const int fd : {in_, out_, err_})
    if (fd >= 0) ::close(fd);
}

void program::type(const std::string& line) { type_raw(line + "\n"); }

void program::type_raw(const std::string& bytes) {
  if (::write(in_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("the program does not read");
}

void program::end_input() { ::close(std::exchange(in_, -1)); }

// Reads what there is, waiting for some at most this long. False once both ends are closed.
bool program::pump(std::chrono::milliseconds at_most) {
  std::vector<pollfd> polled;
  for (const int fd : {out_, err_})
    if (fd >= 0) polled.push_back({fd, POLLIN, 0});
  if (polled.empty()) return false;
  ::poll(polled.data(), polled.size(), static_cast<int>(at_most.count()));
  for (const auto& p : polled) {
    if (p.revents == 0) continue;
    char bytes[65536];
    const auto count = ::read(p.fd, bytes, sizeof bytes);
    int& fd = p.fd == out_ ? out_ : err_;
    if (count > 0)
      (p.fd == out_ ? out_text_ : err_text_).append(bytes, static_cast<std::size_t>(count));
    else
      ::close(std::exchange(fd, -1));
  }
  return true;
}

static std::chrono::milliseconds left(clock::time_point until) {
  return std::max(0ms, std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()));
}

std::optional<std::string> program::next_line(std::chrono::milliseconds at_most) {
  for (const auto until = clock::now() + at_most;;) {
    if (const auto end = out_text_.find('\n'); end != std::string::npos) {
      std::string line = out_text_.substr(0, end);
      out_text_.erase(0, end + 1);
      return line;
    }
    if (clock::now() >= until || !pump(left(until))) return std::nullopt;
  }
}

bool program::says(const std::string& text, std::chrono::milliseconds at_most) {
  for (const auto until = clock::now() + at_most; err_text_.find(text) == std::string::npos;)
    if (clock::now() >= until || !pump(left(until))) return false;
  return true;
}

const std::string& program::errors() {
  pump(0ms);
  return err_text_;
}

lines program::rest() {
  lines all;
  while (auto line = next_line(0ms)) all.push_back(*line);
  return all;
}

void program::signal(int number) const { ::kill(pid_, number); }

std::optional<int> program::end(std::chrono::milliseconds at_most) {
  for (const auto until = clock::now() + at_most; !status_;) {
    pump(2ms);
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_)
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    if (!status_ && clock::now() > until) return std::nullopt;
    if (out_ < 0 && err_ < 0) nap(2ms);
  }
  while (pump(0ms) && (out_ >= 0 || err_ >= 0)) {
    pollfd p{out_ >= 0 ? out_ : err_, POLLIN, 0};
    if (::poll(&p, 1, 0) == 0) break;
  }
  return status_;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void nap(std::chrono::milliseconds time) { ::usleep(static_cast<useconds_t>(time.count()) * 1000); }

}  // namespace testing_system
