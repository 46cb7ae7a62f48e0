/// @file broker_settings.hpp
#pragma once

#include <string>

namespace paho {

/// Which broker, and as whom.
struct broker_settings {
  std::string host = "localhost";
  int port = 1883;
  bool tls = false;
  bool websockets = false;
  std::string path = "/mqtt";  ///< of the WebSocket
  std::string username;        ///< empty for none
  std::string password;
  int keepalive_seconds = 60;  ///< 1 to 65535
  bool mqtt_5 = true;          ///< otherwise 3.1.1
};

/// As Paho takes it.
std::string uri(const broker_settings& broker);

/// `HOST:PORT`, an IPv6 address in brackets.
std::string address(const broker_settings& broker);

}  // namespace paho
