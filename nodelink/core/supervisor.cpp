#include <nodelink/supervisor.hpp>

#include <algorithm>
#include <deque>

#include "core/node_core.hpp"

namespace nodelink {
namespace {

struct child {
  child_spec spec;
  std::uint64_t serial = 0;  // 0: not running
  instant started{};
  std::optional<instant> start_at{};  // to be started again
};

class children {
 public:
  children(self me, supervisor_flags flags, std::vector<child_spec> specs) : me_(me), flags_(std::move(flags)) {
    for (auto& spec : specs) start(all_.emplace_back(child{.spec = std::move(spec)}));
  }

  // Until none is left.
  process supervise() {
    while (!all_over()) {
      while (!ends_.empty()) {
        const exit_signal first = std::move(ends_.front());
        ends_.pop_front();
        co_await ended(first);
      }
      if (all_over()) break;
      co_await me_.receive([&](const exit_signal& s) { ends_.push_back(s); }, [](const message&) {},
                           after(until(first_start()), [&] { start_due(); }));
    }
  }

 private:
  using place = std::vector<child>::iterator;

  bool all_over() const {
    return ends_.empty() &&
           std::none_of(all_.begin(), all_.end(), [](const child& c) { return c.serial != 0 || c.start_at; });
  }

  process ended(const exit_signal& s) {
    const auto found =
        std::find_if(all_.begin(), all_.end(), [&](const child& c) { return c.serial == s.from.serial; });
    if (found == all_.end()) co_await end_all(s.reason);  // its parent
    found->serial = 0;
    if (!found->spec.restart(s.reason)) co_return;
    if (too_many_restarts()) co_await end_all(reason::shutdown);
    instant again = now();
    if (flags_.wait) {
      if (now() - found->started >= flags_.period) flags_.wait->reset();
      again += flags_.wait->next(me_.node().env().random());
    }
    const auto from = flags_.strategy == strategy::one_for_all ? all_.begin() : found;
    const auto to = flags_.strategy == strategy::one_for_one ? std::next(found) : all_.end();
    for (auto c = to; c != from;)
      // As OTP has it: also one that had ended in order, unless it is never started again.
      if (--c == found || c->serial != 0 || c->spec.restart(reason::killed)) {
        co_await stop(*c);
        c->start_at = again;
      }
    if (!flags_.wait) start_due();
  }

  // OTP's shutdown of one child. What else ends meanwhile is looked at later.
  process stop(child& c) {
    if (std::erase_if(ends_, [&](const exit_signal& s) { return s.from.serial == c.serial; }) > 0) c.serial = 0;
    if (c.serial == 0) co_return;
    const pid its = me_.node().core().pid_of(c.serial);
    instant until_then = c.spec.shutdown == infinity ? instant::max() : now() + c.spec.shutdown;
    me_.exit(its, c.spec.shutdown == duration::zero() ? reason::kill : reason::shutdown);
    while (c.serial != 0) {
      co_await me_.receive(
          [&](const exit_signal& s) {
            if (s.from.serial == c.serial)
              c.serial = 0;
            else
              ends_.push_back(s);
          },
          [](const message&) {}, after(until(until_then), [&] {
            me_.exit(its, reason::kill);
            until_then = instant::max();
          }));
    }
  }

  process end_all(term reason) {
    for (auto c = all_.rbegin(); c != all_.rend(); ++c) co_await stop(*c);
    me_.exit(std::move(reason));
  }

  instant now() const { return me_.now(); }

  duration until(instant time) const {
    return time == instant::max() ? infinity : std::max<duration>(time - now(), duration{});
  }

  instant first_start() const {
    instant first = instant::max();
    for (const auto& c : all_)
      if (c.start_at) first = std::min(first, *c.start_at);
    return first;
  }

  void start_due() {
    for (auto& c : all_)
      if (c.start_at && *c.start_at <= now()) start(c);
  }

  void start(child& c) {
    c.start_at.reset();
    c.started = now();
    const auto pid = me_.spawn_link(c.spec.start);
    c.serial = pid.serial;
    if (!c.spec.name.empty()) me_.node().register_name(c.spec.name, pid);
  }

  bool too_many_restarts() {
    if (flags_.intensity == supervisor_flags::unlimited) return false;
    restarts_.push_back(now());
    while (restarts_.front() + flags_.period < now()) restarts_.pop_front();
    return restarts_.size() > static_cast<std::size_t>(flags_.intensity);
  }

  self me_;
  supervisor_flags flags_;
  std::vector<child> all_;
  std::deque<exit_signal> ends_;  // that have been heard of and not been looked at
  std::deque<instant> restarts_;  // those within the last period
};

}  // namespace

process supervisor(self me, supervisor_flags flags, std::vector<child_spec> specs) {
  me.trap_exit(true);
  me.hear_only(me.node().name());
  children mine(me, std::move(flags), std::move(specs));
  co_await mine.supervise();
}

}  // namespace nodelink
