// messenger-client: a user's node. It stays while mess_client processes come and go, as the Erlang shell does.
#include <csignal>
#include <cstdlib>
#include <iostream>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "client/console.hpp"
#include "client/load.hpp"
#include "client/mess_client.hpp"
#include "client/printable.hpp"
#include "client/shell.hpp"
#include "client/status.hpp"
#include "program/logging.hpp"
#include "program/node_program.hpp"
#include "program/output.hpp"
#include "protocol/admin.hpp"
#include "protocol/messages.hpp"
#include "protocol/user_name.hpp"

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// Commands that come before the node was ever up wait for it this long; then they get the reply that
// Erlang gives: none.
constexpr auto longest_wait_for_node = 5s;

struct client_options {
  std::string server = messenger::server_name;
  std::string logon_name;
  std::string room;
  std::string kicks;  // whom, before anything else
  bool rejoin = false;
  bool json = false;
  std::string color = "auto";
  std::vector<std::string> commands;
  double give_up_seconds = 0;
  enum class watching { nothing, figures, screen } watches = watching::nothing;
  std::optional<messenger::load_plan> load;

  // Nobody types anything.
  bool reads_commands() const { return watches == watching::nothing && !load; }
  bool is_script() const { return !commands.empty() || !reads_commands() || json || !messenger::is_at_terminal(); }
  bool has_colours() const {
    const char* no_color = std::getenv("NO_COLOR");
    return color == "always" || (color == "auto" && (!no_color || !*no_color));
  }
};

std::unique_ptr<messenger::console> make_console(const client_options& o, program::event_loop& loop,
                                                 program::output& errors) {
  if (!o.is_script()) return messenger::make_terminal_console({o.has_colours()}, loop);
  const bool reads_input = o.commands.empty() && o.reads_commands();
  return messenger::make_script_console({o.json, reads_input ? std::nullopt : std::optional(o.commands)}, loop, errors);
}

// What the exit code of a script is to say.
class outcome {
 public:
  explicit outcome(const client_options& o)
      : counts_refusal_(o.is_script() && (!o.logon_name.empty() || !o.commands.empty())),
        counts_all_(!o.commands.empty()) {}

  void note(const messenger::event& e) {
    using namespace messenger;
    if (std::holds_alternative<shown::refused>(e) && counts_refusal_) code_ = program::name_refused;
    if (!counts_all_ || code_ != 0) return;
    const auto* reply = std::get_if<shown::reply>(&e);
    const auto* note = std::get_if<shown::note>(&e);
    if (note && note->is_mistake) code_ = program::usage;
    const auto* status = std::get_if<shown::status>(&e);
    if (status && !status->latest) code_ = program::run_time_failure;
    if (std::holds_alternative<shown::pang>(e) || std::holds_alternative<shown::exit>(e) ||
        (reply && reply->what != word::logged_on && reply->what != word::sent && reply->what != "logged_off" &&
         reply->what != word::kicked && reply->what != word::draining))
      code_ = program::run_time_failure;
  }
  void fails() { code_ = program::run_time_failure; }
  int code() const { return code_; }
  bool is_refused() const { return code_ == program::name_refused; }

 private:
  bool counts_refusal_, counts_all_;
  int code_ = 0;
};

std::unique_ptr<program::logging> make_log(const program::common_options& options, const client_options& own,
                                           messenger::console& console, program::output& errors) {
  if (own.is_script()) return std::make_unique<program::logging>(options.log_level, options.log_format, errors);
  return std::make_unique<program::logging>(options.log_level,
                                            [&console](const std::string& line) { console.log(line); });
}

