/// @file candidate.hpp
/// Which node a program that can be the server is just now: a standby of its own name, the server, in turns. Knows no
/// broker; whoever runs it makes each node, and the next only when the one before has stopped.
#pragma once

#include <optional>

#include "node/server.hpp"
#include "node/standby.hpp"

namespace messenger {

class candidate {
 public:
  /// Waits first, and again whenever it is not the server any more. @param standby without it, it is the server from
  /// the start, and nothing else.
  candidate(server_options server, std::optional<standby_options> standby)
      : server_(std::move(server)), standby_(std::move(standby)), serves_(!standby_) {}
  candidate(const candidate&) = delete;

  /// Which node it is, or is to be.
  bool serves() const { return serves_; }
  /// Starts on that node, which is new, what it is there for.
  void start(runtime::node& node);
  /// The node has lost its connection, or its name. @returns whether it is over: a server that were to connect again
  /// could take its name back from whoever serves by then.
  bool lost() { return is_over_ = is_over_ || (serves_ && standby_); }
  /// The node is to stop, so that the next can be made: for whoever runs it to look at after each of its turns.
  bool is_over() const { return is_over_; }
  /// The node has stopped. @returns whether the other one is to be made now; else the program ends.
  bool change();

 private:
  server_options server_;
  std::optional<standby_options> standby_;
  bool serves_;
  bool is_over_ = false;
};

}  // namespace messenger
