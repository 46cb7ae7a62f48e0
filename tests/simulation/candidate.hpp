// A program started with `--standby`, as messenger-node has it: the candidate's nodes, one after the other.
#pragma once

#include "messenger_world.hpp"
#include "node/candidate.hpp"

namespace nodelink::simulation {

class candidate_program final : public nodelink::node_observer {
 public:
  candidate_program(world& w, const std::string& own_name, duration delay, duration net_ticktime = 60s)
      : world_(w), own_name_(own_name), standby_{server_node, delay, net_ticktime} {
    restart();
  }

  bool is_running() const { return present_ && present_->is_running(); }
  bool serves() const { return is_running() && me_->serves(); }
  bool is_up_as_server() const { return serves() && present_->node().is_up(); }
  nodelink::node& node() { return present_->node(); }
  /// How often it has become the server.
  int terms() const { return terms_; }

  void kill(bool with_will = true) {
    ++life_;
    if (is_running()) with_will ? present_->kill() : present_->kill_without_will();
  }
  void restart() {
    if (is_running()) return;
    me_ = std::make_unique<messenger::candidate>(messenger::server_options{}, standby_);
    begin();
  }
  /// SIGTERM.
  void stop() {
    if (!is_running()) return;
    present_->when_running([this] {
      if (is_stopping_) return kill();  // as node_program that is asked twice
      me_->end();
      is_stop_asked_for_ = true;
    });
  }
  void freeze() { present_->freeze(); }
  void thaw() { present_->thaw(); }
  void cut() { set_cut(true); }
  void heal() { set_cut(false); }

 private:
  void set_cut(bool is_cut) {
    is_cut_ = is_cut;
    for (auto* h : {own_, server_})
      if (h) is_cut ? h->cut() : h->heal();
  }

  void begin() {
    is_stop_asked_for_ = is_stopping_ = false;
    auto*& h = me_->serves() ? server_ : own_;
    terms_ += me_->serves() ? 1 : 0;
    if (h)
      h->restart();
    else
      h = &world_.start({.name = me_->serves() ? server_node : own_name_,
                         .cookie = "test",
                         .net_ticktime = standby_.net_ticktime,
                         .monitor_nodes = me_->serves()});
    if (is_cut_) h->cut();
    present_ = h;
    h->listener = this;
    h->after_each = [this] {
      if (me_->is_over() || std::exchange(is_stop_asked_for_, false)) stop_node();
    };
    me_->start(h->node());
    h->run();
  }

  void stop_node() {
    if (!std::exchange(is_stopping_, true)) node().stop();
  }

  // node_program asks the candidate unless it is stopping.
  void connection_lost(const nodelink::connection_loss& loss, duration) override {
    if (!is_stopping_) me_->lost(loss.what);
  }
  void replaced(std::uint64_t) override {
    if (!is_stopping_) me_->lost(nodelink::connection_loss::kind::lost);
  }
  // Once its present turn is over, the node is gone; unless the program is killed before.
  void stopped() override {
    world_.schedule(0s, [this, life = life_] {
      if (life != life_) return;
      present_->when_running([this] {
        present_->kill();
        if (me_->change()) begin();
      });
    });
  }

  world& world_;
  std::string own_name_;
  messenger::standby_options standby_;
  std::unique_ptr<messenger::candidate> me_;
  host *own_ = nullptr, *server_ = nullptr, *present_ = nullptr;
  bool is_stop_asked_for_ = false;
  bool is_stopping_ = false;
  bool is_cut_ = false;
  int terms_ = 0;
  std::uint64_t life_ = 0;
};

}  // namespace nodelink::simulation
