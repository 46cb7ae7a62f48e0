/// @file server.hpp
/// The messenger server of the seeds: `server/0`, the process that keeps the user list.
#pragma once

#include "runtime/self.hpp"

namespace messenger {

/// The server process; its node registers it as server_name. Logs to spdlog's default logger: logon and logoff
/// at info, what it refuses at info or warn, `list is now: ...` at debug.
runtime::process server(runtime::self me);

}  // namespace messenger
