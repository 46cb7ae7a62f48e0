#include "paho/diagnosis.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "paho/lookup.hpp"
#include "paho/tls.hpp"

namespace nodelink::paho {
namespace {

using kind = connection_loss::kind;
using remedy = connection_loss::remedy;

constexpr int patience_ms = 3'000;

class tcp_connection {
 public:
  // Empty `problem()` if it stands.
  tcp_connection(const broker_settings& broker, cancellation& by) : by_(by) {
    const auto found = look_up(broker);
    problem_ = found.problem;
    for (const auto& a : found.addresses)
      if (&a == &found.addresses.front() || !problem_.empty()) try_one(a);
  }
  ~tcp_connection() { by_.close(fd_); }
  tcp_connection(const tcp_connection&) = delete;

  const std::string& problem() const { return problem_; }
  int fd() const { return fd_; }

 private:
  void try_one(const socket_address& to) {
    by_.close(fd_);
    fd_ = ::socket(to.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    by_.opened(fd_);
    int error = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to.bytes), to.size) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      pollfd connected{fd_, POLLOUT, 0};
      socklen_t size = sizeof error;
      error = ETIMEDOUT;
      if (::poll(&connected, 1, patience_ms) == 1) ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    problem_ = by_.is_cancelled() ? "given up" : error == 0 ? "" : std::strerror(error);
    const int flags = ::fcntl(fd_, F_GETFL);
    ::fcntl(fd_, F_SETFL, flags & ~O_NONBLOCK);
    const timeval at_most{patience_ms / 1'000, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &at_most, sizeof at_most);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &at_most, sizeof at_most);
  }

  cancellation& by_;
  int fd_ = -1;
  std::string problem_;
};

// CONNECT (section 3.1), clean, without client id, name and password: does an MQTT broker answer in that version, if
// only to refuse? One that does not speak MQTT 5 says so as in 3.1.1, with two bytes behind the length (3.1.2.2).
bool answers_without_tls(const broker_settings& broker, cancellation& by, bool mqtt_5 = false) {
  const tcp_connection c(broker, by);
  if (!c.problem().empty()) return false;
  std::string connect("\x10\x0c\0\4MQTT\4\2\0\12\0\0", 14);
  if (mqtt_5) connect = std::string("\x10\x0d\0\4MQTT\5\2\0\12\0\0\0", 15);
  std::array<unsigned char, 4> answer{};
  return ::send(c.fd(), connect.data(), connect.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(connect.size()) &&
         ::recv(c.fd(), answer.data(), answer.size(), MSG_WAITALL) == static_cast<ssize_t>(answer.size()) &&
         answer[0] == 0x20 && (answer[1] > 2) == mqtt_5;
}

bool answers_with_tls(const broker_settings& broker, cancellation& by) {
  const tcp_connection c(broker, by);
  if (!c.problem().empty()) return false;
  const tls_context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const std::unique_ptr<SSL, void (*)(SSL*)> tls(SSL_new(context.get()), SSL_free);
  SSL_set_fd(tls.get(), c.fd());
  const int connected = SSL_connect(tls.get());
  ERR_clear_error();
  // With a certificate of its own that it has asked for in vain it may have said no; but it has spoken.
  return connected == 1 || SSL_get0_peer_certificate(tls.get()) != nullptr;
}

std::string names_in(X509* certificate) {
  std::string names;
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> list(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int i = 0; list && i < sk_GENERAL_NAME_num(list.get()) && names.size() < 200; ++i) {
    const auto* name = sk_GENERAL_NAME_value(list.get(), i);
    if (name->type != GEN_DNS) continue;
    names +=
        (names.empty() ? "" : ", ") + std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                                                  static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  for (char& c : names)
    if (c < ' ' || c > '~') c = '?';
  return names.empty() ? "other names" : names;
}

connection_loss distrust(long result, SSL* tls, const broker_settings& broker) {
  const std::string who = "the certificate of the broker at " + address(broker);
  const auto because = [&](const std::string& why, remedy r = remedy::none) {
    return connection_loss{kind::untrusted, who + why, r};
  };
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return because(" has expired; its operator has to renew it");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return because(" is not valid yet; is the clock of this machine, or of the broker's, right?");
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: {
      X509* certificate = SSL_get0_peer_certificate(tls);
      return because(" is not for " + broker.host + " but for " +
                     (certificate ? names_in(certificate) : "other names") +
                     "; give the name that it is for as the host");
    }
    case X509_V_ERR_CERT_REVOKED: return because(" has been revoked");
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return because(" is from nobody whom this machine trusts", remedy::authority);
    default: return because(std::string(" is not good: ") + X509_verify_cert_error_string(result));
  }
}

// An alert of the broker's (RFC 8446, section 6.2) about this node's certificate, or that there is none.
std::optional<std::pair<std::string, remedy>> refusal(int reason) {
  const auto own = [](const std::string& why) { return std::pair(why, remedy::own_certificate); };
  switch (reason) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return own("it asks for a certificate of this node");
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED: return own("the certificate of this node has expired");
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED: return own("the certificate of this node has been revoked");
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA: return own("the certificate of this node is from nobody whom the broker trusts");
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
      return own("it does not take the certificate of this node, or wants one");
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return std::pair("it speaks no version of TLS that will do here", remedy::tls_version);
    default: return std::nullopt;
  }
}

// Nothing if TLS is not what stands between.
std::optional<connection_loss> diagnose_tls(const broker_settings& broker, cancellation& by) {
  const tcp_connection c(broker, by);
  if (!c.problem().empty()) return std::nullopt;
  const auto context = make_context(broker.tls);
  if (!context) return std::nullopt;
  const std::unique_ptr<SSL, void (*)(SSL*)> tls(SSL_new(context.get()), SSL_free);
  if (is_ip_address(broker.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls.get()), broker.host.c_str());
  } else {
    SSL_set1_host(tls.get(), broker.host.c_str());
    SSL_set_tlsext_host_name(tls.get(), broker.host.c_str());
  }
  SSL_set_fd(tls.get(), c.fd());
  ERR_clear_error();
  int code = SSL_connect(tls.get());
  // Not asked to refuse, OpenSSL goes on and says what it would have refused; nothing is sent on this connection.
  if (const long result = SSL_get_verify_result(tls.get()); !broker.tls.is_insecure && result != X509_V_OK)
    return distrust(result, tls.get(), broker);
  char byte = 0;  // with TLS 1.3 the broker looks at this node's certificate after the handshake
  if (code == 1) code = SSL_read(tls.get(), &byte, 1);
  const std::string who = "the broker at " + address(broker);
  if (code != 1)
    if (const auto why = refusal(ERR_GET_REASON(ERR_peek_error())))
      return connection_loss{kind::untrusted, who + " does not let this node in: " + why->first, why->second};
  ERR_clear_error();
  if (SSL_get0_peer_certificate(tls.get()) || !answers_without_tls(broker, by)) return std::nullopt;
  return connection_loss{kind::untrusted,
                         who + " does not speak TLS at that port; its port for TLS is another, usually 8883"};
}

}  // namespace

