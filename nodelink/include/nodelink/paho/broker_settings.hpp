/// @file broker_settings.hpp
#pragma once

#include <optional>
#include <string>

namespace [[gnu::visibility("default")]] nodelink {
namespace paho {

/// How the broker shows who it is, and this node to the broker. Files are PEM.
struct tls_settings {
  bool on = false;
  std::string ca_file, ca_folder;  ///< whose certificates are believed; both empty for those this machine trusts
  std::string certificate, key;    ///< this node's own; empty for none
  bool is_1_3_needed = false;      ///< otherwise 1.2 will do
  bool is_insecure = false;        ///< any certificate will do: somebody in between can read and change everything
};

/// What is wrong with the files, in a sentence; nothing if they are good.
std::optional<std::string> problem_with(const tls_settings& settings);

/// Which broker, and as whom.
struct broker_settings {
  std::string host = "localhost";
  int port = 1883;
  tls_settings tls;
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
}  // namespace gnu::visibility("default")]]nodelink
