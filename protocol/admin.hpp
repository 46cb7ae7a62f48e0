/// @file admin.hpp
/// What an operator's node may ask the server to do (topics.md, "Operating it"). Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include <nodelink/message.hpp>

namespace messenger {

/// `{Pid, kick, UserName}`: ends that user's time on the list.
struct kick {
  static constexpr const char* word = "kick";
  nodelink::pid from;
  std::string name;

  static std::optional<kick> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({to_string(from), word, name}); }
};

/// `{Pid, drain}`: the server is to stop in order, so that a standby takes its place.
struct drain {
  static constexpr const char* word = "drain";
  nodelink::pid from;

  static std::optional<drain> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({to_string(from), word}); }
};

namespace word {
inline constexpr const char* kicked = "kicked";  ///< the reply, and the exit reason of who was
inline constexpr const char* draining = "draining";
inline constexpr const char* not_allowed = "not_allowed";
}  // namespace word

}  // namespace messenger
