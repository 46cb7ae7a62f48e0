/// @file load.hpp
/// How a server and its broker do under load: many users of this node, who log on and write to each other.
#pragma once

#include <functional>
#include <string>

#include <nodelink/self.hpp>
#include "client/events.hpp"

namespace messenger {

struct load_plan {
  std::size_t users = 100;  ///< 1 to 10,000; one has the node's name, of more each has a number too
  double seconds = 10;      ///< how long they write
  double rate = 100;        ///< messages a second, of all together
};

/// The process is to be registered under this name.
inline constexpr const char* load_name = "load";
/// What ends it before its time, from its own node.
nodelink::term load_stop();

/// Waits for the connection, logs the users on, has them write, shows how it goes each second and at the end what came
/// of it, and logs them off. @param done is called at the end: with true if every message was delivered. `out` outlives
/// the node.
nodelink::process measure_load(nodelink::self me, std::string server_node, load_plan plan, const screen& out,
                               std::function<void(bool)> done);

}  // namespace messenger
