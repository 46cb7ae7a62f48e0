#include "program/options.hpp"

#include "program/broker_url.hpp"

#include <array>
#include <fstream>
#include <iostream>

#include <spdlog/spdlog.h>
#include <unistd.h>

namespace program {
namespace {

const std::map<std::string, bool> mqtt_versions{
    {"mqttv5", true}, {"5", true}, {"mqttv311", false}, {"311", false}, {"3.1.1", false}};

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line))
    throw usage_error{"the password file " + path +
                      " cannot be read, or is empty; its first line is to be the password"};
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace

void add_common_options(CLI::App& app, common_options& o, const std::string& name_default,
                        const std::string& log_level_default) {
  app.set_help_flag("--help", "Show this and exit");
  app.set_version_flag("--version", std::string(app.get_name()) + " " MESSENGER_VERSION, "Show the version and exit");
  app.get_formatter()->column_width(34);
  app.get_formatter()->label("TEXT", "");

  app.add_option("--name", o.node.name,
                 "Name of this node; @HOST defaults to the short host name [" + name_default + "]")
      ->type_name("NAME[@HOST]")
      ->group("Node");
  app.add_option("--cookie", o.node.cookie, "Which nodes belong together; a name space, no secret")
      ->type_name("NAME")
      ->default_val("messenger")
      ->group("Node");
  app.add_option_function<int>(
         "--net-ticktime", [&o](int s) { o.node.net_ticktime = std::chrono::seconds(s); },
         "Seconds in which each link is asked after; 1.25 times this in silence is down")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 86'400))
      ->default_str("60")
      ->group("Node");

  app.add_option("-h,--host", o.broker.host, "Host of the MQTT broker")
      ->type_name("HOST")
      ->envname("MQTT_HOST")
      ->capture_default_str()
      ->group("MQTT");
  app.add_option("-p,--port", o.broker.port, "Port of the MQTT broker")
      ->type_name("PORT")
      ->envname("MQTT_PORT")
      ->check(CLI::Range(1, 65'535))
      ->capture_default_str()
      ->group("MQTT");
  app.add_option("-L,--url", "The broker in one: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT], or ws[s]://...")
      ->type_name("URL")
      ->group("MQTT");
  app.add_option("-u,--username", o.broker.username, "User name for the broker")
      ->type_name("NAME")
      ->envname("MQTT_USERNAME")
      ->group("MQTT");
  app.add_option("-P,--password", o.broker.password, "Password for the broker; others on this machine can see it")
      ->type_name("PASSWORD")
      ->envname("MQTT_PASSWORD")
      ->group("MQTT");
  app.add_option("--password-file", "File whose first line is the password")->type_name("FILE")->group("MQTT");
  app.add_option("-k,--keepalive", o.broker.keepalive_seconds,
                 "MQTT keepalive: a silent death is noticed within 1.5 times this")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 65'535))
      ->capture_default_str()
      ->group("MQTT");
  app.add_option("-q,--qos", o.node.message_qos,
                 "QoS of messages; 0 is quicker, and an overloaded broker drops them without a word")
      ->type_name("QOS")
      ->check(CLI::IsMember({0, 1}).description(""))
      ->capture_default_str()
      ->group("MQTT");
  app.add_option_function<std::string>(
         "-V,--mqtt-version", [&o](const std::string& v) { o.broker.mqtt_5 = mqtt_versions.at(v); },
         "mqttv5 or mqttv311")
      ->type_name("VERSION")
      ->check(CLI::IsMember({"mqttv5", "5", "mqttv311", "311", "3.1.1"}).description(""))
      ->default_str("mqttv5")
      ->group("MQTT");

  app.add_option("--log-level", o.log_level, "debug, info, warn, error or off; logs go to standard error")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}).description(""))
      ->default_val(log_level_default)
      ->group("Logs");
  app.add_flag("-d,--debug")->description("The same as --log-level debug")->group("Logs");
}

