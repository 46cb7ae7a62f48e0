/// @file configuration.hpp
/// Where the value of each option comes from: the command line beats the environment, which beats the configuration
/// file, which beats the default.
#pragma once

#include <map>
#include <ostream>
#include <set>
#include <string>

#include <CLI/CLI.hpp>

namespace program {

enum class origin { standard, file, environment, command_line };

class configuration {
 public:
  /// Adds `--config` and `--check-config` to `app`. Call it when every option is there, and before app.parse().
  explicit configuration(CLI::App& app);

  /// Gives the options that the command line has not set the values of the environment: `MQTT_` and the name for those
  /// of the groups MQTT and TLS, `MESSENGER_` for the others, unless the option names its own. @throws usage_error
  void read_environment();

  /// Gives the options that neither the command line nor the environment has set the values of the file: the one named
  /// by `--config` or MESSENGER_CONFIG, or else the first there is of `$XDG_CONFIG_HOME/messenger/PROGRAM.toml` (or
  /// `~/.config/...`) and `/etc/messenger/PROGRAM.toml`. Call it after read_environment(). @throws usage_error
  void read_file();

  /// A sentence for each variable MESSENGER_... that is no option's, but nearly.
  std::vector<std::string> mistaken_variables() const;

  origin of(const std::string& option) const;
  /// @throws usage_error if somebody has gone to the trouble of giving `option`, which means nothing without `other`:
  /// in the environment it may be for other programs.
  void needs(const std::string& option, const std::string& other) const;
  /// What an option came to that says more than was given, like the default of a name.
  void is_in_force(const std::string& option, const std::string& value) { in_force_[app_.get_option(option)] = value; }
  bool is_check_only() const { return app_["--check-config"]->count() > 0; }
  /// What is in force and where it came from, one option a line; no secret.
  void print(std::ostream& out) const;

 private:
  std::string find_file() const;
  std::set<std::string> variables() const;
  void set(CLI::Option& option, const std::vector<std::string>& values, const std::string& where);

  CLI::App& app_;
  std::string file_;
  std::map<const CLI::Option*, std::string> in_force_;
  std::set<const CLI::Option*> in_file_;
  std::map<const CLI::Option*, std::string> places_;  // where the value was found that CLI11 did not find
};

}  // namespace program
