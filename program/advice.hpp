/// @file advice.hpp
#pragma once

#include <string>

#include <nodelink/transport.hpp>

namespace program {

/// What happened to a connection, and which option of our programs might help.
std::string advised(const nodelink::connection_loss& loss);

}  // namespace program
