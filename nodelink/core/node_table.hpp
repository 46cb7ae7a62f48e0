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

#include <nodelink/names.hpp>
#include <nodelink/transport.hpp>

namespace nodelink {

/// A link between a process of this node and one elsewhere.
struct remote_link {
  pid remote;
  std::uint64_t local = 0;  ///< serial of the process here

  friend auto operator<=>(const remote_link&, const remote_link&) = default;
};

/// What the tick asks for (rule 8).
struct tick_actions {
  std::vector<remote_link> ask;  ///< links that are to be asked after, with PING
  /// The node is to write to itself, after the PINGs, and to say by read_up_to() when that has come back.
  bool echo = false;
  /// Links to nodes that were silent for one and a quarter net_ticktime, the last quarter of it after PINGs, though the
  /// node has read all that the broker had for it.
  std::vector<remote_link> dead;
};

class node_table {
 public:
  /// How many nodes without links are remembered; the longest unused go first. What is forgotten
  /// of a dead node costs a late EXIT (rule 8), never a wrong one.
  static constexpr std::size_t max_unlinked = 65'536;
  /// And for how long: as long as the broker keeps a nodedown (incarnation::nodedown_expiry_seconds). A device that
  /// comes back later with a clock that begins in 1970 finds neither.
  static constexpr duration remembered = std::chrono::hours(24);

  /// @param own the name of the node whose table this is.
  node_table(std::string own, duration net_ticktime) : own_(std::move(own)), net_ticktime_(net_ticktime) {}

  /// Rules 3 and 4. Returns the links that end by it, and forgets them. @param place see changed_at().
  std::vector<remote_link> nodedown(const std::string& node, std::uint64_t creation, instant now,
                                    std::uint64_t place = 0);
  std::vector<remote_link> nodeup(const std::string& node, std::uint64_t creation, instant now,
                                  std::uint64_t place = 0);

  /// False if that incarnation is known to be over (rule 5).
  bool may_live(const pid& p) const;

  /// Whether that node is up, as far as its status was heard; nothing if it was not.
  std::optional<bool> is_up(const std::string& node) const;
  /// Where the latest news of that node's incarnations stands in the order of what was heard; 0 if there was none.
  std::uint64_t changed_at(const std::string& node) const;
  /// nodes(): the names of those that are up, and their creations.
  std::map<std::string, std::uint64_t> up() const;

  /// True if the link is new.
  bool link(const remote_link& l, instant now);
  bool unlink(const remote_link& l, instant now);
  /// How many links there are to processes of that node.
  std::size_t links_to(const std::string& node) const;

  struct counts {
    std::size_t up = 0;  ///< nodes
    std::size_t links = 0;
  };
  /// How many there are. Goes through all of them.
  counts count() const;

  /// Something came from that node: a sign of life.
  void heard(std::string_view node, instant now);
  /// The other side has asked after that link, so this side need not. @returns whether there is one.
  bool asked_after(const remote_link& l, instant now);

  /// Rule 8: what is due, and when the next thing will be.
  tick_actions tick(instant now);
  std::optional<instant> next_deadline() const;
  /// What the node wrote to itself at that time has come back: so it has read whatever the broker had for it then.
  /// @param is_whole false if something that it wrote before has not: the broker loses messages, and so perhaps
  /// answers.
  void read_up_to(instant sent, bool is_whole, instant now);

  /// The own connection is gone: every link ends (rule 7). All that was known goes too, as for a node that has just
  /// started: what was said meanwhile was not heard, and a node that lost its clock has to be believed anew.
  std::vector<remote_link> disconnect();

  std::size_t size() const { return nodes_.size(); }

 private:
  // Asked, and nothing heard since. Silence is measured by what the broker had for this node, not by when this node
  // came to read it:
  //
  //     ask ...... again ...... again ...... again ...... again, dead
  //      PING       PING ECHO    PING ECHO    PING ECHO
  //                      `-> comes back: the PINGs have passed the broker
  //                              later ECHO --`-> comes back: whatever the answer to them was would have been read
  struct question {
    instant since;                  // the silence is net_ticktime old
    instant again;                  // when to ask anew
    std::optional<instant> passed;  // when it was known that the question has passed the broker
    bool is_read = false;           // and that an answer would have been read
  };
  struct entry {
    std::uint64_t up = 0;                  // latest creation seen alive
    std::uint64_t down = 0;                // tombstone: latest creation seen dead
    std::uint64_t changed_at = 0;          // when that was news
    std::map<remote_link, instant> links;  // and when one side last asked the other after it
    // With links:
    instant ask_at;  // when the tick looks for those that are to be asked after
    instant heard;
    std::optional<question> asked;
    instant due;  // when there is something to do
    // Without:
    instant used;
    std::list<std::string>::iterator unlinked;  // place among the forgettable
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  entry& known(const std::string& node, instant now);
  void forget_longest_unused();
  std::vector<remote_link> take_links(const std::string& node, entry& e, std::uint64_t up_to_creation, instant now);
  duration interval(const std::string& node) const;
  void ask_links(const std::string& node, entry& e, instant now, tick_actions& actions);
  duration step() const { return net_ticktime_ / 20; }
  void unlinked(const std::string& node, entry& e, instant now);
  void schedule(const std::string& node, entry& e);

  std::string own_;
  duration net_ticktime_;
  std::unordered_map<std::string, entry, text_hash, std::equal_to<>> nodes_;
  std::set<std::pair<instant, std::string>> due_;
  std::set<std::string> silent_;     // those with a question; and some that have answered
  std::list<std::string> unlinked_;  // longest unused first
};

}  // namespace nodelink
