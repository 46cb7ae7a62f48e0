/// @file transport.hpp
/// Eclipse Paho MQTT C++ behind the transport of a node.
///
/// Threads: a transport is made, called and destroyed on one thread, its reactor's, and calls its node there. Paho has
/// two threads of its own, for all its clients in the program; what they say is handed over.
///
/// Around it nothing is changed, no environment, no setting of OpenSSL or of Paho, but that Paho has SIGPIPE ignored
/// where the program has no handler for it. So
/// - Paho goes through the proxies that the environment names (http_proxy, https_proxy);
/// - TLS is of the versions that OpenSSL's configuration allows, unless `is_1_3_needed`;
/// - after a second without input Paho may take up to 0.1 s to look at what comes next, and a second connection of one
///   program up to 1.1 s to come up;
/// - Paho formats a line of trace for each packet unless MQTTAsync_setTraceLevel() says that nobody wants it.
#pragma once

#include <functional>
#include <memory>

#include <nodelink/paho/broker_settings.hpp>
#include <nodelink/paho/reactor.hpp>
#include <nodelink/transport.hpp>

namespace [[gnu::visibility("default")]] nodelink {
namespace paho {

/// @param settings which broker @param loop outlives the transport. @param before_connect is called when a connection
/// is about to be made. Destroyed while it is connected, a transport leaves its will to be heard. Then, and if it is
/// the last client of Paho's in the program, that takes up to a second.
std::unique_ptr<transport> make_transport(const broker_settings& settings, reactor& loop,
                                          std::function<void()> before_connect = {});

}  // namespace paho
}  // namespace nodelink