// The node, the shell on it, and whoever sits in front of it, from the start of the program to its end.
class session {
 public:
  session(const program::common_options& options, const client_options& own)
      : own_(own),
        errors_(loop_, STDERR_FILENO),
        console_(make_console(own, loop_, errors_)),
        log_(make_log(options, own, *console_, errors_)),
        result_(own),
        program_(loop_, options, "start one (messenger-node --embedded-broker), or say where one is with -h and -p"),
        node_(program_.node()),
        kick_pending_(!own.kicks.empty()),
        logon_pending_(!own.logon_name.empty()),
        join_pending_(!own.room.empty()) {
    if (own.watches != client_options::watching::nothing)
      node_.spawn(messenger::watch_status, own.server, std::cref(screen_),
                  own.watches == client_options::watching::screen);
    if (own.load)
      node_.register_name(messenger::load_name, node_.spawn(messenger::measure_load, own.server, *own.load,
                                                            std::cref(screen_), [this](bool is_whole) {
                                                              if (!is_whole) result_.fails();
                                                              state_.done = true;
                                                            }));
    node_.register_name(messenger::shell_name, node_.spawn(messenger::shell, std::ref(state_)));
    if (own.give_up_seconds > 0)
      gives_up_ =
          started_ + std::chrono::duration_cast<nodelink::duration>(std::chrono::duration<double>(own.give_up_seconds));
    // A signal is a logoff too: what waits for a reply no longer does.
    program_.before_stop_by_signal = [this] { node_.stop_process(messenger::client_name, "normal"); };
    program_.is_signal_for_another = [this](int signal) { return is_for_another(signal); };
    loop_.on_window_change([this] { console_->window_changed(); });
  }

  // The exit code.
  int run() {
    const int code = program_.run([this] { return after_turn(); });
    // Whoever reads slowly is waited for; but no longer than this for whoever does not read.
    const bool is_read = console_->finish(program_.was_signalled() ? 1s : 10s);
    errors_.drain(1s);
    // Who is told to end has not asked for the rest.
    return code == 0 && !is_read && !program_.was_signalled() ? program::run_time_failure : code;
  }

 private:
  void show(const messenger::event& e) {
    using namespace messenger;
    console_->show(e);
    result_.note(e);
    const auto* reply = std::get_if<shown::reply>(&e);
    if (reply && reply->what == word::logged_on) is_on_ = true;
    if ((reply && reply->what == "logged_off") || std::holds_alternative<shown::refused>(e) ||
        std::holds_alternative<shown::exit>(e))
      is_on_ = false;
  }

  // After each turn of the node. When there is something to do though nothing comes.
  std::optional<nodelink::instant> after_turn() {
    if (console_->wants_more())
      loop_.watch(STDIN_FILENO, [this] { console_->read(); });
    else
      loop_.unwatch(STDIN_FILENO);
    if (state_.done || console_->is_broken() || result_.is_refused()) {
      program_.stop(console_->is_broken() ? program::run_time_failure : result_.code());
      return std::nullopt;
    }
    if (gives_up_ && steady_clock::now() >= *gives_up_) {
      give_up();
      return std::nullopt;
    }
    if (node_.is_up() && !std::exchange(was_up_, true) && !own_.is_script())
      show(messenger::shown::note{"This is node " + node_.name() + ". " +
                                  (own_.logon_name.empty() ? "/logon NAME, then /join; " : "") +
                                  "/help lists the commands."});
    const nodelink::instant waits_until = started_ + longest_wait_for_node;
    if (!was_up_ && steady_clock::now() < waits_until)
      return gives_up_ ? std::min(*gives_up_, waits_until) : waits_until;
    feed();
    return gives_up_;
  }

  // One command at a time: the next line is taken when the shell has done with the last.
  void feed() {
    if (!own_.reads_commands()) return;
    if (!state_.idle || console_->is_backed_up()) return;
    console_->update({node_.name(), state_.user_name, is_on_, state_.in.current});
    std::optional<nodelink::term> input;
    if (std::exchange(kick_pending_, false))
      input = messenger::kick_input(own_.kicks);
    else if (std::exchange(logon_pending_, false))
      input = messenger::logon_input(own_.logon_name);
    else if (is_on_ && std::exchange(join_pending_, false))
      input = messenger::line_input("/join " + own_.room);
    else if (const auto line = console_->next())
      input = messenger::line_input(*line);
    else if (console_->at_end())
      input = messenger::end_of_input();
    if (!input) return;
    state_.idle = false;
    node_.send_local(messenger::shell_name, *input);
  }

