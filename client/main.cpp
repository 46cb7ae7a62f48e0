// messenger-client: a user's node. It stays while mess_client processes come and go, as the Erlang shell does.
#include <cstdio>
#include <iostream>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "client/line_reader.hpp"
#include "client/mess_client.hpp"
#include "client/shell.hpp"
#include "program/node_program.hpp"
#include "protocol/messages.hpp"
#include "protocol/user_name.hpp"

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// Commands that come before the node was ever up wait for it this long; then they get the reply that
// Erlang gives: none.
constexpr auto longest_wait_for_node = 5s;

// False when nobody reads any more.
bool write_line(std::string_view line) {
  const std::string text = std::string(line) + "\n";
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

void tell(std::string_view sentence) {
  const std::string text = std::string(sentence) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

int run(const program::common_options& options, const std::string& server_node, const std::string& logon_name,
        bool rejoin) {
  program::set_up_logging(options.log_level);
  program::event_loop loop;
  program::node_program program(loop, options,
                                "start one (messenger-node --embedded-broker), or say where one is with -h and -p");
  runtime::node& node = program.node();

  bool is_read = true;
  const messenger::screen out([&is_read](std::string_view line) {
    if (is_read && !(is_read = write_line(line))) spdlog::error("nobody reads standard output any more; stopping");
  });
  messenger::shell_state state{.server_node = server_node, .out = out, .tell = tell, .rejoin = rejoin};
  node.register_name(messenger::shell_name, node.spawn(messenger::shell, std::ref(state)));
  messenger::line_reader input(STDIN_FILENO);
  bool logon_pending = !logon_name.empty();
  bool was_up = false;
  const auto started = steady_clock::now();

  // One command at a time: the next line is taken when the shell has done with the last.
  const auto feed = [&] {
    if (!state.idle) return;
    if (std::exchange(logon_pending, false)) {
      state.idle = false;
      return node.send_local(messenger::shell_name, messenger::logon_input(logon_name));
    }
    auto line = input.next();
    for (; line && line->too_long; line = input.next()) tell("a line longer than 65536 bytes was left out");
    if (!line && !input.at_end()) return;
    state.idle = false;
    node.send_local(messenger::shell_name, line ? messenger::line_input(line->text) : messenger::end_of_input());
  };

  // A signal is a logoff too: what waits for a reply no longer does.
  program.before_stop_by_signal = [&node] { node.stop_process(messenger::client_name, "normal"); };
  return program.run([&]() -> std::optional<runtime::instant> {
    if (input.wants_more())
      loop.watch(STDIN_FILENO, [&input] { input.fill(); });
    else
      loop.unwatch(STDIN_FILENO);
    if (state.done || !is_read) {
      program.stop(is_read ? 0 : program::run_time_failure);
      return std::nullopt;
    }
    if (node.is_up() && !std::exchange(was_up, true) && ::isatty(STDIN_FILENO))
      tell("This is node " + node.name() + ". /help lists the commands.");
    if (!was_up && steady_clock::now() < started + longest_wait_for_node) return started + longest_wait_for_node;
    feed();
    return std::nullopt;
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "A user's node: log on, send messages, read what others send. Commands are lines on standard input; /help lists "
      "them.",
      "messenger-client"};
  program::common_options options;
  options.node.name = "client-" + std::to_string(::getpid());
  std::string server = messenger::server_name;
  std::string logon_name;
  program::add_common_options(app, options, "client-PID@HOST", "warn");
  app.add_option("--server", server, "Node of the messenger server [messenger@HOST]")
      ->type_name("NAME[@HOST]")
      ->envname("MESSENGER_SERVER_NODE")
      ->group("Messenger");
  app.add_option("--logon", logon_name, "Log on under this name at the start")->type_name("NAME")->group("Messenger");
  bool rejoin = false;
  app.add_flag("--rejoin", rejoin, "When the server or the connection to it is lost, log on again under the same name")
      ->group("Messenger");
  if (const auto code = program::parse(app, argc, argv, [&] {
        program::complete(app, options);
        server = program::node_name(server, "--server");
        if (app.count("--logon") && !messenger::is_user_name(logon_name))
          throw program::usage_error{"the user name " + messenger::quoted(logon_name.substr(0, 200)) + " (--logon) " +
                                     messenger::user_name_rule};
      }))
    return *code;
  try {
    return run(options, server, logon_name, rejoin);
  } catch (const std::exception& e) {
    std::cerr << "messenger-client: " << e.what() << "\n";
    return program::run_time_failure;
  }
}
