/// @file supervisor.hpp
/// A process that starts others and starts them again when they end: OTP's `supervisor`.
/// Pure; the node's thread only.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <nodelink/backoff.hpp>
#include <nodelink/self.hpp>

namespace [[gnu::visibility("default")]] nodelink {

/// OTP's `strategy`: who is started again when a child has ended that is to be.
enum class strategy {
  one_for_one,   ///< it alone
  one_for_all,   ///< every child
  rest_for_one,  ///< it, and those that were started after it
};

/// OTP's `sup_flags`, and its defaults.
struct supervisor_flags {
  /// No number of restarts is too many.
  static constexpr int unlimited = std::numeric_limits<int>::max();

  /// Who is started again.
  nodelink::strategy strategy = nodelink::strategy::one_for_one;
  /// More restarts than this within `period` are too many: the supervisor ends, and its children with it.
  int intensity = 1;
  /// The time that `intensity` counts in.
  duration period = std::chrono::seconds(5);
  /// Not OTP's: how long to wait before each restart; without it none. For a child whose end has a cause elsewhere
  /// that will not be gone at once, like a server that is away. It begins anew after a child lived for `period`.
  std::optional<backoff> wait{};
};

/// OTP's `restart`: is a child that ended with this reason to be started again?
using restart = bool (*)(const term& reason);
/// Whatever the reason: it is to run as long as its supervisor.
inline bool permanent(const term& /*reason*/) { return true; }
/// Unless it has ended in order.
inline bool transient(const term& reason) { return reason != reason::normal && reason != reason::shutdown; }

/// OTP's `child_spec`.
struct child_spec {
  std::function<process(self)> start;     ///< the child's body
  std::string name;                       ///< registered under it; empty for no name
  nodelink::restart restart = permanent;  ///< whether, by the reason of its end
  /// How long it may take to end when it is told to by the exit signal `shutdown`; then it is killed. With zero it is
  /// killed at once, with `infinity` it is waited for.
  duration shutdown = std::chrono::seconds(5);
};

/// The supervisor's body. It ends with `shutdown` when there were too many restarts, and `normal` when none of its
/// children is left and none is to be started again (OTP's `auto_shutdown`). If the process that it is linked to ends,
/// it ends with the same reason. Before it ends it ends its children, the last first.
process supervisor(self me, supervisor_flags flags, std::vector<child_spec> children);

}  // namespace nodelink
