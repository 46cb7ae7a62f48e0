/// @file tcp_nodelay.hpp
/// Paho neither sets TCP_NODELAY nor gives out its socket, and Nagle's algorithm with delayed
/// acknowledgements costs 40 ms a reply: the socket is found among the program's own.
#pragma once

namespace paho {

/// Sets TCP_NODELAY on every TCP socket of this program that is connected to this port. Any thread.
/// @returns how many there were.
int set_tcp_nodelay(int peer_port);

}  // namespace paho