  // What a load has come to so far is not to be lost: the first signal ends it, the next one the program.
  bool is_for_another(int signal) {
    if (signal == SIGUSR1 || !node_.whereis(messenger::load_name) || std::exchange(is_load_stopped_, true))
      return signal == SIGINT && console_->interrupt();
    node_.send_local(messenger::load_name, messenger::load_stop());
    return true;
  }

  void give_up() {
    gives_up_.reset();
    spdlog::error("gave up after {} s: {}", own_.give_up_seconds,
                  node_.is_up() ? "not everything was answered" : "there is no connection to the broker");
    node_.stop_process(messenger::client_name, "normal");
    program_.stop(program::gave_up);
  }

  const client_options& own_;
  program::event_loop loop_;
  program::output errors_;
  std::unique_ptr<messenger::console> console_;
  std::unique_ptr<program::logging> log_;
  const messenger::screen screen_ = [this](const messenger::event& e) { show(e); };
  messenger::shell_state state_{.server_node = own_.server,
                                .out = screen_,
                                .rejoin = own_.rejoin,
                                .user_name = own_.logon_name,
                                .host = program::short_host_name()};
  outcome result_;
  bool is_on_ = false;
  program::node_program program_;
  nodelink::node& node_;
  bool is_load_stopped_ = false;
  bool kick_pending_, logon_pending_, join_pending_;
  bool was_up_ = false;
  const steady_clock::time_point started_ = steady_clock::now();
  std::optional<nodelink::instant> gives_up_;
};

