#include "client/status.hpp"

#include <nodelink/node.hpp>

namespace messenger {

using nodelink::after;
using nodelink::node_event;
using nodelink::ping_answer;
using nodelink::process;
using nodelink::self;
using nodelink::state_of;
using namespace std::chrono_literals;

namespace {

constexpr nodelink::duration longest_answer = 5s;
constexpr nodelink::duration between_drawings = 1s;
constexpr std::size_t most_recent = 10;

class view {
 public:
  view(self me, std::string server_node) : me_(me) {
    shown_.node = std::move(server_node);
    me_.listen(state_of(summary_state, shown_.node));
    me_.monitor_node(shown_.node, true);
  }
  // For a process that has other things to do.
  void close() const {
    me_.unlisten(state_of(summary_state, shown_.node));
    me_.monitor_node(shown_.node, false);
  }

  void take(summary s) {
    const bool is_of_same = shown_.latest && shown_.latest->creation == s.creation;
    if (is_of_same && shown_.latest->time_ms == s.time_ms) return;
    shown_.before = is_of_same ? std::exchange(shown_.latest, {}) : std::nullopt;
    shown_.latest = std::move(s);
  }
  void take(presence_event e) {
    shown_.recent.push_back(std::move(e));
    if (shown_.recent.size() > most_recent) shown_.recent.erase(shown_.recent.begin());
  }
  bool has_summary() const { return shown_.latest.has_value(); }

  shown::status now(bool is_screen) {
    shown_.is_up = me_.node().is_up(shown_.node);
    shown_.now_ms = me_.node().env().unix_time_ms();
    shown_.is_screen = is_screen;
    return shown_;
  }

 private:
  self me_;
  shown::status shown_;
};

}  // namespace

process show_status(self me, std::string server_node, const screen& out) {
  view seen(me, std::move(server_node));
  me.ping(me.node().name());
  const auto give_up = me.now() + longest_answer;
  std::optional<nodelink::instant> answered;
  for (bool is_over = false; !is_over;) {
    const auto until = answered ? std::min(*answered + other_brokers_order, give_up) : give_up;
    co_await me.receive([&](const summary& s) { seen.take(s); }, [](const node_event&) {},
                        [&](const ping_answer&) { answered = me.now(); },
                        after(until - me.now(), [&] { is_over = true; }));
    is_over |= answered && seen.has_summary();
  }
  out(seen.now(false));
  seen.close();
}

process watch_status(self me, std::string server_node, const screen& out, bool is_screen) {
  view seen(me, server_node);
  if (is_screen) me.listen({presence_channel, server_node});
  me.ping(me.node().name());  // whose answer comes after what is retained
  bool is_begun = false;
  auto next = me.now() + longest_answer;
  for (;;) {
    bool is_news = false;
    co_await me.receive(
        [&](const summary& s) {
          seen.take(s);
          is_news = is_begun;
        },
        [&](const ping_answer&) { is_begun = is_news = true; },
        [&](const node_event&) { is_news = is_begun && seen.has_summary(); },
        [&](const presence_event& e) { seen.take(e); }, [](const nodelink::message&) {},
        after(next - me.now(), [&] { is_begun = is_news = true; }));
    if (!is_news) continue;
    out(seen.now(is_screen));
    next = is_screen ? me.now() + between_drawings : nodelink::instant::max();
  }
}

}  // namespace messenger
