/// @file tls.hpp
/// TLS by OpenSSL, as far as Paho leaves it to others: whether the files are good, and which versions will do.
#pragma once

#include <memory>

#include <nodelink/paho/broker_settings.hpp>

struct ssl_ctx_st;

namespace nodelink::paho {

using tls_context = std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)>;
/// Empty if a file is not good.
tls_context make_context(const tls_settings& settings);

}  // namespace nodelink::paho