void add_options(CLI::App& app, client_options& o) {
  const std::string group = "Messenger";
  app.add_option("--server", o.server, "Node of the messenger server [messenger@HOST]")
      ->type_name("NAME[@HOST]")
      ->envname("MESSENGER_SERVER_NODE")
      ->group(group);
  app.add_option("--logon", o.logon_name, "Log on under this name at the start")
      ->type_name("NAME")
      ->envname("MESSENGER_NICK")
      ->group(group);
  app.add_option("--join", o.room, "Go into this room when logged on for the first time")
      ->type_name("ROOM")
      ->group(group);
  app.add_flag("--rejoin", o.rejoin,
               "When the server or the connection to it is lost, log on again under the same name")
      ->group(group);
  app.add_option("-c,--command", o.commands, "Do this instead of reading standard input, and exit; may be repeated")
      ->type_name("COMMAND")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group(group);
  app.add_option("-W,--wait", o.give_up_seconds, "Give up after this time, with exit code 27")
      ->type_name("SECONDS")
      ->check(CLI::Validator(
          [](const std::string& text) {
            double seconds = 0;
            const bool is_time = CLI::detail::lexical_cast(text, seconds) && seconds > 0 && seconds <= 1e9;
            return is_time ? "" : "\"" + text.substr(0, 200) + "\" is no number of seconds above 0";
          },
          ""))
      ->group(group);
  app.add_flag("--json", o.json, "One JSON object a line for whatever happens")->group(group);
  app.add_option("--color", o.color, "Colours at a terminal: auto, always or never; auto heeds NO_COLOR")
      ->type_name("WHEN")
      ->check(CLI::IsMember({"auto", "always", "never"}).description(""))
      ->capture_default_str()
      ->group(group);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "A user's node: log on, join a room, send messages, read those of others. Commands are lines of input; see "
      "/help.",
      "messenger-client"};
  program::common_options options;
  options.node.name = "client-" + std::to_string(::getpid());
  client_options own;
  program::add_common_options(app, options, "client-PID@HOST", "warn");
  add_options(app, own);
  app.fallthrough();
  app.require_subcommand(0, 1);
  auto* nodes = app.add_subcommand("nodes", "List the nodes that are up, and exit");
  auto* ping = app.add_subcommand("ping", "Ask whether a node is there, and exit: 0 for pong, 1 for pang");
  std::string ping_node;
  ping->add_option("NODE", ping_node, "NAME or NAME@HOST")->required();
  auto* status = app.add_subcommand("status", "Show how the server is, and exit: 0, or 1 if it says nothing");
  bool is_to_watch = false;
  status->add_flag("--watch", is_to_watch, "Again whenever it says something new, every ten seconds");
  auto* top = app.add_subcommand("top", "The same as one screen that is drawn anew, with who logs on and off");
  auto* bench =
      app.add_subcommand("bench", "Put a load on server and broker, and say how they do: 0 if all was delivered");
  messenger::load_plan plan;
  bench->add_option("--users", plan.users, "How many log on, all from this node")
      ->type_name("NUMBER")
      ->check(program::number_between(1, 10'000))
      ->capture_default_str();
  bench->add_option("--seconds", plan.seconds, "How long they write to each other")
      ->type_name("SECONDS")
      ->check(program::number_between(1, 86'400))
      ->capture_default_str();
  bench->add_option("--rate", plan.rate, "Messages a second, of all together; a server takes 200 of one node")
      ->type_name("NUMBER")
      ->check(program::number_between(1, 100'000))
      ->capture_default_str();
  auto* admin = app.add_subcommand("admin", "What an operator's node may do: see --admin of messenger-node");
  admin->require_subcommand(1);
  auto* kick = admin->add_subcommand("kick", "Log a user off");
  std::string kicked;
  kick->add_option("USER", kicked, "The user's name")->required();
  auto* drain = admin->add_subcommand("drain", "Stop the server in order; a standby takes its place");
  for (auto* sub : {nodes, ping, status, top, bench, admin, kick, drain})
    sub->set_help_flag("--help", "Show this and exit");
  if (const auto code = program::parse(app, argc, argv, [&](program::configuration& from) {
        program::complete(app, from, options);
        own.server = program::node_name(own.server, "--server");
        from.is_in_force("--server", own.server);
        if (from.of("--logon") != program::origin::standard && !messenger::is_user_name(own.logon_name))
          throw program::usage_error{"the user name " + messenger::quoted(own.logon_name.substr(0, 200)) +
                                     " (--logon) " + messenger::user_name_rule};
        if (from.of("--join") != program::origin::standard && !nodelink::is_name(own.room))
          throw program::usage_error{"the room " + messenger::quoted(own.room.substr(0, 200)) + " (--join) " +
                                     nodelink::name_rule};
        for (const auto* sub : app.get_subcommands())
          for (const auto* option : {"--command", "--logon", "--join", "--rejoin"})
            if (from.of(option) == program::origin::command_line)
              throw program::usage_error{"\"" + sub->get_name() +
                                         "\" logs nobody on and reads no commands; leave out " + option};
        if (*nodes) own.commands = {"/nodes"};
        if (*ping) own.commands = {"/ping " + program::node_name(ping_node, "NODE")};
        if (*status) own.commands = {"/status"};
        if (*status && is_to_watch) own.commands.clear(), own.watches = client_options::watching::figures;
        if (*top)
          own.watches = ::isatty(STDOUT_FILENO) ? client_options::watching::screen : client_options::watching::figures;
        if (*kick) {
          if (!messenger::is_user_name(kicked))
            throw program::usage_error{"the user name " + messenger::quoted(kicked.substr(0, 200)) + " " +
                                       messenger::user_name_rule};
          own.kicks = kicked;
          own.commands = {"/quit"};
        }
        if (*bench) own.load = plan;
        if (*drain) own.commands = {"/drain"};
        if (app.get_subcommands().size() > 0) own.logon_name.clear(), own.room.clear();
      }))
    return *code;
  try {
    return session(options, own).run();
  } catch (const std::exception& e) {
    std::cerr << "messenger-client: " << e.what() << "\n";
    return program::run_time_failure;
  }
}
