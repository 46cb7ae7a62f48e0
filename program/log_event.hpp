/// @file log_event.hpp
/// Lines of the log that are for people and for machines: a text, and what is in it by name. Thread by thread.
#pragma once

#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include <nodelink/term.hpp>

namespace program {

/// The particulars of an event, by name.
using log_fields = std::vector<std::pair<const char*, nodelink::term>>;

/// What happened, in a word that does not change (node/README.md has them all).
struct log_event {
  const char* name;
  log_fields fields;
};

/// The event of the line that is just being logged; nothing if it is a text alone. For logging.cpp.
inline thread_local const log_event* present_event = nullptr;

/// As spdlog::log(), of an event.
template <class... A>
void log(spdlog::level::level_enum level, const char* event, log_fields fields, fmt::format_string<A...> text,
         A&&... arguments) {
  if (!spdlog::should_log(level)) return;
  const log_event e{event, std::move(fields)};
  present_event = &e;
  spdlog::log(level, text, std::forward<A>(arguments)...);
  present_event = nullptr;
}

}  // namespace program
