/// @file status_text.hpp
/// The server's figures for people. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "client/events.hpp"

namespace messenger {

/// Without line ends.
std::vector<std::string> status_lines(const shown::status& s);
/// A table.
std::vector<std::string> load_lines(const shown::load& l);

}  // namespace messenger
