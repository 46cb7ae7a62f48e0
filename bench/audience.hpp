/// @file audience.hpp
/// The members of one room, each with a node and a connection of its own, on one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/connection.hpp"
#include "bench/histogram.hpp"

namespace bench {

class audience {
 public:
  /// All of them log on at the server and join the room; and they listen to another topic besides.
  audience(int port, std::size_t size, const std::string& server);
  ~audience();
  audience(const audience&) = delete;

  /// The first says something in the room. @returns how long until the last has heard it.
  duration say();
  /// The same to the other topic, without the server: the broker's own fan-out.
  duration publish();

 private:
  struct member {
    connection mqtt;
    std::string node;
    std::string pid;
    bool is_in = false;
    bool waits_for_output = false;
  };

  void send(member& m, const std::string& topic, const std::string& payload);
  void flush(member& m);
  void wait();
  void heard(member& m, std::string_view topic, std::string_view payload);
  void until(const std::function<bool()>& is_there);
  duration until_all_have_heard(const std::function<void()>& begin);

  std::string server_;
  int epoll_;
  std::vector<std::unique_ptr<member>> members_;
  std::size_t in_ = 0;
  std::size_t heard_ = 0;  // of what was said last
  int said_ = 0;
};

}  // namespace bench
