/// @file node_table.hpp
/// What a node knows of the others: which incarnation is up, which are dead, who is linked to whom.
/// In Erlang: the table of connected nodes. Pure; the node's thread only; sends nothing itself.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/names.hpp"
#include "runtime/term.hpp"
#include "runtime/transport.hpp"

namespace runtime {

/// A link between a process of this node and one elsewhere.
struct remote_link {
  pid remote;
  std::uint64_t local = 0;  ///< serial of the process here

  friend auto operator<=>(const remote_link&, const remote_link&) = default;
};

/// What the tick asks for (rule 8).
struct tick_actions {
  std::vector<std::string> ping;    ///< nodes that were silent for net_ticktime
  std::vector<remote_link> repeat;  ///< links whose LINK is to be said again: every three quarters of net_ticktime
  std::vector<remote_link> dead;    ///< links to nodes that did not answer within a quarter of it
};

class node_table {
 public:
  /// How many nodes without links are remembered; the longest unused go first. What is forgotten
  /// of a dead node costs a late EXIT (rule 8), never a wrong one.
  static constexpr std::size_t max_unlinked = 65'536;
  /// How many links that this side ended are remembered of one node.
  static constexpr std::size_t max_ended = 1'000;

  explicit node_table(duration net_ticktime) : net_ticktime_(net_ticktime) {}

  /// Rules 3 and 4. Returns the links that end by it, and forgets them.
  std::vector<remote_link> nodedown(const std::string& node, std::uint64_t creation);
  std::vector<remote_link> nodeup(const std::string& node, std::uint64_t creation);

  /// False if that incarnation is known to be over (rule 5).
  bool may_live(const pid& p) const;

  /// True if the link is new.
  bool link(const remote_link& l, instant now);
  bool unlink(const remote_link& l);
  /// Ends a link for which the other side is told `reason`, and remembers that: see ended_with().
  void end(const remote_link& l, const term& reason);
  /// If this side has ended that link, and did not link again: the reason. What told the other side may be lost.
  const term* ended_with(const remote_link& l) const;
  /// How many links there are to processes of that node.
  std::size_t links_to(const std::string& node) const;

  /// Something came from that node: a sign of life.
  void heard(std::string_view node, instant now);

  /// Rule 8: what is due, and when the next thing will be.
  tick_actions tick(instant now);
  std::optional<instant> next_deadline() const;

  /// The own connection is gone: every link ends (rule 7). Creations and tombstones stay.
  std::vector<remote_link> disconnect();

  std::size_t size() const { return nodes_.size(); }

 private:
  struct entry {
    std::uint64_t up = 0;    // latest creation seen alive
    std::uint64_t down = 0;  // tombstone: latest creation seen dead
    std::set<remote_link> links;
    std::map<remote_link, term> ended;  // by this side
    // With links:
    instant heard;
    instant repeated;                  // when the LINKs were last said
    std::optional<instant> answer_by;  // PINGed, and heard nothing since
    instant due;                       // when the tick looks again
    // Without:
    std::list<std::string>::iterator unlinked;  // place among the forgettable
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  entry& known(const std::string& node);
  std::vector<remote_link> take_links(const std::string& node, entry& e, std::uint64_t up_to_creation);
  static void remember_end(entry& e, const remote_link& l, const term& reason);
  duration repeat_interval() const { return net_ticktime_ * 3 / 4; }
  void unlinked(const std::string& node, entry& e);
  void schedule(const std::string& node, entry& e);

  duration net_ticktime_;
  std::unordered_map<std::string, entry, text_hash, std::equal_to<>> nodes_;
  std::set<std::pair<instant, std::string>> due_;
  std::list<std::string> unlinked_;  // longest unused first
};

}  // namespace runtime
