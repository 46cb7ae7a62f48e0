// The programs of a chaotic world, and what people do with them: a server, users at their shells, and on each user's
// node a process that links to others.
#pragma once

#include <memory>

#include "client/mess_client.hpp"
#include "client/shell.hpp"
#include "laws.hpp"
#include "node/server.hpp"

namespace chaos {

class chaotic_world;

/// A host with what runs on it.
class program : public nodelink::node_observer {
 public:
  program(chaotic_world& w, host& h);
  ~program() override { host_.listener = nullptr; }
  program(const program&) = delete;

  host& on() { return host_; }
  const std::string& name() const { return host_.name(); }
  bool is_running() const { return host_.is_running(); }
  /// Replaced by another of its name: it will not do anything any more.
  bool is_over() const { return host_.is_running() && host_.node().is_stopped(); }
  bool is_up() const { return host_.is_running() && host_.node().is_up(); }
  /// Has been up long enough to have heard its own status.
  bool is_established() const;

  /// SIGKILL; with or without the will.
  void kill(bool with_will);
  void restart();
  void freeze();
  void thaw();

 protected:
  void node_up(std::uint64_t creation) override;
  void connection_lost(const nodelink::connection_loss& loss, duration next_try) override;
  void replaced(std::uint64_t creation) override;
  void dropped(nodelink::drop why, std::string_view from, std::string_view what, std::uint64_t count) override;

  virtual void boot() = 0;
  virtual void ended() = 0;
  chaotic_world& world_;
  host& host_;
  std::string id_;            // tells programs of one name apart
  std::uint64_t pauses_ = 0;  // how often it was frozen
  std::uint64_t boots_ = 0;
  instant up_since_;
};

class server_program final : public program {
 public:
  server_program(chaotic_world& w, host& h) : program(w, h) { boot(); }
  /// An exception in the server process.
  void crash();

 private:
  void boot() override;
  void ended() override;
  void node_up(std::uint64_t creation) override;
};

class user_program final : public program {
 public:
  user_program(chaotic_world& w, host& h, bool rejoin) : program(w, h), rejoin_(rejoin) { boot(); }

  /// Does something at random, if the shell waits for a command.
  void act();
  /// Logs on under this name, if the shell waits for a command and nobody is logged on.
  void logon(const std::string& name);
  void message(const std::string& to);
  void join(const std::string& room);
  const std::string& last_line() const { return last_line_; }

  /// Who is in the rooms that this user is in, as far as it was shown.
  const std::map<std::string, std::set<std::string>>& rooms() const { return rooms_; }

  bool is_idle() const { return is_running() && state_->idle; }
  /// The process that was told `logged_on`, while it lives, and its name.
  const std::optional<std::pair<pid, std::string>>& logged_on() const { return logged_on_; }
  bool is_rejoining() { return host_.node().whereis("mess_client_sup").has_value(); }

  /// The linking process; sometimes the one before, which has ended.
  pid linker();
  void link(const pid& to);
  void end_linker();

 private:
  void boot() override;
  void ended() override;
  void type(const std::string& line);
  void show(const messenger::event& e);
  void show_room(const messenger::event& e);
  void show(const std::string& line);
  void start_linker();
  void expect_noproc(const pid& at, const pid& gone);
  nodelink::process link_and_count(nodelink::self me);
  void connection_lost(const nodelink::connection_loss& loss, duration next_try) override;
  void process_ended(const pid& process, const nodelink::term& reason) override;

  bool rejoin_;
  std::unique_ptr<messenger::screen> out_;
  std::unique_ptr<messenger::shell_state> state_;
  std::string last_line_;
  std::optional<std::pair<pid, std::string>> logged_on_;
  std::uint64_t sent_ = 0;
  std::map<std::string, std::set<std::string>> rooms_;
  std::map<std::string, std::uint64_t> listed_, seen_;  // by room: the list's number, the latest event's
  std::uint64_t linker_ = 0, linker_before_ = 0;        // serials
  std::uint64_t commands_ = 0;
};

}  // namespace chaos
