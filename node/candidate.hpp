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
  void start(nodelink::node& node);
  /// The node has lost its connection, or its name. @returns whether it is over: a server that were to connect again
  /// could take its name back from whoever serves by then. Only one that has the name, and whose creation was too low,
  /// as on a machine whose clock is behind, tries a higher one.
  bool lost(nodelink::connection_loss::kind how);
  /// The node is to stop, so that the next can be made: for whoever runs it to look at after each of its turns.
  bool is_over() const { return is_over_; }
  /// Somebody wants the program to end: there is no next node.
  void end() { is_ending_ = true; }
  /// The node has stopped. @returns whether the next is to be made now; else the program ends. A standby that has not
  /// run since it decided, as on a machine that was asleep, waits anew: somebody else may serve by then.
  bool change();

 private:
  server_options server_;
  std::optional<standby_options> standby_;
  bool serves_;
  std::function<nodelink::instant()> now_;
  nodelink::instant over_since_;
  bool is_over_ = false;
  bool is_ending_ = false;
};

}  // namespace messenger
