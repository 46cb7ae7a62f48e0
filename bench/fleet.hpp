/// @file fleet.hpp
/// The load: clients that third parties could have written from topics.md, each with a node and a connection of its
/// own, on one thread. A user's name is the text of its pid, so that R can pass a message on without a list.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "bench/connection.hpp"
#include "bench/histogram.hpp"

namespace bench {

using instant = std::chrono::steady_clock::time_point;

/// What came of a load.
struct load {
  double rate = 0;              ///< replies a second
  histogram latency;            ///< from the (intended) time of sending to the reply `sent`
  std::uint64_t requests = 0;   ///< in all, with those outside of the time measured
  std::uint64_t replies = 0;    ///< likewise
  std::uint64_t delivered = 0;  ///< messages that reached their receivers, each once and in order
};

class fleet {
 public:
  /// @param name part of the node names: no two fleets at one broker may share it.
  fleet(int port, const std::string& name, std::size_t size, int qos);
  ~fleet();
  fleet(const fleet&) = delete;

  /// Every client connects and subscribes, if it has not yet, and logs on. @returns how long until the last was on.
  duration log_on(const std::string& server);

  /// The first `clients` clients each have `window` requests under way, for a time.
  load closed_loop(const std::string& server, std::size_t clients, int window, duration time);
  /// They send at random times, this many a second in all, whatever comes back.
  load open_loop(const std::string& server, std::size_t clients, double rate, duration time);

  /// One request of one client; @returns the time until its reply.
  duration request(const std::string& server, std::size_t client = 0);

  /// Closes every connection at once, without DISCONNECT.
  void kill();

  /// Sees to what comes, until then.
  void wait_until(instant end);

  std::size_t size() const { return clients_.size(); }

 private:
  struct client {
    connection mqtt;
    std::string node;
    std::string pid;
    std::string request_topic;
    std::string request_head;  // `["<pid>","message_to","<to>","`
    std::deque<instant> under_way;
    std::uint64_t sent = 0;      // to the next client
    std::uint64_t received = 0;  // the number after that of the last one from the client before
    bool waits_for_output = false;
    bool is_on = false;
    enum class step { away, connecting, subscribing, connected } at = step::away;
  };

  void wait(duration at_most);
  void use(const std::string& server, std::size_t clients);
  void send_request(client& c, instant intended);
  void received(client& c, std::string_view topic, std::string_view payload);
  void go_on(client& c);
  void flush(client& c);
  void drain(load& result);
  std::uint64_t total(std::uint64_t client::*what) const;

  int port_;
  int qos_;
  int epoll_;
  std::uint64_t creation_;
  std::vector<client> clients_;
  std::string server_;
  std::size_t in_use_ = 0;
  std::size_t connecting_ = 0;
  std::size_t on_ = 0;
  bool logging_on_ = false;
  // The load under way.
  bool again_ = false;  // a reply makes its client send the next request
  std::optional<instant> from_, until_;
  load* load_ = nullptr;
  std::uint64_t counted_ = 0;
};

/// Very many users with a node each, all behind one connection, as behind a gateway: to the server they are what
/// anybody else is.
class crowd {
 public:
  crowd(int port, const std::string& name, std::size_t size, std::string server);

  void log_on();
  /// Answers PINGs for so long. @returns how many.
  std::uint64_t answer(duration time);

 private:
  void wait(duration at_most);

  std::string name_;
  std::size_t size_;
  std::string server_;
  std::uint64_t creation_;
  connection mqtt_;
  std::size_t on_ = 0;
  std::uint64_t pings_ = 0;
};

}  // namespace bench
