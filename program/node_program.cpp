#include "program/node_program.hpp"

#include <csignal>
#include <cstdlib>

#include <spdlog/spdlog.h>

#include <nodelink/paho/host.hpp>
#include <nodelink/paho/transport.hpp>

#include "program/advice.hpp"
#include "program/log_event.hpp"
#include "program/paho_tuning.hpp"

namespace program {

using std::chrono::steady_clock;

constexpr auto one_second = std::chrono::seconds(1);
constexpr auto longest_goodbye = std::chrono::seconds(1);
constexpr auto raised_for = std::chrono::minutes(1);

node_program::node_program(event_loop& loop, const common_options& options, std::string no_broker_hint)
    : loop_(loop),
      no_broker_hint_(std::move(no_broker_hint)),
      broker_(options.broker),
      may_retry_(options.broker_configured),
      is_passing_(options.is_passing),
      transport_(nodelink::paho::make_transport(options.broker, loop, wake_paho).release()),
      node_(options.node, nodelink::real_environment(), *transport_),
      was_up_(options.was_up) {
  node_.observe(*this);
  prepare_paho(broker_.tls);
  loop_.on_signal([this](int signal) {
    if (is_signal_for_another && is_signal_for_another(signal)) return;
    if (signal == SIGUSR1) return raise_log_level();
    if (signal == SIGHUP && reload) return reload();
    was_signalled_ = true;
    const char* const name = signal == SIGINT ? "SIGINT" : signal == SIGTERM ? "SIGTERM" : "SIGHUP";
    log(spdlog::level::info, "stopping", {{"signal", name}}, "stopping: {}", name);
    if (is_stopping_)
      std::quick_exit(signal == SIGINT ? exit_code::interrupted : 0);  // asked twice: at once, so by will
    if (before_stop_by_signal) before_stop_by_signal();
    stop(signal == SIGINT ? exit_code::interrupted : 0);
  });
}

void node_program::quick_end::operator()(nodelink::transport* t) const {
  const ending_paho quickly;
  delete t;
}

int node_program::run(const std::function<std::optional<nodelink::instant>()>& after_each) {
  if (broker_.tls.on && broker_.tls.is_insecure)
    log(spdlog::level::warn, "insecure", {},
        "--insecure: whoever is between this node and the broker can read and change everything");
  silent_since_ = steady_clock::now();
  node_.start();
  loop_.run([&] {
    node_.run();
    std::optional<nodelink::instant> next;
    if (after_each) next = after_each();
    if (std::exchange(stop_requested_, false)) node_.stop();
    if (stopped_since_ && (transport_->is_idle() || steady_clock::now() >= until_the_end())) loop_.stop();
    for (const auto& other : {node_.next_deadline(), log_unlogged_drops(), until_the_end(), until_usual_log_level(),
                              until_silence_is_told()})
      if (other && (!next || *other < *next)) next = other;
    return next;
  });
  return exit_code_;
}

void node_program::stop(int exit_code) {
  if (std::exchange(is_stopping_, true)) return;
  exit_code_ = exit_code;
  stop_requested_ = true;
}

void node_program::fail(int exit_code, const std::string& sentence) {
  if (is_stopping_) return;
  log(spdlog::level::err, "failed", {{"node", node_.name()}, {"exit_code", static_cast<int>(exit_code)}}, "{}",
      sentence);
  stop(exit_code);
}

void node_program::node_up(std::uint64_t creation) {
  was_up_ = true;
  silent_since_.reset();
  const auto broker = nodelink::paho::address(broker_);
  log(is_passing_ ? spdlog::level::trace : spdlog::level::info, "node_up",
      {{"node", node_.name()}, {"broker", broker}, {"creation", creation}},
      "node {} is up at the broker at {}, creation {}", node_.name(), broker, creation);
}

void node_program::connection_lost(const nodelink::connection_loss& loss, nodelink::duration next_try) {
  using kind = nodelink::connection_loss::kind;
  silent_since_.reset();
  if (is_stopping_) return;
  // Credentials that were never good do not become so; a broker that once took them may again.
  if (loss.what == kind::not_authorised && !was_up_ && !is_passing_)
    return fail(exit_code::not_authorised, advised(loss));
  if (loss.what == kind::untrusted && !was_up_) return fail(exit_code::untrusted, advised(loss));
  if (loss.what == kind::unreachable && !was_up_ && !may_retry_)
    return fail(exit_code::run_time_failure, loss.sentence + "; " + no_broker_hint_);
  if (is_over(loss)) return;
  const double seconds = std::chrono::duration<double>(next_try).count();
  log(spdlog::level::warn, "connection_lost", {{"node", node_.name()}, {"next_try_seconds", seconds}},
      "{}; trying again in {:.1f} s", advised(loss), seconds);
}

void node_program::replaced(std::uint64_t creation) {
  const auto by = "another program runs as node " + node_.name() + " since creation " + std::to_string(creation) +
                  " and has replaced this one";
  if (!is_over({nodelink::connection_loss::kind::lost, by}))
    fail(exit_code::run_time_failure, by + "; this one stops. Node names must differ: see --name");
}

void node_program::unheard() {
  log(spdlog::level::warn, "unheard", {{"node", node_.name()}},
      "the broker at {} has sent back nothing of what node {} says of itself: it may not let this node write or read "
      "its "
      "own topics. Look at its access control list, and at whose the credentials are",
      nodelink::paho::address(broker_), node_.name());
}

bool node_program::is_over(const nodelink::connection_loss& loss) {
  if (is_stopping_ || !is_over_when_lost || !is_over_when_lost(loss.what)) return false;
  log(is_passing_ ? spdlog::level::trace : spdlog::level::warn, "connection_lost", {{"node", node_.name()}}, "{}",
      advised(loss));
  stop(0);
  return true;
}

void node_program::stopped() { stopped_since_ = steady_clock::now(); }

std::optional<nodelink::instant> node_program::until_the_end() const {
  if (!stopped_since_) return std::nullopt;
  return *stopped_since_ + longest_goodbye;
}

void node_program::dropped(nodelink::drop why, std::string_view from, std::string_view what, std::uint64_t count) {
  using nodelink::drop;
  constexpr std::uint64_t lines_a_second = 20;
  const auto level = why == drop::no_process || why == drop::unsent                          ? spdlog::level::debug
                     : why == drop::retained || why == drop::unheard || why == drop::refused ? spdlog::level::info
                                                                                             : spdlog::level::warn;
  if (!spdlog::should_log(level)) return;
  if (!log_unlogged_drops() && steady_clock::now() >= second_ + one_second) {
    second_ = steady_clock::now();
    logged_this_second_ = 0;
  }
  if (++logged_this_second_ > lines_a_second) {
    ++unlogged_;
    return;
  }
  const std::string how = why == drop::refused
                              ? fmt::format("refused ({} so far)", count)
                              : fmt::format("dropped ({}, {} so far)", nodelink::to_string(why), count);
  log(level, why == drop::refused ? "refused" : "dropped",
      {{"kind", nodelink::to_string(why)}, {"node", from}, {"count", count}}, "{}, from {}: {}", how,
      from.empty() ? "nobody" : from, what);
}

// Says how many drops were not logged, once their second is over. @returns when that will be.
std::optional<nodelink::instant> node_program::log_unlogged_drops() {
  if (unlogged_ == 0) return std::nullopt;
  if (steady_clock::now() < second_ + one_second) return second_ + one_second;
  log(spdlog::level::warn, "dropped", {{"count", unlogged_}}, "dropped: {} more inputs", unlogged_);
  unlogged_ = 0;
  return std::nullopt;
}

void node_program::raise_log_level() {
  if (!raised_until_) usual_level_ = spdlog::get_level();
  raised_until_ = steady_clock::now() + raised_for;
  spdlog::set_level(spdlog::level::debug);
  log(spdlog::level::info, "log_level", {{"log_level", "debug"}}, "SIGUSR1: everything is logged for a minute");
}

std::optional<nodelink::instant> node_program::until_usual_log_level() {
  if (!raised_until_ || steady_clock::now() < *raised_until_) return raised_until_;
  log(spdlog::level::info, "log_level", {}, "the log level is what it was");
  spdlog::set_level(static_cast<spdlog::level::level_enum>(usual_level_));
  raised_until_.reset();
  return std::nullopt;
}

// It may be ten seconds before it is given up.
std::optional<nodelink::instant> node_program::until_silence_is_told() {
  if (!silent_since_ || steady_clock::now() < *silent_since_ + one_second)
    return silent_since_ ? std::optional(*silent_since_ + one_second) : std::nullopt;
  silent_since_.reset();
  if (!is_stopping_)
    log(spdlog::level::warn, "silent_broker", {{"node", node_.name()}},
        "the broker at {} has not answered for a second; waiting", nodelink::paho::address(broker_));
  return std::nullopt;
}

void node_program::process_ended(const nodelink::pid& process, const nodelink::term& reason) {
  if (reason.is_array())
    log(spdlog::level::err, "process_crashed", {{"pid", to_string(process)}, {"reason", reason}},
        "process {} crashed: {}", to_string(process), nodelink::brief(reason));
  else
    log(spdlog::level::debug, "process_ended", {{"pid", to_string(process)}, {"reason", reason}},
        "process {} ended: {}", to_string(process), nodelink::brief(reason));
}

}  // namespace program
