#include "program/logging.hpp"

#include <array>
#include <chrono>
#include <string_view>

#include <spdlog/details/null_mutex.h>
#include <spdlog/fmt/chrono.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "program/log_event.hpp"
#include "program/output.hpp"

namespace program {
namespace {

class line_sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  line_sink(std::function<void(const std::string&)> write_line, bool has_colours)
      : write_line_(std::move(write_line)), has_colours_(has_colours) {}

 private:
  void sink_it_(const spdlog::details::log_msg& m) override {
    static constexpr std::array<std::string_view, 7> colours{
        "", "\x1b[36m", "\x1b[32m", "\x1b[33m\x1b[1m", "\x1b[31m\x1b[1m", "\x1b[1m\x1b[41m", ""};
    spdlog::memory_buf_t text;
    formatter_->format(m, text);
    std::string line = fmt::to_string(text);
    while (line.ends_with('\n')) line.pop_back();
    if (has_colours_ && m.color_range_end > m.color_range_start) {
      line.insert(m.color_range_end, "\x1b[m");
      line.insert(m.color_range_start, colours.at(static_cast<std::size_t>(m.level)));
    }
    write_line_(line);
  }
  void flush_() override {}

  std::function<void(const std::string&)> write_line_;
  bool has_colours_;
};

// An object a line; what is in it by name comes last.
class json_sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit json_sink(output& to) : to_(to) {}

 private:
  void sink_it_(const spdlog::details::log_msg& m) override {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(m.time.time_since_epoch());
    static constexpr std::array<std::string_view, 7> levels{"trace", "debug", "info", "warn", "error", "error", "off"};
    const auto member = [](const char* name, const nodelink::term& value) {
      return ",\"" + std::string(name) + "\":" + to_json(value);
    };
    std::string line = fmt::format("{{\"time\":\"{:%Y-%m-%dT%H:%M:%S}.{:03}Z\",\"level\":\"{}\"",
                                   fmt::gmtime(spdlog::log_clock::to_time_t(m.time)), since.count() % 1'000,
                                   levels.at(static_cast<std::size_t>(m.level)));
    line += member("event", present_event ? present_event->name : "text");
    line += member("message", std::string(m.payload.data(), m.payload.size()));
    if (present_event)
      for (const auto& [name, value] : present_event->fields) line += member(name, value);
    to_.write(line + "}\n");
  }
  void flush_() override {}

  output& to_;
};

void set_default_logger(const std::string& level, const std::string& pattern, spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("messenger", std::move(sink));
  logger->set_pattern(pattern);
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

logging::logging(const std::string& level, const std::string& format, output& to) {
  to.on_room = [](std::uint64_t lost) {
    if (lost > 0)
      log(spdlog::level::warn, "log_lost", {{"count", lost}},
          "{} lines of this log were lost: standard error took no more", lost);
  };
  if (format == "json")
    set_default_logger(level, "%v", std::make_shared<json_sink>(to));
  else
    set_default_logger(level, "%Y-%m-%d %H:%M:%S.%e%z %^%-7l%$ %v",
                       std::make_shared<line_sink>([&to](const std::string& line) { to.write(line + "\n"); },
                                                   ::isatty(STDERR_FILENO) != 0));
}

logging::logging(const std::string& level, std::function<void(const std::string& line)> to) {
  set_default_logger(level, "%H:%M %l: %v", std::make_shared<line_sink>(std::move(to), false));
}

logging::~logging() {
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("none", std::make_shared<spdlog::sinks::null_sink_st>()));
}

}  // namespace program
