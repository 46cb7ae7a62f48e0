/// @file tls.hpp
/// TLS by OpenSSL, as far as Paho leaves it to others: whether the files are good, and which versions will do.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "mqtt/broker_settings.hpp"

struct ssl_ctx_st;

namespace paho {

/// What is wrong with the files, in a sentence; nothing if they are good.
std::optional<std::string> problem_with(const tls_settings& settings);

using tls_context = std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)>;
/// Empty if a file is not good.
tls_context make_context(const tls_settings& settings);

}  // namespace paho
