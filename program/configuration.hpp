/// @file configuration.hpp
/// Where the value of each option comes from: the command line beats the environment, which beats the configuration
/// file, which beats the default.
#pragma once

#include <map>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>

namespace program {

enum class origin { standard, file, environment, command_line };

class configuration {
 public:
  /// Gives each option of `app` that has none an environment variable, `MESSENGER_` and its name, and adds `--config`
  /// and `--check-config`. Call it when every option is there, and before app.parse().
  explicit configuration(CLI::App& app);

  /// Gives the options that neither the command line nor the environment has set the values of the file: the one named
  /// by `--config` or MESSENGER_CONFIG, or else the first there is of `$XDG_CONFIG_HOME/messenger/PROGRAM.toml` (or
  /// `~/.config/...`) and `/etc/messenger/PROGRAM.toml`. Call it after app.parse(). @throws usage_error
  void read_file();

  origin of(const std::string& option) const;
  bool is_check_only() const { return app_["--check-config"]->count() > 0; }
  /// What is in force and where it came from, one option a line; no secret.
  void print(std::ostream& out) const;

 private:
  std::string find_file() const;
  void set(CLI::Option& option, const std::string& key, const std::vector<std::string>& values,
           const std::string& where);

  CLI::App& app_;
  std::string file_;
  std::map<const CLI::Option*, std::string> lines_;  // options set by the file, and where in it
};

}  // namespace program
