/// @file node_program.hpp
/// A program around one node: the real clock and randomness, the broker, signals, logs, exit codes.
/// The thread that calls run() is the node's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "program/event_loop.hpp"
#include "program/options.hpp"

namespace program {

class node_program final : private nodelink::node_observer {
 public:
  /// @param no_broker_hint what to do when no broker was configured and none is at the default address.
  node_program(event_loop& loop, const common_options& options, std::string no_broker_hint);

  nodelink::node& node() { return node_; }

  /// Connects, and runs until the node has stopped. @param after_each is called after whatever happened, on top of
  /// what the node does, and may say when it wants to be called again. @returns the exit code.
  int run(const std::function<std::optional<nodelink::instant>()>& after_each = {});

  /// Stops the node cleanly, then ends run() with this code.
  void stop(int exit_code);
  /// Somebody has asked for the end, by a signal.
  bool was_signalled() const { return was_signalled_; }
  /// As stop(), with an error in the log; nothing if the node is being stopped already.
  void fail(int exit_code, const std::string& sentence);

  /// Asked first what a signal means: true if it was for somebody else than the program.
  std::function<bool(int)> is_signal_for_another;
  /// Asked when the node has lost its connection, or its name, or could not have it: true if it is not to connect
  /// again; then it stops, and run() ends with 0.
  std::function<bool(nodelink::connection_loss::kind)> is_over_when_lost;
  /// What is still to do before the node stops because of a signal.
  std::function<void()> before_stop_by_signal;
  /// Called for SIGHUP, which else stops the program.
  std::function<void()> reload;

 private:
  struct quick_end {
    void operator()(nodelink::transport* t) const;
  };

  void node_up(std::uint64_t creation) override;
  void connection_lost(const nodelink::connection_loss& loss, nodelink::duration next_try) override;
  void replaced(std::uint64_t creation) override;
  void unheard() override;
  void stopped() override;
  void dropped(nodelink::drop why, std::string_view from, std::string_view what, std::uint64_t count) override;
  void process_ended(const nodelink::pid& process, const nodelink::term& reason) override;
  std::optional<nodelink::instant> log_unlogged_drops();
  std::optional<nodelink::instant> until_the_end() const;
  void raise_log_level();
  std::optional<nodelink::instant> until_usual_log_level();
  std::optional<nodelink::instant> until_silence_is_told();
  bool is_over(const nodelink::connection_loss& loss);

  event_loop& loop_;
  std::string no_broker_hint_;
  nodelink::paho::broker_settings broker_;
  bool may_retry_;
  bool is_passing_;
  std::unique_ptr<nodelink::transport, quick_end> transport_;
  nodelink::node node_;
  int exit_code_ = 0;
  bool was_up_;
  bool was_signalled_ = false;
  bool is_stopping_ = false;
  bool stop_requested_ = false;
  std::optional<nodelink::instant> stopped_since_;
  // Drops are logged one by one up to a number a second, so that a flood of them floods nothing else.
  nodelink::instant second_{};
  std::uint64_t logged_this_second_ = 0;
  std::uint64_t unlogged_ = 0;
  // Since when the broker is silent, until that has been said.
  std::optional<nodelink::instant> silent_since_;
  std::optional<nodelink::instant> raised_until_;
  int usual_level_ = 0;  // before it was raised
};

}  // namespace program
