#include "program/options.hpp"

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <nodelink/paho/broker_url.hpp>

#include "program/nearest.hpp"

namespace program {
namespace {

const std::map<std::string, bool> mqtt_versions{
    {"mqttv5", true}, {"5", true}, {"mqttv311", false}, {"311", false}, {"3.1.1", false}};

const std::map<std::string, bool> tls_versions{{"tlsv1.2", false}, {"tlsv1.3", true}};

std::string password_in(const std::string& path) {
  struct stat status {};
  std::ifstream file(path);
  std::string line;
  if (!file || ::stat(path.c_str(), &status) != 0 || !std::getline(file, line))
    throw usage_error{"the password file " + path +
                      " cannot be read, or is empty; its first line is to be the password"};
  if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0)
    throw usage_error{"everybody on this machine can read or change the password file " + path + "; chmod 600 it"};
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

termios shown{};  // the terminal, as it was

std::string ask_for_password(const nodelink::paho::broker_settings& broker) {
  ::tcgetattr(STDIN_FILENO, &shown);
  const auto before = std::signal(SIGINT, [](int) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &shown);
    ::_exit(exit_code::interrupted);
  });
  termios hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  std::cerr << "Password of " << broker.username << " at " << nodelink::paho::address(broker) << " (empty for none): ";
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  std::string line;
  std::getline(std::cin, line);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &shown);
  std::signal(SIGINT, before);
  std::cerr << "\n";
  return line;
}

}  // namespace

const char* version() { return MESSENGER_VERSION; }

void add_common_options(CLI::App& app, common_options& o, const std::string& name_default,
                        const std::string& log_level_default) {
  app.set_help_flag("--help", "Show this and exit");
  app.set_version_flag("--version",
                       std::string(app.get_name()) +
                           " " MESSENGER_VERSION
                           "\nLicense Apache-2.0. There is no warranty, to the extent permitted by law.",
                       "Show the version and exit");
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
  app.add_option("--password-file", "File whose first line is the password; not for everybody to read")
      ->type_name("FILE")
      ->group("MQTT");
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
         "-V,--mqtt-version",
         [&o](const std::string& v) {
           o.broker.mqtt_5 = mqtt_versions.at(v);
           o.broker.is_version_fixed = true;
         },
         "mqttv5 or mqttv311, and no other; unless set, the other is tried too")
      ->type_name("VERSION")
      ->check(CLI::IsMember({"mqttv5", "5", "mqttv311", "311", "3.1.1"}).description(""))
      ->default_str("mqttv5")
      ->group("MQTT");

  app.add_option("--credentials", o.credentials,
                 "Folder with ca.crt, and NODE.password, or NODE.crt and NODE.key, of this node")
      ->type_name("FOLDER")
      ->group("TLS");
  app.add_option("--cafile", o.broker.tls.ca_file,
                 "Certificates of the authorities to trust, in PEM; turns TLS on [those of this machine]")
      ->type_name("FILE")
      ->group("TLS");
  app.add_option("--capath", o.broker.tls.ca_folder, "The same as a folder, as openssl rehash makes it")
      ->type_name("FOLDER")
      ->group("TLS");
  app.add_option("--cert", o.broker.tls.certificate, "Certificate of this node, for a broker that asks for one")
      ->type_name("FILE")
      ->group("TLS");
  app.add_option("--key", o.broker.tls.key, "Its key")->type_name("FILE")->group("TLS");
  app.add_option_function<std::string>(
         "--tls-version", [&o](const std::string& v) { o.broker.tls.is_1_3_needed = tls_versions.at(v); },
         "The lowest that will do: tlsv1.2 or tlsv1.3")
      ->type_name("VERSION")
      ->check(CLI::IsMember({"tlsv1.2", "tlsv1.3"}).description(""))
      ->default_str("tlsv1.2")
      ->group("TLS");
  app.add_flag("--insecure", o.broker.tls.is_insecure,
               "Take any certificate: whoever is in between can read and change everything. For tests")
      ->group("TLS");

  app.add_option("--log-level", o.log_level, "debug, info, warn, error or off; logs go to standard error")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}).description(""))
      ->default_val(log_level_default)
      ->group("Logs");
  app.add_option("--log-format", o.log_format, "text for people, or json for machines: one object a line")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->default_val("text")
      ->group("Logs");
  app.add_flag("-d,--debug")->description("The same as --log-level debug")->group("Logs");
}

