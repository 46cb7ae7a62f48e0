/// @file http_server.hpp
/// Answers GET, in the program's own loop: nobody who asks is answered by a program that hangs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "program/event_loop.hpp"

struct MHD_Daemon;

namespace messenger {

struct http_answer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// Where it listens: `HOST:PORT`, `[IPV6]:PORT`, or `PORT` on loopback; port 0 is a free one.
struct http_address {
  std::string host = "127.0.0.1";
  int port = 0;

  /// Nothing if the text is none.
  static std::optional<http_address> read(const std::string& text);
};

class http_server {
 public:
  /// @param answer is asked for each path; nothing is 404. @throws std::runtime_error with a sentence if it cannot
  /// listen there.
  http_server(program::event_loop& loop, const http_address& at,
              std::function<std::optional<http_answer>(const std::string& path)> answer);
  ~http_server();
  http_server(const http_server&) = delete;

  /// `http://127.0.0.1:9641`
  std::string url() const;

 private:
  void go_on();

  program::event_loop& loop_;
  http_address at_;
  std::function<std::optional<http_answer>(const std::string& path)> answer_;
  MHD_Daemon* daemon_ = nullptr;
  int fd_ = -1;     // MHD's epoll
  int timer_ = -1;  // for connections that say nothing, and for room again
  bool had_connections_ = false;
};

}  // namespace messenger
