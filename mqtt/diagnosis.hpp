/// @file diagnosis.hpp
/// Why there is no MQTT connection, when Paho says no more than that: looks for itself, by a connection of its own.
#pragma once

#include "mqtt/broker_settings.hpp"
#include "runtime/transport.hpp"

namespace paho {

/// Tries in turn the host's name, its port, TLS if it is to be used, and whether the other way round, with TLS or
/// without, an answer comes. Says nothing secret to the other end. Takes some seconds at most.
runtime::connection_loss diagnose(const broker_settings& broker);

}  // namespace paho
