#include "runtime/supervisor.hpp"

#include <algorithm>
#include <deque>

#include "runtime/node.hpp"

namespace runtime {
namespace {

struct child {
  child_spec spec;
  std::uint64_t serial = 0;  // 0: not running
  instant started;
  std::optional<instant> start_at;  // to be started again
};

class children {
 public:
  children(self me, supervisor_flags flags, std::vector<child_spec> specs) : me_(me), flags_(std::move(flags)) {
    for (auto& spec : specs) start(all_.emplace_back(child{.spec = std::move(spec)}));
  }

  bool all_over() const {
    return std::none_of(all_.begin(), all_.end(), [](const child& c) { return c.serial != 0 || c.start_at; });
  }

  void ended(const exit_signal& s) {
    const auto found =
        std::find_if(all_.begin(), all_.end(), [&](const child& c) { return c.serial == s.from.serial; });
    if (found == all_.end()) end_all(s.reason);  // its parent
    found->serial = 0;
    if (!found->spec.restart(s.reason)) return;
    if (too_many_restarts()) end_all(reason::shutdown);
    if (!flags_.wait) return start(*found);
    if (now() - found->started >= flags_.period) flags_.wait->reset();
    found->start_at = now() + flags_.wait->next(me_.node().env().random());
  }

  duration until_next_start() const {
    duration wait = infinity;
    for (const auto& c : all_)
      if (c.start_at) wait = std::min<duration>(wait, std::max<duration>(*c.start_at - now(), duration{}));
    return wait;
  }

  void start_due() {
    for (auto& c : all_)
      if (c.start_at && *c.start_at <= now()) start(c);
  }

 private:
  [[noreturn]] void end_all(const term& reason) {
    for (const auto& c : all_)
      if (c.serial != 0) me_.exit(me_.node().pid_of(c.serial), reason::kill);
    me_.exit(reason);
  }

  instant now() const { return me_.now(); }

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
  std::deque<instant> restarts_;  // those within the last period
};

}  // namespace

process supervisor(self me, supervisor_flags flags, std::vector<child_spec> specs) {
  me.trap_exit(true);
  me.hear_only(me.node().name());
  children mine(me, std::move(flags), std::move(specs));
  while (!mine.all_over())
    co_await me.receive([&](const exit_signal& s) { mine.ended(s); }, [](const message&) {},
                        after(mine.until_next_start(), [&] { mine.start_due(); }));
}

}  // namespace runtime
