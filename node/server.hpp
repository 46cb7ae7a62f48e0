/// @file server.hpp
/// The messenger server of the seeds: `server/0`, the process that keeps the user list.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include <nodelink/node.hpp>
#include <nodelink/supervisor.hpp>
#include "node/quotas.hpp"
#include "node/reporter.hpp"
#include "node/statistics.hpp"
#include "protocol/messages.hpp"

namespace messenger {

/// The supervisor of the server process is registered under this name.
inline constexpr const char* supervisor_name = "messenger_sup";

struct server_options {
  /// Who neither logged on nor sent a message for this long is logged off, with EXIT `idle_timeout`.
  nodelink::duration idle_timeout = nodelink::infinity;
  /// What one node, and all together, may ask for.
  limits at_most;
  /// Whether a user of that name may be at that node.
  std::function<bool(const std::string& name, const std::string& node)> may_have_name = [](auto&, auto&) {
    return true;
  };
  /// The nodes that may kick and drain.
  std::set<std::string> admins;
  /// Called once when one of those wants this server to stop, which is up to whoever runs it.
  std::function<void()> drain = [] {};
  /// What this program says of itself on the wire; empty for nothing.
  std::function<figures()> all_figures;
  /// What is counted. Like the rest it outlives a server process that crashes, which begins anew with it.
  std::shared_ptr<statistics> counted = std::make_shared<statistics>();
  /// The highest number of an event in any room so far.
  std::shared_ptr<std::uint64_t> last_event = std::make_shared<std::uint64_t>(0);
};

/// The server process. Logs to spdlog's default logger: logon and logoff at info, what it refuses at info or warn,
/// `list is now: ...` at debug.
nodelink::process server(nodelink::self me, server_options options);

/// Starts the server on this node, registered as server_name, the reporter, and a supervisor that starts them again
/// when they crash:
/// its users get the crash as the reason of their EXIT, and can log on anew. After three crashes within a minute the
/// supervisor ends, and supervisor_name is nobody's.
inline void start_server(nodelink::node& node, server_options options = {}) {
  // As OTP's supervisors of servers have it: a crash or two are mended, a server that cannot live is not.
  const nodelink::supervisor_flags flags{.intensity = 2, .period = std::chrono::minutes(1)};
  const auto body = [options](nodelink::self me) { return server(me, options); };
  std::vector<nodelink::child_spec> children{{body, server_name}};
  if (options.all_figures)
    children.push_back({[options](nodelink::self me) { return reporter(me, options.counted, options.all_figures); }});
  const auto supervisor = node.spawn(nodelink::supervisor, flags, std::move(children));
  node.register_name(supervisor_name, supervisor);
}

}  // namespace messenger
