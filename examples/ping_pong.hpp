/// @file ping_pong.hpp
/// What the three ping pong programs share: their two messages, and the program around a process.
#pragma once

#include <functional>
#include <iostream>

#include <nodelink/self.hpp>

namespace ping_pong {

using nodelink::message;
using nodelink::pid;
using nodelink::process;
using nodelink::registered;
using nodelink::self;
using nodelink::term;

/// `{ping, Ping_PID}`
struct ping_message {
  pid from;

  static std::optional<ping_message> match(const message& m) {
    const bool is_ping = m.content.is_array() && m.content.size() == 2 && m.content[0] == "ping";
    const auto from =
        is_ping && m.content[1].is_string() ? nodelink::parse_pid(m.content[1].get<std::string>()) : std::nullopt;
    return from ? std::optional(ping_message{*from}) : std::nullopt;
  }
  term write() const { return term::array({"ping", to_string(from)}); }
};

/// `pong`; a message on the wire is an array, even of one element.
struct pong_message {
  static std::optional<pong_message> match(const message& m) {
    return m.content == pong_message{}.write() ? std::optional(pong_message{}) : std::nullopt;
  }
  term write() const { return term::array({"pong"}); }
};

/// io:format("~s~n", [Line])
inline void say(const std::string& line) { std::cout << line << std::endl; }

/// The program: `PROGRAM pong`, or `PROGRAM ping WHERE`. Connects to the broker as node `pong` or `ping`, starts the
/// process on it, and ends when the process has ended.
/// @param pong registered as `pong`; the program says what its pid is.
/// @param ping is told WHERE: `where_is` says to a person what that has to be, `is_where` whether it is.
/// @returns the exit code.
int run(int argc, char** argv, const std::string& about, const std::string& where_is,
        bool (*is_where)(std::string_view), const std::function<process(self)>& pong,
        const std::function<process(self, std::string)>& ping);

inline bool is_pid(std::string_view text) { return nodelink::parse_pid(text).has_value(); }

}  // namespace ping_pong
