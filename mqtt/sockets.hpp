/// @file sockets.hpp
/// Paho gives out neither its socket nor a way to do these things, so it is found among the program's own: the TCP
/// socket that is connected to the broker's port. A program has one such connection at a time. Any thread.
#pragma once

#include <chrono>
#include <cstddef>

namespace paho {

/// Whether connect() waits for the connection, as connections are made fastest with. Not for WebSockets and TLS: if
/// there is nothing to wait for Paho 1.3.12 asks for the WebSocket twice, and gives up a handshake that is through at
/// once.
void connect_at_once(bool yes);

/// The descriptor, or -1 if there is none.
int find_socket(int peer_port);

/// Sets TCP_NODELAY (Nagle's algorithm with delayed acknowledgements costs 40 ms a reply), and makes the socket's
/// buffer so large that a socket that is writable takes a whole PUBLISH: Paho waits for the rest of one otherwise.
/// @returns how many bytes the socket takes at least when it is writable.
std::size_t set_options(int fd);

/// While a socket is held, what is written to it waits until there is a whole segment, or until it is let go.
void hold(int fd);
void let_go(int fd);

bool is_writable(int fd);

/// How long nothing has come from the other side.
std::chrono::milliseconds silence(int fd);

/// What is to be read next.
struct input {
  bool is_there = false;      ///< or the connection's end
  int disconnect_reason = 0;  ///< of the broker's DISCONNECT (MQTT 5.0 section 3.14.2.1), if that is next
};
input next_input(int fd);

/// Ends the connection without a word, so that the broker publishes the will. (A Paho client that is destroyed says
/// DISCONNECT first.)
void cut(int fd);

/// Says DISCONNECT, so that the broker discards the will, and ends the connection. (Paho says none before CONNACK.)
/// Not for TLS.
void say_disconnect(int fd, bool websockets);

}  // namespace paho
