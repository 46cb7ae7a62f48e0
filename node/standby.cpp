#include "node/standby.hpp"

#include <nodelink/node.hpp>

namespace messenger {

using nodelink::after;
using nodelink::duration;
using nodelink::instant;
using nodelink::self;
using namespace std::chrono_literals;

// How long after a connection what the broker retains of the server's node may take to come; how old the answer may be
// on which the name is taken.
constexpr duration settling = 1s;
constexpr duration most_by_chance = 200ms;
// One question may be lost on the way.
constexpr int questions = 2;

namespace {

// Whoever is cut off from the broker hears nothing of the server either. So a silence counts only between two answers
// of the own node, which come through the broker, and after what the broker had for this node before.
class watch {
 public:
  watch(self me, const standby_options& options) : me_(me), options_(options), next_(me.now()) {}

  bool is_over() const { return is_over_; }
  duration until_next() const { return std::max<duration>(next_ - me_.now(), duration{}); }

  void connected(bool is_up) {
    connection_ = connection();
    is_up ? wait(settling) : wait_for_connection();
  }

  void seen(bool is_up) {
    connection_ = connection();
    if (connection_ == 0) {
      wait_for_connection();
    } else if (!is_up) {
      wait(0s);
    } else {
      phase_ = phase::up;
      // Who is killed together with its broker leaves a status that says that it is up.
      next_ = me_.now() + (answered_on_ == connection_ ? options_.net_ticktime : settling);
    }
  }

  void answered(const std::string& node) {
    if (node == options_.server_node) {
      answered_on_ = connection();
      return seen(true);
    }
    if (phase_ == phase::asking) {
      phase_ = phase::silent;
      next_ = me_.now() + options_.net_ticktime / 4 / questions;
    }
    is_over_ = phase_ == phase::deciding && me_.now() <= next_;
  }

  void time_is_over() {
    if (phase_ == phase::up) {
      asked_ = 0;
      ask();
    } else if (phase_ == phase::silent) {
      asked_ < questions ? ask() : wait(0s);
    } else {
      hear_oneself(phase_ == phase::asking ? phase::asking : phase::deciding);
    }
  }

 private:
  enum class phase {
    up,        // until it is to be asked after
    asking,    // until the question has passed the broker
    silent,    // since then
    down,      // for the delay
    deciding,  // until all has come that the broker had
  };

  std::uint64_t connection() const { return me_.node().is_up() ? me_.pid().creation : 0; }

  void wait_for_connection() { next_ = instant::max(); }

  void wait(duration more) {
    const auto chance = duration(me_.node().env().random() % static_cast<std::uint64_t>(most_by_chance.count()));
    phase_ = phase::down;
    next_ = me_.now() + more + options_.delay + chance;
  }

  void ask() {
    ++asked_;
    me_.ping(options_.server_node);
    hear_oneself(phase::asking);
  }

  void hear_oneself(phase until) {
    me_.ping(me_.node().name());
    phase_ = until;
    next_ = me_.now() + settling;
  }

  self me_;
  const standby_options& options_;
  std::uint64_t connection_ = 0;   // what is known is known from this one
  std::uint64_t answered_on_ = 0;  // of the server
  phase phase_ = phase::down;
  int asked_ = 0;
  instant next_;
  bool is_over_ = false;
};

}  // namespace

nodelink::process standby(self me, standby_options options, std::function<void()> its_turn) {
  me.hear_only(me.node().name());
  me.monitor_node(options.server_node, true);
  watch server(me, options);
  const auto own = me.node().name();
  me.monitor_node(own, true);
  while (!server.is_over())
    co_await me.receive(
        [&](const nodelink::node_event& e) { e.node == own ? server.connected(e.is_up) : server.seen(e.is_up); },
        [&](const nodelink::ping_answer& a) { server.answered(a.node); }, [](const nodelink::message&) {},
        after(server.until_next(), [&] { server.time_is_over(); }));
  its_turn();
}

}  // namespace messenger
