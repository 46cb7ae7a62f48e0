// The messenger in a simulated world: one server, users at their nodes, and what each of them sees.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <nodelink/simulation/world.hpp>
#include "client/lines.hpp"
#include "client/shell.hpp"
#include "node/room_list.hpp"
#include "node/server.hpp"
#include "protocol/messages.hpp"

namespace nodelink::simulation {

using lines = std::vector<std::string>;

inline const std::string server_node = "messenger@super";

/// A user at a terminal, as `messenger-client` has it.
class user {
 public:
  user(world& w, const std::string& node) : host_(w.start(node)) { boot(); }
  ~user() { host_.kill(); }
  user(const user&) = delete;

  void type(const std::string& line) {
    host_.when_running([this, line] { host_.node().send_local(messenger::shell_name, messenger::line_input(line)); });
  }
  void end_of_input() {
    host_.when_running([this] { host_.node().send_local(messenger::shell_name, messenger::end_of_input()); });
  }
  /// SIGKILL and the same program again.
  void restart() {
    host_.restart();
    boot();
  }
  /// `--rejoin`
  void rejoin() { state_.rejoin = true; }
  nodelink::simulation::host& host() { return host_; }
  bool has_ended() const { return state_.done; }
  nodelink::pid client() { return *host_.node().whereis("mess_client"); }

  /// What came on the screen since the last call.
  lines seen() { return std::exchange(screen_lines_, {}); }

 private:
  void boot() {
    state_.done = false;
    state_.in = {};
    auto& node = host_.node();
    node.register_name(messenger::shell_name, node.spawn(messenger::shell, std::ref(state_)));
    host_.run();
  }

  nodelink::simulation::host& host_;
  lines screen_lines_;
  messenger::screen out_{[this](const messenger::event& e) {
    const bool is_note = std::holds_alternative<messenger::shown::note>(e);
    for (const auto& line : messenger::as_lines(e)) screen_lines_.push_back((is_note ? "! " : "") + line);
    if (const auto* x = std::get_if<messenger::shown::exit>(&e); x && x->is_rejoining && x->reason != "timeout")
      screen_lines_.emplace_back("! rejoining");
  }};
  messenger::shell_state state_{.server_node = server_node, .out = out_};
};

class messenger_world : public testing::Test, public world {
 protected:
  messenger_world() {
    log_.str("");
    auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_));
    logger->set_pattern("%v");
    spdlog::set_default_logger(logger);
    boot_server();
    advance(10ms);
  }

  void boot_server(messenger::server_options options = {}) {
    if (!server_)
      server_ = &start(server_node, true);
    else
      server_->restart();
    messenger::start_server(server_->node(), options);
    server_->run();
  }

  host& server() { return *server_; }

  user& add_user(const std::string& node) {
    users_.push_back(std::make_unique<user>(*this, node));
    advance(10ms);
    return *users_.back();
  }
  user& logged_on(const std::string& name) {
    user& u = add_user(name + "@" + name + "-host");
    u.type("/logon " + name);
    advance(10ms);
    EXPECT_EQ(u.seen(), lines{"logged_on"});
    return u;
  }
  /// A message to the server's process, as a stranger with mosquitto_pub would send it.
  void publish(const std::string& topic, const std::string& payload, bool retain = false) {
    broker().publish({"nodelink/1/test/" + topic, payload, retain});
  }

  /// What the server logged since the last call.
  lines logged() {
    std::istringstream text(log_.str());
    log_.str("");
    lines all;
    for (std::string line; std::getline(text, line);) all.push_back(line);
    return all;
  }
  /// How often a text is in what the server logged since the last call.
  std::size_t count_logged(const std::string& text) {
    std::size_t count = 0;
    for (const auto& line : logged()) count += line.find(text) != std::string::npos;
    return count;
  }

 private:
  std::ostringstream log_;
  host* server_ = nullptr;
  std::vector<std::unique_ptr<user>> users_;
};

}  // namespace nodelink::simulation
