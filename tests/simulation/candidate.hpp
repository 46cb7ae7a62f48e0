// A program started with `--standby`, as messenger-node has it: a node of its own that stands by, and in its turn the
// server's node, until it loses its connection or its name.
#pragma once

#include "messenger_world.hpp"
#include "node/standby.hpp"

namespace simulation {

class candidate final : public runtime::node_observer {
 public:
  candidate(world& w, const std::string& own_name, duration delay, duration net_ticktime = 60s)
      : world_(w), delay_(delay), net_ticktime_(net_ticktime), own_(w.start(settings(own_name))) {
    own_.listener = this;
    stand_by();
  }

  bool is_running() const { return own_.is_running() || serves(); }
  bool serves() const { return server_ && server_->is_running(); }
  bool is_up_as_server() const { return serves() && server_->node().is_up(); }
  /// The node that it is just now.
  host& present() { return serves() ? *server_ : own_; }
  /// How often it has become the server.
  int terms() const { return terms_; }

  void kill(bool with_will = true) {
    ++life_;
    auto& h = present();
    if (h.is_running()) with_will ? h.kill() : h.kill_without_will();
  }
  void restart() {
    if (is_running()) return;
    own_.restart();
    stand_by();
  }

 private:
  runtime::node_settings settings(const std::string& name) const {
    return {.name = name, .cookie = "test", .net_ticktime = net_ticktime_, .monitor_nodes = name == server_node};
  }

  // Once the present turn of the node is over; unless the program is killed before.
  void soon(std::function<void()> what) {
    world_.schedule(0s, [this, life = life_, what = std::move(what)] {
      if (life == life_) what();
    });
  }

  void stand_by() {
    auto& node = own_.node();
    const messenger::standby_options options{server_node, delay_, net_ticktime_};
    standby_ = node.spawn(messenger::standby, options);
    own_.run();
  }

  void serve() {
    ++terms_;
    own_.kill();
    if (server_)
      server_->restart();
    else
      server_ = &world_.start(settings(server_node));
    server_->listener = this;
    messenger::start_server(server_->node());
    server_->run();
  }

  void stop_serving() {
    server_->kill();
    own_.restart();
    stand_by();
  }

  void process_ended(const runtime::pid& process, const runtime::term&) override {
    if (serves() || process.serial != standby_.serial) return;
    // A clean stop, which says nodedown, and then the other node.
    soon([this] { own_.when_running([this] { own_.node().stop(); }); });
    soon([this] { serve(); });
  }
  void connection_lost(const runtime::connection_loss&, duration) override {
    if (serves()) soon([this] { stop_serving(); });
  }
  void replaced(std::uint64_t) override {
    if (serves()) soon([this] { stop_serving(); });
  }

  world& world_;
  duration delay_, net_ticktime_;
  host& own_;
  host* server_ = nullptr;
  runtime::pid standby_;
  int terms_ = 0;
  std::uint64_t life_ = 0;
};

}  // namespace simulation
