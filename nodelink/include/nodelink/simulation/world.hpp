/// @file world.hpp
/// A world to run nodes in: virtual time, chance from a seed, and one broker. Everything happens in
/// advance(), in one thread, in the same order for the same seed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nodelink/node.hpp>
#include <nodelink/simulation/broker.hpp>

namespace [[gnu::visibility("default")]] nodelink {
namespace simulation {

using namespace std::chrono_literals;
using nodelink::duration;
using nodelink::instant;

class host;

/// Everything that is simulated. It outlives what it starts.
class world {
 public:
  /// @param seed what happens by chance is the same for the same one
  explicit world(std::uint64_t seed = 1);
  ~world();

  /// Lets virtual time pass, and everything happen that is due in it.
  void advance(duration time);

  /// Virtual time.
  instant now() const { return now_; }
  /// 64 random bits, from the seed.
  std::uint64_t random();
  /// The wall clock jumps; monotonic time does not.
  void jump_wall_clock(std::chrono::milliseconds by) { wall_clock_offset_ += by; }
  /// Its time and its chance, for a node.
  nodelink::environment environment();

  /// Does something after a time; things due at the same time happen in the order of these calls.
  void schedule(duration after, std::function<void()> what);

  /// Starts a program with a node of this name (`name@host`) and connects it.
  host& start(const std::string& node_name, bool monitor_nodes = false);
  /// The same with all settings.
  host& start(nodelink::node_settings settings);

  /// Its broker.
  simulation::broker& broker() { return broker_; }

  /// The program that is running just now, if one is.
  host* running() const { return running_; }

 private:
  friend class host;

  instant now_{};
  std::chrono::milliseconds wall_clock_offset_{1'795'204'836'000};
  std::uint64_t random_state_;
  std::uint64_t scheduled_ = 0;
  std::map<std::pair<instant, std::uint64_t>, std::function<void()>> due_;
  simulation::broker broker_;
  std::vector<std::unique_ptr<host>> hosts_;
  host* running_ = nullptr;
};

/// A program with one node in it, as the operating system sees it.
class host final : public nodelink::node_observer {
 public:
  /// @cond
  host(world& w, nodelink::node_settings settings);
  ~host() override;
  /// @endcond

  /// What its node is called.
  const std::string& name() const { return settings_.name; }
  /// Its node, while it is running: another one after each restart().
  nodelink::node& node() { return *node_; }
  /// Not killed.
  bool is_running() const { return node_ != nullptr; }

  /// SIGKILL: the program is gone, the broker notices at once.
  void kill();
  /// The same, and the broker does not publish the will.
  void kill_without_will();
  /// SIGSTOP and SIGCONT: nothing is read, no time-out fires; then all of it at once.
  void freeze();
  /// See freeze().
  void thaw();
  /// Whether it is.
  bool is_frozen() const { return frozen_; }
  /// The program has much to do: what arrives is read at once, and handled this much later. 0 for at once.
  void be_busy(duration lag) { lag_ = lag; }
  /// See be_busy().
  duration lag() const { return lag_; }
  /// Too much waits to be sent, until it does no more.
  void congest(bool is_congested);
  /// The cable: packets both ways vanish. Healed, what was sent meanwhile arrives (TCP repeats it),
  /// unless the broker gave the connection up.
  void cut();
  /// Whether it is.
  bool is_cut() const { return cut_; }
  /// See cut().
  void heal();
  /// A kill, and the same program again.
  void restart();

  /// Runs the node now and whenever it next wants to. world::advance() does it for those that have something to do.
  void run();
  /// Does something in this program, once it is not frozen.
  void when_running(std::function<void()> what);

  /// What the node said, a line each, for tests; but not what it dropped: node::count(), or a listener.
  std::vector<std::string> log;
  /// Hears what the node's observer hears, besides.
  nodelink::node_observer* listener = nullptr;
  /// Called after each turn of the node, as a program's event loop has it.
  std::function<void()> after_each;

  /// @cond
  void node_up(std::uint64_t creation) override;
  void connection_lost(const nodelink::connection_loss& loss, duration next_try) override;
  void replaced(std::uint64_t creation) override;
  void stopped() override;
  void dropped(nodelink::drop why, std::string_view from, std::string_view what, std::uint64_t count) override;
  void process_ended(const nodelink::pid& process, const nodelink::term& reason) override;

  /// @endcond

  /// The world that it is in.
  world& where() { return world_; }

 private:
  friend class world;
  void boot();
  void run_if_due();

  world& world_;
  nodelink::node_settings settings_;
  std::unique_ptr<simulated_transport> transport_;
  std::unique_ptr<nodelink::node> node_;
  bool frozen_ = false;
  duration lag_{};
  bool is_to_run_ = false;                   // when the lag is over
  bool cut_ = false;                         // of the cable: a new program has it too
  std::vector<std::function<void()>> held_;  // what came while frozen
  std::uint64_t wake_ = 0;                   // only the latest wake-up counts
};

}  // namespace simulation
}  // namespace nodelink
