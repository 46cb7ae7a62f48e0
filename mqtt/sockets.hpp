/// @file sockets.hpp
/// Paho gives out neither its socket nor a way to do these things, so it is found among the program's own: every TCP
/// socket that is connected to the broker's port. Any thread.
#pragma once

namespace paho {

/// Sets TCP_NODELAY: Nagle's algorithm with delayed acknowledgements costs 40 ms a reply.
/// @returns how many sockets there were.
int set_tcp_nodelay(int peer_port);

/// Ends the connection without a word, so that the broker publishes the will. (A Paho client that is destroyed says
/// DISCONNECT first.)
void cut(int peer_port);

/// Says DISCONNECT, so that the broker discards the will, and ends the connection. (Paho says none before CONNACK.)
void say_disconnect(int peer_port);

}  // namespace paho
