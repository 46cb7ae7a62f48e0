#include "client/load.hpp"

#include <algorithm>
#include <deque>

#include <nodelink/node.hpp>
#include "client/mess_client.hpp"
#include "client/server_node.hpp"
#include "protocol/messages.hpp"

namespace messenger {

using nodelink::after;
using nodelink::duration;
using nodelink::instant;
using nodelink::message;
using nodelink::pid;
using nodelink::process;
using nodelink::registered;
using nodelink::self;
using nodelink::term;
using namespace std::chrono_literals;

namespace {

constexpr duration between_pings = 100ms;

// What the users have seen.
struct tally {
  std::size_t on = 0, off = 0;  // logged on; refused, or logged off since
  std::uint64_t sent = 0, delivered = 0, refused = 0, unanswered = 0;
  std::map<std::string, std::uint64_t> refusals;
  std::vector<duration> delivery, reply;
};

// From the one who directs them: to whom to write, who is on.
struct write_to {
  std::string name;
  static std::optional<write_to> match(const message& m) {
    if (!m.local || m.content.size() != 2 || m.content[0] != "write_to") return std::nullopt;
    return write_to{m.content[1].get<std::string>()};
  }
  term write() const { return term::array({"write_to", name}); }
};
struct stop_load {
  static std::optional<stop_load> match(const message& m) {
    return m.local && m.content == "stop_load" ? std::optional(stop_load{}) : std::nullopt;
  }
};
struct go_home {
  static std::optional<go_home> match(const message& m) {
    return m.local && m.content == "go_home" ? std::optional(go_home{}) : std::nullopt;
  }
};

process load_user(self me, std::string server_node, std::string name, bool& is_on, tally& all) {
  const registered server{server_name, server_node};
  me.hear_only(server_node);
  me.send(server, logon{me.pid(), name}.write());
  co_await me.receive([&](const reply& r) { is_on = r.what == word::logged_on; },
                      [&](const stop& s) { ++all.refusals[s.why]; }, after(reply_timeout, [&] { ++all.unanswered; }));
  ++(is_on ? all.on : all.off);
  if (!is_on) co_return;
  me.expect_link(server);
  std::deque<instant> asked;
  const auto answered = [&] {
    if (asked.empty()) return;
    all.reply.push_back(me.now() - asked.front());
    asked.pop_front();
  };
  for (bool is_over = false; !is_over;)
    co_await me.receive(
        [&](const write_to& w) {
          ++all.sent;
          asked.push_back(me.now());
          me.send(server, message_to{me.pid(), w.name, std::to_string(me.now().time_since_epoch().count())}.write());
        },
        [&](const message_from& m) {
          ++all.delivered;
          const instant then(duration(std::strtoll(m.text.c_str(), nullptr, 10)));
          all.delivery.push_back(me.now() - then);
        },
        [&](const reply& r) {
          if (r.what != word::sent) ++all.refusals[r.what], ++all.refused;
          answered();
        },
        [&](const stop& s) {
          ++all.refusals[s.why];
          is_over = true;
        },
        [&](const go_home&) { is_over = true; });
  --all.on, ++all.off;
}

shown::times times_of(std::vector<duration> all) {
  if (all.empty()) return {};
  std::sort(all.begin(), all.end());
  const auto at = [&](std::size_t percent) { return all[std::min(all.size() - 1, all.size() * percent / 100)]; };
  return {at(50), at(99), all.back()};
}

// Directs them.
class load {
 public:
  load(self me, std::string server_node, load_plan plan, const screen& out)
      : me_(me), server_node_(std::move(server_node)), plan_(plan), out_(out) {}

  process run(bool& is_whole) {
    co_await connect();
    if (!me_.node().is_up()) co_return say("there is no connection to the broker");
    co_await log_on();
    if (all_.unanswered == plan_.users) co_await explain_silence(me_, server_node_, out_);
    if (all_.on == 0) co_return report();
    co_await write();
    if (ended_.empty()) co_await settle();
    report();
    is_whole = ended_.empty() && all_.delivered == turns_ && all_.unanswered == 0 && all_.refusals.empty();
    for (const auto& user : users_) me_.send(user.process, "go_home");
    co_await me_.receive(after(100ms, [] {}));
  }

 private:
  void say(const std::string& text) const { out_(shown::progress{text}); }

  process connect() {
    const auto own = me_.node().name();
    me_.hear_only(own);
    me_.monitor_node(own, true);
    for (const auto until = me_.now() + reply_timeout; !me_.node().is_up() && me_.now() < until;)
      co_await me_.receive([](const nodelink::node_event&) {}, after(until - me_.now(), [] {}));
  }