void cancellation::cancel() {
  const std::lock_guard lock(guard_);
  is_cancelled_ = true;
  if (open_ >= 0) ::shutdown(open_, SHUT_RDWR);
}

void cancellation::opened(int fd) {
  const std::lock_guard lock(guard_);
  open_ = fd;
  if (is_cancelled_) ::shutdown(fd, SHUT_RDWR);
}

void cancellation::close(int fd) {
  const std::lock_guard lock(guard_);
  open_ = -1;
  if (fd >= 0) ::close(fd);
}

connection_loss diagnose(const broker_settings& broker, cancellation& by) {
  const std::string nobody = "no MQTT broker answers at " + address(broker);
  {
    const tcp_connection c(broker, by);
    if (!c.problem().empty()) return {kind::unreachable, nobody + ": " + c.problem()};
  }
  if (by.is_cancelled()) return {};
  if (broker.tls.on) {
    if (const auto problem = problem_with(broker.tls)) return {kind::untrusted, *problem};
    if (const auto loss = diagnose_tls(broker, by)) return *loss;
  } else if (answers_without_tls(broker, by, broker.mqtt_5)) {
    return {kind::lost, "the broker at " + address(broker) + " answers, but made no connection"};
  } else if (answers_without_tls(broker, by, !broker.mqtt_5)) {
    return {kind::refused, "the broker at " + address(broker) + " does not speak this version of MQTT",
            remedy::mqtt_version};
  } else if (answers_with_tls(broker, by)) {
    return {kind::untrusted, "the broker at " + address(broker) + " speaks TLS at that port", remedy::tls};
  }
  return {kind::unreachable, nobody + ", though something listens there"};
}

}  // namespace nodelink::paho
