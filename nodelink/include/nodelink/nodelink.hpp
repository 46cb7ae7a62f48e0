/// @file nodelink.hpp
/// All of nodelink that a program needs; a test on a virtual clock includes nodelink/simulation/world.hpp besides.
#pragma once

#include <nodelink/node.hpp>
#include <nodelink/paho/host.hpp>
#include <nodelink/supervisor.hpp>
