/// @file status.hpp
/// How the server is: its figures, as it says them itself, for whoever has no wish to log on.
#pragma once

#include <chrono>
#include <string>

#include <nodelink/self.hpp>
#include "client/events.hpp"

namespace messenger {

/// Mosquitto sends what is retained before what is published later, so before the answer of the own node; another
/// broker may take a moment more.
inline constexpr auto other_brokers_order = std::chrono::milliseconds(100);

/// Shows once what is known; a part of a process.
nodelink::process show_status(nodelink::self me, std::string server_node, const screen& out);

/// Shows it again and again: whenever the server says something of itself, and its node goes or comes.
/// @param is_screen as one screen that is drawn anew each second, with who has logged on and off lately.
nodelink::process watch_status(nodelink::self me, std::string server_node, const screen& out, bool is_screen);

}  // namespace messenger
