/// @file tcp_nodelay.hpp
/// Paho neither sets TCP_NODELAY nor gives out its socket, and Nagle's algorithm with delayed acknowledgements costs
/// 40 ms a reply. So the socket is looked for among the program's own. A guess that is wrong does no harm; without
/// /proc there is none, and all goes on, slower.
#pragma once

#include <set>

#include "paho/lookup.hpp"

namespace nodelink::paho {

/// The descriptors that are open now.
std::set<int> open_descriptors();

/// Sets TCP_NODELAY on the sockets that are connected to one of these addresses, and whose descriptor was not open
/// `before`. Any thread.
void set_tcp_nodelay(const std::vector<socket_address>& peers, const std::set<int>& before);

}  // namespace nodelink::paho
