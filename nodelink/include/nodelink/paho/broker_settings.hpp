/// @file broker_settings.hpp
#pragma once

#include <optional>
#include <string>

namespace [[gnu::visibility("default")]] nodelink {
namespace paho {

/// How the broker shows who it is, and this node to the broker. Files are PEM.
struct tls_settings {
  bool on = false;  ///< mqtts, or wss
  /// Whose certificates are believed, with ca_folder; both empty for those this machine trusts
  std::string ca_file;
  std::string ca_folder;       ///< as OpenSSL's rehash leaves it
  std::string certificate;     ///< this node's own; empty for none
  std::string key;             ///< the certificate's, without a passphrase
  bool is_1_3_needed = false;  ///< otherwise 1.2 will do
  bool is_insecure = false;    ///< any certificate will do: somebody in between can read and change everything
};

/// What is wrong with the files, in a sentence; nothing if they are good.
std::optional<std::string> problem_with(const tls_settings& settings);

/// Which broker, and as whom.
struct broker_settings {
  std::string host = "localhost";  ///< a name, or an address of IPv4 or IPv6
  int port = 1883;                 ///< 1 to 65535
  tls_settings tls;                ///< on or not, and by which files
  bool websockets = false;         ///< ws, or wss
  std::string path = "/mqtt";      ///< of the WebSocket
  std::string username;            ///< empty for none
  std::string password;            ///< empty for none
  /// Its first line is the password of the next connection, if it can be read then; empty for none.
  std::string password_file;
  int keepalive_seconds = 60;  ///< 1 to 65535
  bool mqtt_5 = true;          ///< otherwise 3.1.1
  /// No other version will do. Otherwise a broker that does not speak this one is spoken to in the other.
  bool is_version_fixed = false;
};

/// As Paho takes it.
std::string uri(const broker_settings& broker);

/// `HOST:PORT`, an IPv6 address in brackets.
std::string address(const broker_settings& broker);

}  // namespace paho
}  // namespace nodelink