CLI::Option* add_duration_option(CLI::App& app, const std::string& name, runtime::duration& value,
                                 const std::string& description) {
  const auto read = [name, &value](const std::string& text) {
    using std::chrono::seconds;
    const std::map<std::string_view, int> units{{"", 1}, {"s", 1}, {"m", 60}, {"h", 3'600}, {"d", 86'400}};
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto unit = units.find(std::string_view(text).substr(digits));
    const long long number = digits > 0 && digits <= 9 ? std::stoll(text.substr(0, digits)) : 0;
    const auto time = seconds(unit == units.end() ? 0 : number * unit->second);
    if (time < seconds(1) || time > seconds(365 * 86'400))
      throw CLI::ValidationError(
          name, "\"" + text.substr(0, 200) + "\" is no length of time; write like 90s, 10m, 8h or 2d, from 1s to 365d");
    value = time;
  };
  return app.add_option_function<std::string>(name, read, description)->type_name("TIME");
}

std::string short_host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  const std::string full = name.data();
  return full.substr(0, full.find('.'));
}

std::string node_name(const std::string& name, const std::string& option) {
  const bool whole = name.find('@') != std::string::npos;
  std::string full = whole ? name : name + "@" + short_host_name();
  if (!runtime::is_node_name(full))
    throw usage_error{"the node name \"" + full.substr(0, 200) + "\" (" + option + ") " + runtime::node_name_rule};
  return full;
}

// Of two options that say the same the one that comes from nearer counts. True if it is the first.
static bool is_first(const configuration& from, const std::string& one, const std::string& other) {
  const auto a = from.of(one), b = from.of(other);
  if (a == b && a != origin::standard) throw usage_error{one + " and " + other + " exclude each other"};
  return a > b;
}

// What the URL says of the broker counts unless the option that says it alone comes from nearer.
static void complete_by_url(CLI::App& app, configuration& from, common_options& o) {
  if (from.of("--url") == origin::standard) return;
  const auto alone = o.broker;
  const auto said = read_broker_url(app["--url"]->as<std::string>(), o.broker);
  if (!is_first(from, "--url", "--host")) o.broker.host = alone.host;
  if (!is_first(from, "--url", "--port")) o.broker.port = alone.port;
  if (said.username && !is_first(from, "--url", "--username")) o.broker.username = alone.username;
  if (said.password && !is_first(from, "--url", "--password")) o.broker.password = alone.password;
  if (said.password && from.of("--password-file") != origin::standard && is_first(from, "--url", "--password-file"))
    o.password_is_of_url = true;
  from.is_in_force("--host", o.broker.host);
  from.is_in_force("--port", std::to_string(o.broker.port));
  from.is_in_force("--username", o.broker.username);
}

void complete(CLI::App& app, configuration& from, common_options& o) {
  o.node.name = node_name(o.node.name, "--name");
  from.is_in_force("--name", o.node.name);
  if (!runtime::is_name(o.node.cookie))
    throw usage_error{"the cookie \"" + o.node.cookie.substr(0, 200) + "\" (--cookie) " + runtime::name_rule};
  if (o.broker.host.empty()) throw usage_error{"the host of the broker (-h, MQTT_HOST) is empty"};
  complete_by_url(app, from, o);
  for (const auto* option : {"--host", "--port", "--url"})
    if (from.of(option) != origin::standard) o.broker_configured = true;
  if (!o.password_is_of_url && from.of("--password-file") != origin::standard &&
      !is_first(from, "--password", "--password-file"))
    o.broker.password = first_line_of(app["--password-file"]->as<std::string>());
  if (!o.broker.password.empty() && o.broker.username.empty())
    throw usage_error{"a password without a user name; give one with -u or MQTT_USERNAME"};
  if (app.count("--debug") > 0 && from.of("--debug") >= from.of("--log-level")) o.log_level = "debug";
  from.is_in_force("--log-level", o.log_level);
}

std::optional<int> parse(CLI::App& app, int argc, char** argv, const std::function<void(configuration&)>& check) {
  configuration from(app);
  try {
    app.parse(argc, argv);
    from.read_environment();
    from.read_file();
    check(from);
    if (!from.is_check_only()) return std::nullopt;
    from.print(std::cout);
    return 0;
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    std::cerr << app.get_name() << ": " << e.what() << "\n";
  } catch (const usage_error& e) {
    std::cerr << app.get_name() << ": " << e.sentence << "\n";
  }
  std::cerr << "Run '" << app.get_name() << " --help' for the options.\n";
  return exit_code::usage;
}

}  // namespace program
