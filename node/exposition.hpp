/// @file exposition.hpp
/// What the program shows of itself over HTTP: for Prometheus, and for whoever asks whether it is well.
#pragma once

#include <optional>
#include <string>

#include "node/http_server.hpp"
#include "protocol/figures.hpp"

namespace messenger {

/// Of this process, as Prometheus' own clients have them: memory, CPU, start, descriptors; and the version.
figures process_figures(const std::string& version);

/// As Prometheus reads it.
http_answer as_prometheus(const figures& all);

/// How a program that can be the server is just now.
struct health {
  bool is_up = false;      ///< its node has its connection
  bool serves = false;     ///< it is the server, or is to be; else a standby
  bool has_server = true;  ///< the server process is there
  std::string node;
};

/// 200 if it is up and does what it is there for, 503 otherwise; the body says which.
http_answer as_health(const health& h);

}  // namespace messenger
