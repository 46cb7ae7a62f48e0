// What has to hold in every schedule, whatever went wrong in it. The laws are told what happens, and keep
// the first violation.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include <nodelink/simulation/world.hpp>

namespace chaos {

using namespace std::chrono_literals;
using nodelink::duration;
using nodelink::instant;
using nodelink::pid;
using nodelink::simulation::host;

/// How soon the end of a process that could be heard of has to be: far more than any delay in these worlds.
inline constexpr duration soon = 3s;

class laws {
 public:
  /// @param memory how long after a fault a node may still lose links by it.
  laws(nodelink::simulation::world& w, duration memory) : world_(w), memory_(memory) {}

  void violated(const std::string& law);
  std::function<void(const std::string& law)> on_violation;
  const std::optional<std::string>& violation() const { return violation_; }

  /// A fault hits this node for so long; with `all` every node.
  void disturb(const std::string& node, duration time);
  void disturb_all(duration time) { disturb(all, time); }
  /// No fault, nor what follows from one, since then.
  bool is_calm(const std::string& node, instant since) const;

  // --- the list of one server program
  using user_list = std::map<pid, std::string>;
  void logon(const host& server, const pid& who, const std::string& name);
  /// @param lives whether that process lives, on a connected node.
  void logoff(const host& server, const pid& who, bool lives);
  const user_list& list(const host& server) { return lists_[&server]; }
  void server_ended(const host& server) { lists_.erase(&server); }

  // --- messages: of a pair, in order and never twice
  void message(const std::string& to, const std::string& from, std::uint64_t number);

  // --- links between two processes: one exit each
  void linked(const pid& a, const pid& b);
  void exited(const pid& at, const pid& from, bool from_lives);
  int exits(const pid& at, const pid& from) { return end_of_link(at, from).exits; }

 private:
  static constexpr const char* all = "*";
  struct link_count {
    int links = 0;
    int exits = 0;
  };
  // Of one end: the own creation may have changed when the exit is seen.
  link_count& end_of_link(const pid& at, const pid& other) { return links_[{at.node, at.serial, other}]; }

  nodelink::simulation::world& world_;
  duration memory_;
  std::optional<std::string> violation_;
  std::map<std::string, instant> disturbed_until_;
  std::map<const host*, user_list> lists_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> last_message_;
  std::map<std::tuple<std::string, std::uint64_t, pid>, link_count> links_;
};

}  // namespace chaos
