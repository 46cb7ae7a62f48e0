/// @file lookup.hpp
/// A broker's addresses.
#pragma once

#include <string>
#include <vector>

#include <sys/socket.h>

#include <nodelink/paho/broker_settings.hpp>

namespace nodelink::paho {

struct socket_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

/// What a name stands for.
struct lookup {
  std::vector<socket_address> addresses;
  std::string problem;  ///< if there are none
};

/// May take as long as the machine's resolver likes.
lookup look_up(const broker_settings& broker);

/// That nothing has to be asked for.
bool is_ip_address(const std::string& host);

}  // namespace nodelink::paho
