/// @file broker_url.hpp
/// A broker and who connects to it, in one line. Any thread.
#pragma once

#include <stdexcept>
#include <string>

#include <nodelink/paho/broker_settings.hpp>

namespace [[gnu::visibility("default")]] nodelink {
namespace paho {

/// What a URL said of who connects.
struct said_by_url {
  bool username = false;  ///< its name
  bool password = false;  ///< and how it shows that
};

/// A URL that is none of a broker. what() does not show the password.
struct bad_broker_url : std::invalid_argument {
  /// @param what is wrong with it, as the end of a sentence
  explicit bad_broker_url(const std::string& what) : std::invalid_argument("the broker's URL " + what), fault(what) {}
  std::string fault;  ///< the sentence without its subject
};

/// Reads `mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT]`, or `ws[s]://...[/PATH]`, into the settings; what the URL does not
/// say stays, but for the port: 1883, 8883, 80 and 443. An IPv6 address stands in brackets; `%40` is an `@`.
/// @throws bad_broker_url
said_by_url read_broker_url(const std::string& url, broker_settings& settings);

}  // namespace paho
}  // namespace nodelink
