// A world in which things go wrong, all from one seed: one schedule.
#pragma once

#include <set>

#include "programs.hpp"

namespace chaos {

/// What the schedule says, line by line; empty for a schedule nobody reads.
using trace = std::function<void(const std::string&)>;

class chaotic_world final : public nodelink::simulation::world {
 public:
  explicit chaotic_world(std::uint64_t seed, trace t = {});
  ~chaotic_world();

  /// Runs the schedule. @returns the law that was violated, if one was.
  std::optional<std::string> run();

  const std::string server_node = "messenger@super";
  /// Who does not belong, and may send anything as himself.
  const std::string stranger = "mallory@x";

  chaos::laws& laws() { return laws_; }
  /// A number from 0 to n - 1.
  std::uint64_t below(std::uint64_t n) { return random() % n; }
  duration between(duration least, duration most) {
    return least + duration(static_cast<duration::rep>(below(static_cast<std::uint64_t>((most - least).count() + 1))));
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  void say(const std::string& line);
  std::string random_name();
  std::string random_room() { return one_in(2) ? "red" : "blue"; }
  user_program& random_user() { return *users_[below(users_.size())]; }
  /// Whether that process lives, on a connected node of that incarnation.
  bool lives(const pid& p);
  /// Whether that incarnation of its node is up.
  bool is_up(const pid& p) { return program_of(p) != nullptr; }
  /// A line of the server's log, written by the program that runs just now.
  void server_logged(std::string_view line);
  /// That process or incarnation is over, and the server can know it: it has to, soon.
  void expect_off(const std::string& what, std::function<bool(const pid&)> is_over, const std::string& node);

  /// If two programs go by that name they take it from each other.
  void contested(const std::string& name);

  // --- what goes wrong, for do_harm()
  duration net_ticktime() const { return net_ticktime_; }
  program& random_program();
  /// A program whose clock went back finds its higher creation in the retained status only. What hides that, together
  /// with the clock, is more than a node can make good (topics.md, "Names").
  const bool clock_goes_back = one_in(4);
  server_program* server();
  /// Another program of the same name starts.
  void start_rival(program& of);
  /// Something of the stranger's.
  void forge();
  /// A status that some node published earlier comes again.
  void repeat_a_status();
  /// The logon of an incarnation that is no more comes again, as over a bridge that was down for a while.
  void repeat_a_logon();

 private:
  void published(const nodelink::publication& p);
  void act();
  void heal();
  void settle();
  void check_agreement();
  void check_memory(program& p);
  void check_links();
  void check_statuses();
  void calm_conversation();
  void check_rooms();
  void everybody_dies();
  std::vector<program*> programs();
  program* program_of(const pid& p);
  nodelink::node_settings settings(const std::string& name);

  trace trace_;
  duration net_ticktime_;
  chaos::laws laws_;
  std::set<std::string> missed_its_status_;  // since the broker dropped it
  std::vector<std::unique_ptr<server_program>> servers_;
  std::vector<std::unique_ptr<user_program>> users_;
  std::vector<nodelink::publication> statuses_, logons_;  // that were published, for repeats
  bool acting_ = true;
};

/// Does one thing that goes wrong, chosen at random, and what ends it later.
void do_harm(chaotic_world& w);

}  // namespace chaos
