#include <nodelink/paho/broker_url.hpp>

#include <algorithm>
#include <charconv>
#include <map>

namespace nodelink::paho {
namespace {

struct scheme {
  int port;
  bool tls, websockets;
};
const std::map<std::string, scheme> schemes{{"mqtt", {1883, false, false}},
                                            {"mqtts", {8883, true, false}},
                                            {"ws", {80, false, true}},
                                            {"wss", {443, true, true}}};

[[noreturn]] void refuse(const std::string& what) {
  throw bad_broker_url(what + "; write like mqtt://HOST, mqtts://USER@HOST:PORT or ws://HOST:PORT/PATH");
}

// RFC 3986, section 2.1.
std::string decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned char byte = 0;
    const auto* end = text.data() + std::min(i + 3, text.size());
    if (std::from_chars(text.data() + i + 1, end, byte, 16).ptr != text.data() + i + 3 || byte == 0)
      refuse("has a % without two hexadecimal digits");
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

}  // namespace

said_by_url read_broker_url(const std::string& url, broker_settings& settings) {
  const auto colon = url.find("://");
  const auto found = schemes.find(url.substr(0, colon));
  if (colon == url.npos || found == schemes.end()) refuse("does not begin with mqtt://, mqtts://, ws:// or wss://");
  std::string rest = url.substr(colon + 3);
  const auto slash = rest.find('/');
  const std::string path = slash == rest.npos ? "" : rest.substr(slash);
  rest = rest.substr(0, slash);
  said_by_url said;
  if (path.size() > 1 && !found->second.websockets) refuse("has a path, which only ws:// and wss:// can have");
  if (const auto at = rest.rfind('@'); at != rest.npos) {
    const auto user = rest.substr(0, at);
    const auto password = user.find(':');
    settings.username = decoded(user.substr(0, password));
    said = {true, password != user.npos};
    if (said.password) settings.password = decoded(user.substr(password + 1));
    rest = rest.substr(at + 1);
  }
  settings.port = found->second.port;
  const auto bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == rest.npos) refuse("has a [ without a ]");
  if (const auto port = rest.find(':', bracket); port != rest.npos) {
    const char* end = rest.data() + rest.size();
    const auto [last, error] = std::from_chars(rest.data() + port + 1, end, settings.port);
    if (error != std::errc() || last != end || settings.port < 1 || settings.port > 65'535)
      refuse("has no port between 1 and 65535");
    rest = rest.substr(0, port);
  }
  settings.host = bracket > 0 ? rest.substr(1, bracket - 1) : rest;
  if (settings.host.empty()) refuse("has no host");
  settings.tls.on = found->second.tls;
  settings.websockets = found->second.websockets;
  settings.path = path.empty() ? "/mqtt" : path;
  return said;
}

}  // namespace nodelink::paho
