#include "paho/tls.hpp"

#include <filesystem>
#include <fstream>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace nodelink::paho {
namespace {

std::string last_error() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "OpenSSL does not say why";
}

bool is_readable(const std::string& file) {
  std::error_code ignored;
  return std::ifstream(file).good() && !std::filesystem::is_directory(file, ignored);
}

// A key with a password would make OpenSSL ask at the terminal.
int no_password(char*, int, int, void*) { return -1; }

// Calls `failed` with what was tried, and stops, at the first file that is not good.
template <class F>
bool read_files(SSL_CTX* context, const tls_settings& s, const F& failed) {
  SSL_CTX_set_default_passwd_cb(context, no_password);
  const auto readable = [&](const std::string& file, const char* what) {
    if (is_readable(file)) return true;
    failed(std::string(what) + " " + file + " cannot be read");
    return false;
  };
  if (!s.ca_file.empty()) {
    if (!readable(s.ca_file, "the file of authorities")) return false;
    if (SSL_CTX_load_verify_file(context, s.ca_file.c_str()) != 1)
      return failed("the file of authorities " + s.ca_file + " has no certificates in PEM: " + last_error());
  }
  std::error_code ignored;
  if (!s.ca_folder.empty() && (!std::filesystem::is_directory(s.ca_folder, ignored) ||
                               SSL_CTX_load_verify_dir(context, s.ca_folder.c_str()) != 1))
    return failed("the folder of authorities " + s.ca_folder + " is no folder");
  if (s.ca_file.empty() && s.ca_folder.empty()) SSL_CTX_set_default_verify_paths(context);
  if (s.certificate.empty() != s.key.empty())
    return failed(s.key.empty() ? "the certificate " + s.certificate + " is of no use without its key"
                                : "the key " + s.key + " is of no use without its certificate");
  if (s.certificate.empty()) return true;
  if (!readable(s.certificate, "the certificate") || !readable(s.key, "the key")) return false;
  if (SSL_CTX_use_certificate_chain_file(context, s.certificate.c_str()) != 1)
    return failed("the certificate " + s.certificate + " is none in PEM: " + last_error());
  if (SSL_CTX_use_PrivateKey_file(context, s.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return failed("the key " + s.key +
                  " is none in PEM without a password, or not that of the certificate: " + last_error());
  return true;
}

}  // namespace

tls_context make_context(const tls_settings& settings) {
  tls_context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!read_files(context.get(), settings, [](const std::string&) { return false; })) context.reset();
  return context;
}

std::optional<std::string> problem_with(const tls_settings& settings) {
  std::optional<std::string> problem;
  const tls_context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  read_files(context.get(), settings, [&](const std::string& sentence) {
    problem = sentence;
    return false;
  });
  return problem;
}

}  // namespace nodelink::paho
