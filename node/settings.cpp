#include "node/settings.hpp"

#include <filesystem>
#include <map>
#include <sstream>

#include <unistd.h>

#include "program/log_event.hpp"

namespace messenger {

std::optional<int> read_settings(int argc, char** argv, settings& own, std::ostream& errors) {
  CLI::App app{"The messenger server: keeps the list of users and passes their messages on.", "messenger-node"};
  auto& options = own.common;
  options.node.name = server_name;
  double delay_seconds = 1;
  program::add_common_options(app, options, "messenger@HOST", "info");
  app.add_flag("--embedded-broker", own.embedded,
               "Start a private Mosquitto on 127.0.0.1, at --port or a free one, and use it")
      ->group("MQTT");
  program::add_duration_option(app, "--idle-timeout", own.server.idle_timeout,
                               "Log off who has done nothing for this long, like 90s, 10m, 8h [never]")
      ->group("Messenger");
  app.add_flag("--replace", own.is_replacing, "Take the name from whoever runs under it, instead of ending with code 6")
      ->group("Messenger");
  app.add_flag("--standby", own.is_standby,
               "Wait as node --name, and be the server's node whenever there is none; several may")
      ->group("Messenger");
  app.add_option("--server", own.standby.server_node, "The server's node, for --standby [messenger@HOST]")
      ->type_name("NAME[@HOST]")
      ->envname("MESSENGER_SERVER_NODE")
      ->group("Messenger");
  app.add_option("--standby-delay", delay_seconds,
                 "How long there has to be none, 0 to 3600; who has less is preferred")
      ->type_name("SECONDS")
      ->check(program::number_between(0, 3600))
      ->capture_default_str()
      ->group("Messenger");
  const std::string operation = "Operation";
  std::string metrics;
  app.add_option("--metrics", metrics, "Serve /metrics, /healthz and /livez there; PORT alone is on loopback")
      ->type_name("[HOST:]PORT")
      ->group(operation);
  app.add_option("--admin", own.admins, "A node that may kick users and drain this server; may be repeated")
      ->type_name("NAME@HOST")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group(operation);
  app.add_option("--names", own.names, "Which node may log on which user, NODE NAME a line [FOLDER/names, or else any]")
      ->type_name("FILE")
      ->group("Messenger");
  const auto add_limit = [&](const char* name, auto& value, const char* description) {
    app.add_option(name, value, std::string(description) + "; 0 for no bound")
        ->type_name("NUMBER")
        ->check(program::number_between(0, 1e9))
        ->capture_default_str()
        ->group("Limits");
  };
  auto& at_most = own.server.at_most;
  add_limit("--max-users", at_most.users, "Users who may be logged on");
  add_limit("--max-rooms", at_most.rooms, "Rooms that somebody may be in");
  add_limit("--max-users-per-node", at_most.users_of_node, "The same from one node");
  add_limit("--max-rooms-per-node", at_most.memberships_of_node, "Rooms that users of one node may be in, added up");
  add_limit("--max-requests-per-node", at_most.requests_of_node, "Requests of one node a second");
  add_limit("--max-list-bytes-per-node", at_most.reply_bytes_of_node, "Bytes of lists for one node a second");
  return program::parse(
      app, argc, argv,
      [&](program::configuration& from) {
        using program::origin;
        if (own.is_standby && from.of("--name") == origin::standard)
          options.node.name = "standby-" + std::to_string(::getpid());
        program::complete(app, from, options);
        from.needs("--standby-delay", "--standby");
        own.standby.server_node = program::node_name(own.standby.server_node, "--server");
        if (!own.is_standby && from.of("--server") == origin::command_line &&
            own.standby.server_node != options.node.name)
          throw program::usage_error{"--server says for whom a --standby waits; the name of this node is --name"};
        from.is_in_force("--server", own.standby.server_node);
        for (const auto* option : {"--host", "--url"})
          if (own.embedded && from.of(option) == origin::command_line)
            throw program::usage_error{std::string("--embedded-broker is on 127.0.0.1; leave out ") + option};
        own.is_port_given = from.of("--port") == origin::command_line;
        if (own.is_standby && own.is_replacing)
          throw program::usage_error{"a --standby waits until nobody has the name; leave out --replace"};
        if (own.is_standby && own.embedded)
          throw program::usage_error{
              "a broker that dies with its server has no use for a --standby; start Mosquitto "
              "by itself and leave out --embedded-broker"};
        if (own.is_standby && options.node.name == own.standby.server_node)
          throw program::usage_error{
              "a standby waits under a name of its own (--name), which is not that of the "
              "server (--server)"};
        if (!metrics.empty() && !(own.metrics = http_address::read(metrics)))
          throw program::usage_error{"the address for metrics \"" + metrics +
                                     "\" (--metrics) is to be PORT, HOST:PORT or [IPV6]:PORT"};
        for (const auto& admin : own.admins) own.server.admins.insert(program::node_name(admin, "--admin"));
        own.standby.delay =
            std::chrono::duration_cast<nodelink::duration>(std::chrono::duration<double>(delay_seconds));
        own.standby.net_ticktime = options.node.net_ticktime;
        if (own.is_standby) own.broker_as_server = program::broker_as(own.standby.server_node, options);
        const auto provisioned = options.credentials + "/names";
        if (own.names.empty() && !options.credentials.empty() && std::filesystem::exists(provisioned))
          own.names = provisioned;
        from.is_in_force("--names", own.names);
        if (!own.names.empty()) {
          own.bound = std::make_shared<name_list>(own.names);
          own.server.may_have_name = [list = own.bound](auto& name, auto& node) { return list->may_have(name, node); };
        }
        std::ostringstream in_force;
        from.print(in_force);
        own.in_force = in_force.str();
      },
      errors);
}

// By the option's name.
static std::map<std::string, std::string> lines_of(const std::string& in_force) {
  std::map<std::string, std::string> all;
  std::istringstream text(in_force);
  for (std::string line; std::getline(text, line);) all[line.substr(0, line.find(' '))] = line;
  return all;
}

void reload_settings(int argc, char** argv, const settings& before) {
  settings now;
  now.common.may_ask = false;
  std::ostringstream errors;
  if (read_settings(argc, argv, now, errors)) {
    const auto text = errors.str();
    program::log(spdlog::level::err, "reload_failed", {}, "SIGHUP: nothing was changed: {}",
                 text.substr(0, text.find('\n')));
    return;
  }
  const auto old = lines_of(before.in_force);
  std::string too_late;
  for (const auto& [name, line] : lines_of(now.in_force)) {
    const auto found = old.find(name);
    if (name == "log-level" || name == "debug" || name == "#" || (found != old.end() && found->second == line))
      continue;
    too_late += (too_late.empty() ? "" : ", ") + name;
  }
  spdlog::set_level(spdlog::level::from_str(now.common.log_level));
  program::log(spdlog::level::info, "reloaded", {{"log_level", now.common.log_level}, {"needs_restart", too_late}},
               "SIGHUP: the log level is {}; the password file and the certificates are read at each connection{}",
               now.common.log_level, too_late.empty() ? "" : "; not before the next start: " + too_late);
}

}  // namespace messenger