CLI::Validator number_between(double least, double most) {
  return {[=](const std::string& text) -> std::string {
            double number = 0;
            if (CLI::detail::lexical_cast(text, number) && number >= least && number <= most) return "";
            return "\"" + text.substr(0, 200) + "\" is no number from " + CLI::detail::to_string(least) + " to " +
                   CLI::detail::to_string(most);
          },
          ""};
}

CLI::Option* add_duration_option(CLI::App& app, const std::string& name, nodelink::duration& value,
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
  if (!nodelink::is_node_name(full))
    throw usage_error{"the node name \"" + full.substr(0, 200) + "\" (" + option + ") " + nodelink::node_name_rule};
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
  nodelink::paho::said_by_url said;
  try {
    said = nodelink::paho::read_broker_url(app["--url"]->as<std::string>(), o.broker);
  } catch (const nodelink::paho::bad_broker_url& e) {
    throw usage_error{"the broker's URL (--url) " + e.fault};
  }
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

// Takes from the folder of credentials, if there is one, what is there for this node: `NODE.password` with the node's
// name as the user name, `NODE.crt` and `NODE.key`; and `ca.crt`. What was said before stays.
static void add_credentials(const std::string& folder, const std::string& node,
                            nodelink::paho::broker_settings& broker) {
  if (folder.empty()) return;
  const auto there = [&](const std::string& name) {
    auto path = folder + "/" + name;
    std::error_code ignored;
    return std::filesystem::exists(path, ignored) ? path : "";
  };
  auto& tls = broker.tls;
  if (tls.ca_file.empty() && tls.ca_folder.empty()) tls.ca_file = there("ca.crt");
  const auto password = there(node + ".password"), certificate = there(node + ".crt");
  if (password.empty() && certificate.empty())
    throw usage_error{"the folder of credentials " + folder + " has neither " + node + ".password nor " + node +
                      ".crt, or cannot be read; make them with broker/provision, or choose another node name"};
  if (!password.empty() && broker.password.empty()) {
    broker.password = password_in(password);
    broker.password_file = password;
    if (broker.username.empty()) broker.username = node;
  }
  if (!certificate.empty() && tls.certificate.empty()) {
    tls.certificate = certificate;
    if (tls.key.empty()) tls.key = folder + "/" + node + ".key";
  }
}

static void check_tls(const nodelink::paho::tls_settings& tls) {
  if (tls.certificate.empty() != tls.key.empty())
    throw usage_error{"a certificate (--cert) and its key (--key) go together"};
  if (!tls.on) return;
  if (const auto problem = nodelink::paho::problem_with(tls))
    throw usage_error{*problem + "; see --cafile, --capath, --cert and --key"};
}

// What is said of TLS turns it on, and credentials go nowhere without it; a URL that says the opposite is a mistake,
// and no reason to go without.
static void complete_tls(configuration& from, common_options& o) {
  auto& tls = o.broker.tls;
  const bool is_asked_for = !o.credentials.empty() || !tls.ca_file.empty() || !tls.ca_folder.empty() ||
                            !tls.certificate.empty() || tls.is_1_3_needed || tls.is_insecure;
  if (is_asked_for && !tls.on && from.of("--url") != origin::standard)
    throw usage_error{
        "the broker's URL (--url) is one without TLS, and other options ask for TLS; write mqtts:// or "
        "wss://, or leave those out"};
  if (is_asked_for && !tls.on && from.of("--port") == origin::standard) o.broker.port = 8883;
  tls.on |= is_asked_for;
  from.is_in_force("--port", std::to_string(o.broker.port));
  o.broker_of_anybody = o.broker;
  add_credentials(o.credentials, o.node.name, o.broker);
  if (!o.credentials.empty()) {
    from.is_in_force("--username", o.broker.username);
    from.is_in_force("--cafile", tls.ca_file);
    from.is_in_force("--cert", tls.certificate);
    from.is_in_force("--key", tls.key);
  }
  check_tls(tls);
}

nodelink::paho::broker_settings broker_as(const std::string& node, const common_options& options) {
  if (options.credentials.empty()) return options.broker;
  auto broker = options.broker_of_anybody;
  add_credentials(options.credentials, node, broker);
  check_tls(broker.tls);
  return broker;
}

void complete(CLI::App& app, configuration& from, common_options& o) {
  o.node.name = node_name(o.node.name, "--name");
  from.is_in_force("--name", o.node.name);
  if (!nodelink::is_name(o.node.cookie))
    throw usage_error{"the cookie \"" + o.node.cookie.substr(0, 200) + "\" (--cookie) " + nodelink::name_rule};
  if (o.broker.host.empty()) throw usage_error{"the host of the broker (-h, MQTT_HOST) is empty"};
  complete_by_url(app, from, o);
  for (const auto* option : {"--host", "--port", "--url"})
    if (from.of(option) != origin::standard) o.broker_configured = true;
  if (!o.password_is_of_url && from.of("--password-file") != origin::standard &&
      !is_first(from, "--password", "--password-file")) {
    o.broker.password_file = app["--password-file"]->as<std::string>();
    o.broker.password = password_in(o.broker.password_file);
  }
  complete_tls(from, o);
  if (!o.broker.password.empty() && o.broker.username.empty())
    throw usage_error{"a password without a user name; give one with -u or MQTT_USERNAME"};
  if (app.count("--debug") > 0 && from.of("--debug") >= from.of("--log-level")) o.log_level = "debug";
  from.is_in_force("--log-level", o.log_level);
  if (!o.broker.username.empty() && o.broker.password.empty() && o.may_ask && !from.is_check_only() &&
      o.broker.tls.certificate.empty() && ::isatty(STDIN_FILENO) && ::isatty(STDERR_FILENO))
    o.broker.password = o.broker_of_anybody.password = ask_for_password(o.broker);
}

// What is no option and no command: each with what it is like.
static std::string unknown_words(const CLI::App& app) {
  std::vector<std::string> known;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames()) known.push_back("--" + name);
  for (const auto* command : app.get_subcommands({})) known.push_back(command->get_name());
  const auto words = app.remaining();
  const auto is_option = [](const std::string& word) { return word.starts_with('-'); };
  const bool has_option = std::any_of(words.begin(), words.end(), is_option);
  std::string sentence;
  for (const auto& word : words) {
    if (has_option && !is_option(word)) continue;  // most likely its value
    const auto name = word.substr(0, word.find('='));
    const auto meant = nearest(name, known);
    if (meant == name) return "one command at a time: " + name + " is another";
    sentence += (sentence.empty() ? "" : "; ") + std::string("there is no ") +
                (is_option(word) ? "option " : "command ") + name.substr(0, 200) +
                (meant.empty() ? "" : "; did you mean " + meant + "?");
  }
  return sentence;
}

std::optional<int> parse(CLI::App& app, int argc, char** argv, const std::function<void(configuration&)>& check,
                         std::ostream& errors) {
  configuration from(app);
  try {
    app.parse(argc, argv);
    from.read_environment();
    from.read_file();
    check(from);
    for (const auto& sentence : from.mistaken_variables()) errors << app.get_name() << ": " << sentence << "\n";
    if (!from.is_check_only()) return std::nullopt;
    from.print(std::cout);
    return 0;
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ExtrasError&) {
    errors << app.get_name() << ": " << unknown_words(app) << "\n";
  } catch (const CLI::ParseError& e) {
    errors << app.get_name() << ": " << e.what() << "\n";
  } catch (const usage_error& e) {
    errors << app.get_name() << ": " << e.sentence << "\n";
  } catch (const std::exception& e) {
    errors << app.get_name() << ": " << e.what() << "\n";
  }
  errors << "Run '" << app.get_name() << " --help' for the options.\n";
  return exit_code::usage;
}

}  // namespace program