  process log_on() {
    const auto begun = me_.now();
    const auto own = me_.node().name();
    const auto name = own.substr(0, own.find('@'));
    me_.monitor_node(server_node_, true);
    std::vector<user> asked;
    for (std::size_t i = 1; i <= plan_.users; ++i) {
      const auto its = plan_.users == 1 ? name : name + "-" + std::to_string(i);
      auto& is_on = is_on_.emplace_back(false);
      asked.push_back({its, me_.node().spawn(load_user, server_node_, its, std::ref(is_on), std::ref(all_)), &is_on});
    }
    while (all_.on + all_.off < plan_.users) {
      co_await me_.receive(after(10ms, [] {}));
      if (me_.now() >= next_progress_)
        progress(std::to_string(all_.on) + " of " + std::to_string(plan_.users) + " logged on");
    }
    // Nobody writes to a name that somebody else has.
    for (const auto& u : asked)
      if (*u.is_on) users_.push_back(u);
    logged_on_ = all_.on;
    logon_time_ = me_.now() - begun;
  }

  process write() {
    const auto own = me_.node().name();
    const auto interval = std::chrono::duration_cast<duration>(std::chrono::duration<double>(1 / plan_.rate));
    begun_ = me_.now();
    const auto end = begun_ + std::chrono::duration_cast<duration>(std::chrono::duration<double>(plan_.seconds));
    for (auto next = begun_; next < end; next += interval, ++turns_) {
      co_await wait_until(next);
      if (!ended_.empty()) break;
      me_.send(users_[turns_ % users_.size()].process, write_to{users_[(turns_ + 1) % users_.size()].name}.write());
      if (me_.now() >= pinged_ + between_pings) {
        pinged_ = me_.now();
        me_.ping(own);
      }
      if (me_.now() < next_progress_) continue;
      progress(std::to_string(std::chrono::duration_cast<std::chrono::seconds>(me_.now() - begun_).count()) + " of " +
               std::to_string(static_cast<long>(plan_.seconds)) + " s: " + std::to_string(all_.sent) + " sent, " +
               std::to_string(all_.delivered) + " delivered");
    }
    if (ended_.empty()) co_await wait_until(end);
    writing_time_ = me_.now() - begun_;
    if (!ended_.empty())
      ended_ +=
          " after " + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(writing_time_).count()) + " s";
  }

  // Or until it is over before.
  process wait_until(instant when) {
    for (bool is_time = false; !is_time && ended_.empty();)
      co_await me_.receive(
          [&](const nodelink::ping_answer&) { round_trip_.push_back(me_.now() - pinged_); },
          [&](const nodelink::node_event& e) {
            if (e.is_up) return;
            ended_ = e.node == server_node_ ? "the server's node " + e.node +
                                                  (e.why == nodelink::cause::node_stopped ? " was stopped" : " died")
                                            : "the connection to the broker was lost";
          },
          [&](const stop_load&) { ended_ = "stopped"; }, after(when - me_.now(), [&] { is_time = true; }));
  }

  // Until all that was sent has come, or for as long as a reply may take.
  process settle() {
    for (const auto until = me_.now() + reply_timeout; all_.delivered + all_.refused < turns_ && me_.now() < until;)
      co_await me_.receive(after(10ms, [] {}));
  }

  void progress(const std::string& text) {
    say(text);
    next_progress_ = me_.now() + 1s;
  }

  void report() const {
    out_(shown::load{.users = logged_on_,
                     .logon_time = logon_time_,
                     .writing_time = writing_time_,
                     .sent = all_.sent,
                     .delivered = all_.delivered,
                     .lost = all_.sent - std::min(all_.sent, all_.delivered + all_.refused),
                     .unanswered = all_.unanswered,
                     .refusals = all_.refusals,
                     .ended = ended_,
                     .delivery = times_of(all_.delivery),
                     .reply = times_of(all_.reply),
                     .round_trip = times_of(round_trip_)});
  }

  self me_;
  const std::string server_node_;
  const load_plan plan_;
  const screen& out_;
  struct user {
    std::string name;
    pid process;
    const bool* is_on;
  };

  tally all_;
  std::deque<bool> is_on_;   // of each who was to log on
  std::vector<user> users_;  // who are on
  std::string ended_;
  std::vector<duration> round_trip_;
  std::size_t logged_on_ = 0;
  std::uint64_t turns_ = 0;
  duration logon_time_{}, writing_time_{};
  instant begun_, pinged_, next_progress_;
};

}  // namespace

term load_stop() { return "stop_load"; }

process measure_load(self me, std::string server_node, load_plan plan, const screen& out,
                     std::function<void(bool)> done) {
  load l(me, std::move(server_node), plan, out);
  bool is_whole = false;
  co_await l.run(is_whole);
  done(is_whole);
}

}  // namespace messenger
