/// @file lines.hpp
/// What a user is shown, as lines of text: the seeds' words, one record a line. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "client/events.hpp"

namespace messenger {

/// Without line ends. Nothing for what a reader of lines has no use for: what this user said himself, a list again.
std::vector<std::string> as_lines(const event& e);

/// An exit reason: a word as it is, any other term as JSON.
std::string reason_text(const nodelink::term& reason);

/// `2026-11-21T12:34:56Z`
std::string utc_time(std::uint64_t unix_time_ms);

/// `0.4 ms`
std::string milliseconds(nodelink::duration time);

/// `ann, bob`
std::string list_text(const names& all);

/// Something for each alternative of a variant.
template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

}  // namespace messenger
