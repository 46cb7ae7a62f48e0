/// @file statistics.hpp
/// What the server and its node count, over the life of the program. Pure; the node's thread only.
#pragma once

#include <array>
#include <map>
#include <string>

#include <nodelink/node.hpp>
#include "protocol/figures.hpp"

namespace messenger {

struct statistics {
  // By the server process.
  std::size_t users = 0, rooms = 0, members = 0;  ///< just now
  std::uint64_t logons = 0;
  std::uint64_t messages = 0;                                            ///< from one user to another
  std::map<std::string, std::uint64_t> requests;                         ///< by their word
  std::map<std::string, std::uint64_t> refusals;                         ///< by the reply
  std::map<std::string, std::uint64_t> room_events;                      ///< by their word
  std::map<std::pair<std::string, std::string>, std::uint64_t> logoffs;  ///< by reason and cause
  std::uint64_t last_presence = 0;                                       ///< number of the latest event
  // Of the node.
  std::uint64_t connections = 0, connections_lost = 0, crashes = 0;
  std::array<std::uint64_t, nodelink::drop_kinds> drops{};
  histogram round_trip{.0002, .0005, .001, .002, .005, .01, .02,
                       .05,   .1,    .2,   .5,   1,    2,   5};  ///< to itself, by the broker
  // Of the program's loop.
  histogram turn{.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5};  ///< what comes meanwhile waits for so long

  /// A user is off the list. Reasons are the users' own: those of Erlang are counted by themselves, all others
  /// together.
  void logged_off(const nodelink::term& reason, const char* cause);
};

/// Counts what happens to a node. It may be told of one after the other.
class counting_observer final : public nodelink::node_observer {
 public:
  explicit counting_observer(statistics& counted) : counted_(counted) {}

  void node_up(std::uint64_t) override { ++counted_.connections; }
  void connection_lost(const nodelink::connection_loss&, nodelink::duration) override { ++counted_.connections_lost; }
  void dropped(nodelink::drop why, std::string_view, std::string_view, std::uint64_t) override {
    ++counted_.drops[static_cast<std::size_t>(why)];
  }
  void process_ended(const nodelink::pid&, const nodelink::term& reason) override {
    if (reason.is_array() && reason[0] == "error") ++counted_.crashes;
  }

 private:
  statistics& counted_;
};

/// All of it, and what the node has to do just now. Good until `counted` changes.
figures read(const statistics& counted, const nodelink::node& node, bool serves);

}  // namespace messenger
