/// @file json_lines.hpp
/// What a user is shown, as JSON (docs in client/README.md). Pure; any thread.
#pragma once

#include <string>

#include "client/events.hpp"

namespace messenger {

/// One object on one line, without its end. @param unix_time_ms when it was shown.
std::string as_json(const event& e, std::uint64_t unix_time_ms);

}  // namespace messenger
