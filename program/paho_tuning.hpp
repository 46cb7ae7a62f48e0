/// @file paho_tuning.hpp
/// What our own programs, which are their own masters, do so that Paho is quick and safe in them. A library must not.
#pragma once

#include <nodelink/paho/broker_settings.hpp>

namespace program {

/// Before the first connection. Of everything in this program that speaks TLS from now on: the lowest version. No
/// proxies, and no trace.
///
/// Beside that, functions of the C library are replaced here, for Paho's receive thread, which else sleeps when it had
/// better not.
void prepare_paho(const nodelink::paho::tls_settings& tls);

/// Before a connection is begun: Paho looks at its sockets anew.
void wake_paho();

/// While there is one, on its thread: Paho, which ends its threads with its last client, does not take a second for it.
class ending_paho {
 public:
  ending_paho();
  ~ending_paho();
  ending_paho(const ending_paho&) = delete;
};

}  // namespace program
