// messenger-client: a user's node. It stays while mess_client processes come and go, as the Erlang shell does.
#include <csignal>
#include <cstdlib>
#include <iostream>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "client/console.hpp"
#include "client/mess_client.hpp"
#include "client/printable.hpp"
#include "client/shell.hpp"
#include "program/logging.hpp"
#include "program/node_program.hpp"
#include "program/output.hpp"
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
  bool rejoin = false;
  bool json = false;
  std::string color = "auto";
  std::vector<std::string> commands;
  double give_up_seconds = 0;

  bool is_script() const { return !commands.empty() || json || !messenger::is_at_terminal(); }
  bool has_colours() const {
    const char* no_color = std::getenv("NO_COLOR");
    return color == "always" || (color == "auto" && (!no_color || !*no_color));
  }
};

std::unique_ptr<messenger::console> make_console(const client_options& o, program::event_loop& loop,
                                                 program::output& errors) {
  if (!o.is_script()) return messenger::make_terminal_console({o.has_colours()}, loop);
  return messenger::make_script_console({o.json, o.commands.empty() ? std::nullopt : std::optional(o.commands)}, loop,
                                        errors);
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
    if (std::holds_alternative<shown::pang>(e) || std::holds_alternative<shown::exit>(e) ||
        (reply && reply->what != word::logged_on && reply->what != word::sent && reply->what != "logged_off"))
      code_ = program::run_time_failure;
  }
  int code() const { return code_; }
  bool is_refused() const { return code_ == program::name_refused; }

 private:
  bool counts_refusal_, counts_all_;
  int code_ = 0;
};

int run(const program::common_options& options, const client_options& own) {
  program::event_loop loop;
  program::output errors(loop, STDERR_FILENO);
  const auto console = make_console(own, loop, errors);
  const auto log = own.is_script()
                       ? std::make_unique<program::logging>(options.log_level, errors)
                       : std::make_unique<program::logging>(
                             options.log_level, [&console](const std::string& line) { console->log(line); });
  program::node_program program(loop, options,
                                "start one (messenger-node --embedded-broker), or say where one is with -h and -p");
  nodelink::node& node = program.node();

  outcome result(own);
  bool is_on = false;
  const messenger::screen out([&](const messenger::event& e) {
    console->show(e);
    result.note(e);
    const auto* reply = std::get_if<messenger::shown::reply>(&e);
    if (reply && reply->what == messenger::word::logged_on) is_on = true;
    if ((reply && reply->what == "logged_off") || std::holds_alternative<messenger::shown::refused>(e) ||
        std::holds_alternative<messenger::shown::exit>(e))
      is_on = false;
  });
  messenger::shell_state state{.server_node = own.server,
                               .out = out,
                               .rejoin = own.rejoin,
                               .user_name = own.logon_name,
                               .host = program::short_host_name()};
  node.register_name(messenger::shell_name, node.spawn(messenger::shell, std::ref(state)));
  bool logon_pending = !own.logon_name.empty();
  bool join_pending = !own.room.empty();
  bool was_up = false;
  const auto started = steady_clock::now();
  std::optional<nodelink::instant> gives_up;
  if (own.give_up_seconds > 0)
    gives_up =
        started + std::chrono::duration_cast<nodelink::duration>(std::chrono::duration<double>(own.give_up_seconds));

  // One command at a time: the next line is taken when the shell has done with the last.
  const auto feed = [&] {
    if (!state.idle || console->is_backed_up()) return;
    console->update({node.name(), state.user_name, is_on, state.in.current});
    std::optional<nodelink::term> input;
    if (std::exchange(logon_pending, false))
      input = messenger::logon_input(own.logon_name);
    else if (is_on && std::exchange(join_pending, false))
      input = messenger::line_input("/join " + own.room);
    else if (const auto line = console->next())
      input = messenger::line_input(*line);
    else if (console->at_end())
      input = messenger::end_of_input();
    if (!input) return;
    state.idle = false;
    node.send_local(messenger::shell_name, *input);
  };

  // A signal is a logoff too: what waits for a reply no longer does.
  program.before_stop_by_signal = [&node] { node.stop_process(messenger::client_name, "normal"); };
  program.is_signal_for_another = [&console](int signal) { return signal == SIGINT && console->interrupt(); };
  loop.on_window_change([&console] { console->window_changed(); });
  const int code = program.run([&]() -> std::optional<nodelink::instant> {
    if (console->wants_more())
      loop.watch(STDIN_FILENO, [&console] { console->read(); });
    else
      loop.unwatch(STDIN_FILENO);
    if (state.done || console->is_broken() || result.is_refused()) {
      program.stop(console->is_broken() ? program::run_time_failure : result.code());
      return std::nullopt;
    }
    if (gives_up && steady_clock::now() >= *gives_up) {
      gives_up.reset();
      spdlog::error("gave up after {} s: {}", own.give_up_seconds,
                    node.is_up() ? "not everything was answered" : "there is no connection to the broker");
      node.stop_process(messenger::client_name, "normal");
      program.stop(program::gave_up);
      return std::nullopt;
    }
    if (node.is_up() && !std::exchange(was_up, true) && !own.is_script())
      out(messenger::shown::note{"This is node " + node.name() + ". " +
                                 (own.logon_name.empty() ? "/logon NAME, then /join; " : "") +
                                 "/help lists the commands."});
    std::optional<nodelink::instant> next = gives_up;
    if (!was_up && steady_clock::now() < started + longest_wait_for_node)
      next =
          next ? std::min<nodelink::instant>(*next, started + longest_wait_for_node) : started + longest_wait_for_node;
    else
      feed();
    return next;
  });
  // Whoever reads slowly is waited for; but no longer than this for whoever does not read.
  const bool is_read = console->finish(program.was_signalled() ? 1s : 10s);
  errors.drain(1s);
  // Who is told to end has not asked for the rest.
  return code == 0 && !is_read && !program.was_signalled() ? program::run_time_failure : code;
}

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
  for (auto* sub : {nodes, ping}) sub->set_help_flag("--help", "Show this and exit");
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
        if (*nodes) own.commands = {"/nodes"};
        if (*ping) own.commands = {"/ping " + program::node_name(ping_node, "NODE")};
        if (*nodes || *ping) own.logon_name.clear(), own.room.clear();
      }))
    return *code;
  try {
    return run(options, own);
  } catch (const std::exception& e) {
    std::cerr << "messenger-client: " << e.what() << "\n";
    return program::run_time_failure;
  }
}
