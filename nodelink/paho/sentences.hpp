/// @file sentences.hpp
/// MQTT's reason codes, as sentences for the person who can do something about them.
#pragma once

#include <string>

#include <nodelink/transport.hpp>

namespace nodelink::paho {

/// Why a CONNECT came to nothing. @param code the CONNACK's, above 0, of either version: those of MQTT 3.1.1
/// (section 3.2.2.3) are 1 to 5, and a broker that does not speak MQTT 5 says them to who does; those of MQTT 5.0
/// (3.2.2.2) are above 127.
connection_loss connect_failure(int code, const std::string& broker, const std::string& node);

/// Why a connection ended. @param code that of the broker's DISCONNECT (MQTT 5.0 section 3.14.2.1), or 0.
connection_loss connection_lost(int code, const std::string& broker, const std::string& node);

/// Nothing came, though something was asked for.
connection_loss silent(const std::string& broker);

/// More came than the program took.
connection_loss flooded(const std::string& broker, const std::string& node);

/// A SUBACK that refuses.
connection_loss subscription_refused(const std::string& broker, const std::string& node);

}  // namespace nodelink::paho
