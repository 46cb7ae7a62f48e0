/// @file broker_url.hpp
#pragma once

#include <string>

#include "mqtt/broker_settings.hpp"

namespace program {

/// Reads `mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT]`, or `ws[s]://...[/PATH]`, into the settings; what the URL does not
/// say stays, but for the port: 1883, 8883, 80 and 443. An IPv6 address stands in brackets; `%40` is an `@`.
/// @throws usage_error with a sentence that does not show the password
struct said_by_url {
  bool username = false, password = false;
};
said_by_url read_broker_url(const std::string& url, paho::broker_settings& settings);

}  // namespace program
