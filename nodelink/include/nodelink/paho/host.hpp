/// @file host.hpp
/// A node in a program: with its connection, a clock, and what waits for both.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include <nodelink/node.hpp>
#include <nodelink/paho/broker_settings.hpp>

namespace [[gnu::visibility("default")]] nodelink {

/// This machine's clocks and chance.
environment real_environment();

/// Which node, and how it connects.
struct host_settings {
  node_settings node;            ///< which node
  paho::broker_settings broker;  ///< which broker, and as whom

  /// From the environment, for a node that is called `name` unless that says otherwise:
  /// - NODELINK_NAME: `name@host`, or `name` alone, which is completed with this machine's host name;
  /// - NODELINK_BROKER: a URL as paho::read_broker_url() takes it; else mqtt://localhost;
  /// - NODELINK_COOKIE: else `nodelink`;
  /// - NODELINK_PASSWORD_FILE: a file whose first line is the password, in place of one in the URL;
  /// - NODELINK_CA_FILE, NODELINK_CERTIFICATE, NODELINK_KEY: files for mqtts:// and wss://.
  ///
  /// One that is empty counts as one that is not set.
  /// @throws std::invalid_argument with a sentence
  static host_settings from_environment(const std::string& name);
};

/// A node with what it needs to be in a program. It is driven in one of three ways:
/// - run() is the whole program;
/// - start() gives it a thread of its own;
/// - attached to a loop that is there already: whenever fd() is readable, and at next_deadline(), that calls step().
///
/// Whichever it is: processes, observers and what is given to post() run on the thread that drives it, and node() is
/// for that thread. post() and stop() are for any. Several hosts may be in one program.
class host {
 public:
  /// @throws std::invalid_argument with a sentence if a setting is not valid.
  explicit host(host_settings settings);
  /// Stops the node if that has not happened; waits for its thread, if it has one. Takes up to 3 s; up to
  /// 12 s while whoever listens at the broker's port has taken a connection and says nothing.
  ~host();
  host(const host&) = delete;

  /// Its node, on the thread that drives it; before it is driven, on any.
  nodelink::node& node();

  /// A line for each thing that happens to the node, such as why there is no connection. Before the node is driven.
  /// @param to outlives the host.
  void log_to(std::ostream& to);

  /// Connects, and drives the node until stop(), SIGINT or SIGTERM, then stops it in order. It asks for these two
  /// signals: they are blocked in this thread from then on. @returns 0; 1 if the node has stopped because another
  /// program has its name.
  int run();

  /// Connects, and drives the node on a thread of its own, in which every signal is blocked. @throws std::logic_error
  /// if it has one already.
  void start();

  /// As run() and start() do: connects. For a loop of one's own; the other two do it themselves.
  void connect();
  /// Readable when there is something for step() to do.
  int fd() const;
  /// When step() is to be called though nothing is there to be read; nothing for never.
  std::optional<instant> next_deadline() const;
  /// Does what there is to do, without waiting. @returns false when the node has stopped and all is over.
  bool step();

  /// Has this called on the node's thread, soon. What it throws leaves run(), step() or the loop that called that, and
  /// on a thread of start()'s ends the program. Any thread.
  void post(std::function<void()> what);
  /// Stops the node in order: every process ends, without another turn, whether it traps exits or not, and those linked
  /// to it see `noconnection`. That all processes have ended does not stop it. Any thread; returns at
  /// once. It is over when run() returns, the thread has ended, or step() returns false.
  void stop();

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace nodelink
