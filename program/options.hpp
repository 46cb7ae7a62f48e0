/// @file options.hpp
/// The options that both programs have, in the words of the MQTT tools.
#pragma once

#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include <nodelink/node.hpp>
#include <nodelink/paho/broker_settings.hpp>
#include "program/configuration.hpp"

namespace program {

/// Exit codes (README, "Exit codes"). 0 is success.
enum exit_code : int {
  run_time_failure = 1,
  usage = 2,
  name_refused = 3,
  not_authorised = 5,
  name_taken = 6,
  untrusted = 8,
  gave_up = 27,
  crashed = 70,
  interrupted = 130,
};

struct common_options {
  nodelink::paho::broker_settings broker;
  /// The same without what is this node's own: its credentials of the folder.
  nodelink::paho::broker_settings broker_of_anybody;
  nodelink::node_settings node{.topic_root = "messenger/1"};
  std::string log_level;
  std::string log_format;
  /// A password that is missing may be asked for at the terminal.
  bool may_ask = true;
  /// The user said which broker: by an option or by the environment.
  bool broker_configured = false;
  /// A node of this program has been up: whatever is wrong with the broker may be for a while.
  bool was_up = false;
  /// This node is there for a question only: nobody needs to read that it is up.
  bool is_passing = false;
  /// With what is a node's own in it; empty for none.
  std::string credentials;
  /// The password in the URL comes from nearer than the password file.
  bool password_is_of_url = false;
};

/// Something the user can get wrong; the sentence says what and what to do. Ends with exit_code::usage.
struct usage_error {
  std::string sentence;
};

/// Describes the common options to `app` and fills `options` when it parses.
/// @param name_default what `--name` is without the option, as the help shows it.
void add_common_options(CLI::App& app, common_options& options, const std::string& name_default,
                        const std::string& log_level_default);

/// A number in these bounds, which nan is not.
CLI::Validator number_between(double least, double most);

/// An option that is a length of time: a whole number with `s`, `m`, `h` or `d`, from 1 s to 365 d; without a unit
/// seconds.
CLI::Option* add_duration_option(CLI::App& app, const std::string& name, nodelink::duration& value,
                                 const std::string& description);

/// Checks and completes what was parsed: names, the broker's URL, the password file. @throws usage_error
void complete(CLI::App& app, configuration& from, common_options& options);

/// How another node of this program connects: the same way, but with its own credentials if there is a folder of them.
/// Call it after complete(). @throws usage_error
nodelink::paho::broker_settings broker_as(const std::string& node, const common_options& options);

/// Completes `name` to `name@<short host name>` and checks it. @param option named in the sentence.
std::string node_name(const std::string& name, const std::string& option);

/// Of this project: `0.2.0`.
const char* version();

/// The part of this machine's host name before the first dot.
std::string short_host_name();

/// Parses the command line, the environment and the configuration file, with `--help`, `--version` and
/// `--check-config` handled. @param check says by a usage_error what is wrong, once all of it is there.
/// @returns the exit code to end with, or nothing to go on.
std::optional<int> parse(CLI::App& app, int argc, char** argv, const std::function<void(configuration&)>& check,
                         std::ostream& errors = std::cerr);

}  // namespace program
