/// @file supervisor.hpp
/// A process that starts others and starts them again when they end: OTP's `supervisor`, strategy one_for_one.
/// Pure; the node's thread only.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "runtime/backoff.hpp"
#include "runtime/self.hpp"

namespace runtime {

/// OTP's `sup_flags`, and its defaults.
struct supervisor_flags {
  static constexpr int unlimited = std::numeric_limits<int>::max();

  /// More restarts than this within `period` are too many: the supervisor ends, and its children with it.
  int intensity = 1;
  duration period = std::chrono::seconds(5);
  /// Not OTP's: how long to wait before each restart; without it none. For a child whose end has a cause elsewhere
  /// that will not be gone at once, like a server that is away. It begins anew after a child lived for `period`.
  std::optional<backoff> wait;
};

/// OTP's `restart`: is a child that ended with this reason to be started again?
using restart = bool (*)(const term& reason);
inline bool permanent(const term& /*reason*/) { return true; }
inline bool transient(const term& reason) { return reason != reason::normal && reason != reason::shutdown; }

/// OTP's `child_spec`.
struct child_spec {
  std::function<process(self)> start;  ///< the child's body
  std::string name;                    ///< registered under it; empty for no name
  runtime::restart restart = permanent;
};

/// The supervisor's body. It ends with `shutdown` when there were too many restarts, and `normal` when none of its
/// children is left and none is to be started again (OTP's `auto_shutdown`). If the process that it is linked to ends,
/// it ends with the same reason. Its children end with it.
process supervisor(self me, supervisor_flags flags, std::vector<child_spec> children);

}  // namespace runtime
