#include "program/configuration.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <toml++/toml.h>
#include <unistd.h>

#include "program/nearest.hpp"
#include "program/options.hpp"

namespace program {
namespace {

// Options that are questions to the program; they have no value.
bool is_setting(const CLI::Option* option) {
  const auto& names = option->get_lnames();
  constexpr std::array<const char*, 4> questions{"help", "version", "config", "check-config"};
  return !names.empty() && std::find(questions.begin(), questions.end(), names.front()) == questions.end();
}

constexpr std::string_view prefix = "MESSENGER_";

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

// By the rule, which the help has.
std::string variable_by_rule(const CLI::Option& option) {
  std::string name = option.get_lnames().front();
  const bool is_of_mqtt = option.get_group() == "MQTT" || option.get_group() == "TLS";
  if (!name.starts_with("mqtt-")) name = (is_of_mqtt ? "MQTT_" : "MESSENGER_") + name;
  for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

// The help names those whose name does not follow the rule, and the MQTT tools' own.
std::string variable_for(const CLI::Option& option) {
  return option.get_envname().empty() ? variable_by_rule(option) : option.get_envname();
}

// Of messenger-node or messenger-client alone: what is set for one is no mistake of the other's.
const std::set<std::string, std::less<>> of_one_program{"MESSENGER_ADMIN",
                                                        "MESSENGER_COLOR",
                                                        "MESSENGER_COMMAND",
                                                        "MESSENGER_IDLE_TIMEOUT",
                                                        "MESSENGER_JOIN",
                                                        "MESSENGER_JSON",
                                                        "MESSENGER_MAX_LIST_BYTES_PER_NODE",
                                                        "MESSENGER_MAX_REQUESTS_PER_NODE",
                                                        "MESSENGER_MAX_ROOMS",
                                                        "MESSENGER_MAX_ROOMS_PER_NODE",
                                                        "MESSENGER_MAX_USERS",
                                                        "MESSENGER_MAX_USERS_PER_NODE",
                                                        "MESSENGER_METRICS",
                                                        "MESSENGER_NAMES",
                                                        "MESSENGER_NICK",
                                                        "MESSENGER_REJOIN",
                                                        "MESSENGER_REPLACE",
                                                        "MESSENGER_STANDBY",
                                                        "MESSENGER_STANDBY_DELAY",
                                                        "MESSENGER_WAIT"};

// A TOML value as it would stand on the command line; nothing for a table or a date.
std::optional<std::string> text_of(const toml::node& value) {
  if (const auto* s = value.as_string()) return s->get();
  if (const auto* i = value.as_integer()) return std::to_string(i->get());
  if (const auto* b = value.as_boolean()) return b->get() ? "true" : "false";
  if (value.is_floating_point()) return CLI::detail::to_string(*value.value<double>());
  return std::nullopt;
}

}  // namespace

std::set<std::string> configuration::variables() const {
  std::set<std::string> all;
  for (const auto* option : app_.get_options())
    if (is_setting(option) || !option->get_envname().empty()) all.insert(variable_for(*option));
  return all;
}

configuration::configuration(CLI::App& app) : app_(app) {
  app.footer(
      "Each option can be set in the environment too: MQTT_ or MESSENGER_, and its name, as in MESSENGER_COOKIE;\n"
      "and in the configuration file. The command line beats the environment, which beats the file.");
  app.add_option("--config", "Configuration file in TOML: options, without the dashes, and values")
      ->type_name("FILE")
      ->envname("MESSENGER_CONFIG")
      ->group("Configuration");
  app.add_flag_function(
         "--check-config", [](std::int64_t) {}, "Say what is in force and where it came from, and exit")
      ->group("Configuration");
}

std::string configuration::find_file() const {
  if (app_["--config"]->count() > 0) return app_["--config"]->as<std::string>();
  std::vector<std::string> folders;
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (config && config[0] == '/')
    folders.emplace_back(config);
  else if (home && home[0] == '/')
    folders.push_back(std::string(home) + "/.config");
  folders.emplace_back("/etc");
  for (const auto& folder : folders) {
    const auto path = folder + "/messenger/" + std::filesystem::path(app_.get_name()).filename().string() + ".toml";
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) return path;
  }
  return {};
}

void configuration::read_environment() {
  for (auto* option : app_.get_options()) {
    if (!is_setting(option) || option->count() > 0) continue;
    const auto variable = variable_for(*option);
    const char* value = std::getenv(variable.c_str());
    if (value && *value) set(*option, {value}, variable);
  }
}

// What follows MESSENGER_ in the names of the variables that are set, without those that are an option's.
static std::vector<std::string> foreign_variables(const std::set<std::string>& known) {
  std::vector<std::string> all;
  for (char** variable = environ; *variable; ++variable) {
    const std::string text = *variable;
    const auto name = text.substr(0, text.find('='));
    if (name.starts_with(prefix) && !known.contains(name)) all.push_back(name.substr(prefix.size()));
  }
  return all;
}

std::vector<std::string> configuration::mistaken_variables() const {
  std::vector<std::string> names, sentences;
  std::map<std::string, std::string> exceptions;  // by the rule they would be called otherwise
  for (const auto& variable : variables())
    if (variable.starts_with(prefix)) names.push_back(variable.substr(prefix.size()));
  for (const auto* option : app_.get_options())
    if (is_setting(option)) exceptions[variable_by_rule(*option)] = variable_for(*option);
  for (const auto& name : foreign_variables(variables())) {
    const auto variable = std::string(prefix) + name;
    const auto exception = exceptions.find(variable);
    const auto near = nearest(name, names);
    const auto meant = exception != exceptions.end() ? exception->second
                       : near.empty()                ? ""
                                                     : std::string(prefix) + near;
    if (!meant.empty() && !of_one_program.contains(variable))
      sentences.push_back("there is no variable " + variable + "; did you mean " + meant + "?");
  }
  return sentences;
}

void configuration::needs(const std::string& option, const std::string& other) const {
  if ((of(option) == origin::command_line || of(option) == origin::file) && of(other) == origin::standard)
    throw usage_error{option + " means something only with " + other};
}

void configuration::read_file() {
  file_ = find_file();
  if (file_.empty()) return;
  std::ifstream in(file_);
  if (!in || std::filesystem::is_directory(file_))
    throw usage_error{"the configuration file " + file_ + " cannot be read"};
  toml::table table;
  try {
    table = toml::parse(in, file_);
  } catch (const toml::parse_error& e) {
    throw usage_error{file_ + ":" + std::to_string(e.source().begin.line) + ": " + std::string(e.description())};
  }
  for (const auto& [name, value] : table) {
    const std::string key(name.str());
    const std::string where = file_ + ":" + std::to_string(name.source().begin.line);
    auto* option = app_.get_option_no_throw("--" + key);
    if (!option || !is_setting(option))
      throw usage_error{where + ": there is no option \"" + key + "\"; --help lists them"};
    std::vector<std::string> values;
    if (const auto* array = value.as_array()) {
      for (const auto& item : *array) values.push_back(text_of(item).value_or("\n"));
    } else {
      values.push_back(text_of(value).value_or("\n"));
    }
    if (std::find(values.begin(), values.end(), "\n") != values.end())
      throw usage_error{where + ": \"" + key + "\" is a string, a number, true or false, or an array of such"};
    if (option->count() > 0 || places_.contains(option)) continue;
    if (values.empty()) continue;
    set(*option, values, where);
    in_file_.insert(option);
  }
}

void configuration::set(CLI::Option& option, const std::vector<std::string>& values, const std::string& where) {
  const auto& name = option.get_lnames().front();
  try {
    if (is_flag(option)) {
      const auto is_one_of = [&](const std::set<std::string>& words) {
        return values.size() == 1 && words.contains(values[0]);
      };
      if (is_one_of({"false", "0"})) {
        places_[&option] = where;
        return;
      }
      if (!is_one_of({"true", "1"})) throw CLI::ConversionError("\"" + name + "\" is true or false");
    } else if (values.size() > 1 && option.get_multi_option_policy() != CLI::MultiOptionPolicy::TakeAll) {
      throw CLI::ConversionError("\"" + name + "\" has one value");
    }
    for (const auto& v : values) option.add_result(v);
    option.run_callback();
  } catch (const CLI::Error& e) {
    throw usage_error{where + ": " + e.what()};
  }
  places_[&option] = where;
}

origin configuration::of(const std::string& name) const {
  const auto* option = app_.get_option(name);
  if (in_file_.contains(option)) return origin::file;
  if (places_.contains(option)) return origin::environment;
  if (option->count() == 0) return origin::standard;
  const auto& on_line = app_.parse_order();
  return std::find(on_line.begin(), on_line.end(), option) != on_line.end() ? origin::command_line
                                                                            : origin::environment;
}

void configuration::print(std::ostream& out) const {
  if (!file_.empty()) out << "# configuration file: " << file_ << "\n";
  for (const auto& name : foreign_variables(variables()))
    out << "# " << prefix << name << " is set, and no option of this program\n";
  for (const auto* option : app_.get_options()) {
    if (!is_setting(option)) continue;
    const auto& name = option->get_lnames().front();
    std::string value;
    for (const auto& part : option->count() > 0 ? option->results() : std::vector{option->get_default_str()})
      value += (value.empty() ? "" : " ") + (part.find(' ') == part.npos ? part : '"' + part + '"');
    if (is_flag(*option)) value = option->count() > 0 && option->results().front() != "false" ? "true" : "false";
    if (const auto known = in_force_.find(option); known != in_force_.end()) value = known->second;
    if (name == "password" && option->count() > 0) value = "(not shown)";
    if (name == "url") {
      const auto at = value.rfind('@'), colon = value.find(':', value.find("//") + 2);
      if (at != value.npos && colon < at) value.replace(colon, at - colon, ":(not shown)");
    }
    std::string from = "default";
    switch (of("--" + name)) {
      case origin::standard: break;
      case origin::file: from = places_.at(option); break;
      case origin::environment: from = variable_for(*option); break;
      case origin::command_line: from = "command line"; break;
    }
    constexpr std::size_t name_width = 16, value_width = 32;
    out << name << std::string(std::max(name_width, name.size() + 1) - name.size(), ' ') << value
        << std::string(std::max(value_width, value.size() + 2) - value.size(), ' ') << from << "\n";
  }
}

}  // namespace program
