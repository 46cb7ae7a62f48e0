#include "node/standby.hpp"

#include <optional>

#include "runtime/node.hpp"

namespace messenger {

using runtime::after;
using runtime::duration;
using runtime::instant;
using runtime::self;
using namespace std::chrono_literals;

// How long after a connection what the broker retains of the server's node may take to come.
constexpr duration settling = 1s;
constexpr duration most_by_chance = 200ms;

namespace {

class watch {
 public:
  watch(self me, const standby_options& options) : me_(me), options_(options) { nobody_seen(settling); }

  bool is_over() const { return is_over_; }

  void seen(bool is_up) {
    if (!is_up) return nobody_seen(0s);
    takes_over_at_.reset();
    asks_at_ = me_.now() + options_.net_ticktime;
  }

  duration until_next() const { return std::max<duration>(takes_over_at_.value_or(asks_at_) - me_.now(), duration{}); }

  void time_is_over() {
    if (!takes_over_at_) return ask();
    if (!me_.node().is_up() || connection_ != me_.pid().creation) return nobody_seen(settling);
    is_over_ = true;
  }

 private:
  void nobody_seen(duration more) {
    connection_ = me_.node().is_up() ? me_.pid().creation : 0;
    const auto chance = duration(me_.node().env().random() % static_cast<std::uint64_t>(most_by_chance.count()));
    takes_over_at_ = me_.now() + more + options_.delay + chance;
  }

  // Its status says that it is up; who is killed together with its broker leaves that behind.
  void ask() {
    me_.ping(options_.server_node);
    nobody_seen(options_.net_ticktime / 4);
  }

  self me_;
  const standby_options& options_;
  std::uint64_t connection_ = 0;  // what is known is known from this one
  std::optional<instant> takes_over_at_;
  instant asks_at_;
  bool is_over_ = false;
};

}  // namespace

runtime::process standby(self me, standby_options options) {
  me.hear_only(me.node().name());
  me.monitor_node(options.server_node, true);
  watch server(me, options);
  while (!server.is_over())
    co_await me.receive([&](const runtime::node_event& e) { server.seen(e.is_up); },
                        [&](const runtime::ping_answer&) { server.seen(true); }, [](const runtime::message&) {},
                        after(server.until_next(), [&] { server.time_is_over(); }));
}

}  // namespace messenger
