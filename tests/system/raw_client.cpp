#include "system/raw_client.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "system/program.hpp"

namespace testing_system {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

static std::string two_bytes(std::size_t n) {
  return {static_cast<char>(n >> 8U & 0xffU), static_cast<char>(n & 0xffU)};
}
static std::string text(const std::string& s) { return two_bytes(s.size()) + s; }

static std::string packet(int first_byte, const std::string& body) {
  std::string p(1, static_cast<char>(first_byte));
  auto length = body.size();
  do {
    const auto seven_bits = length % 128;
    length /= 128;
    p += static_cast<char>(seven_bits | (length > 0 ? 0x80U : 0U));
  } while (length > 0);
  return p + body;
}

raw_client::raw_client(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("no broker at port " + std::to_string(port));
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

raw_client::raw_client(int port, const std::string& ca_file) : raw_client(port) {
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_load_verify_file(context.get(), ca_file.c_str());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  tls_.reset(SSL_new(context.get()), SSL_free);
  SSL_set1_host(tls_.get(), "localhost");
  SSL_set_fd(tls_.get(), fd_);
  if (SSL_connect(tls_.get()) != 1) throw std::runtime_error("no TLS at port " + std::to_string(port));
}

raw_client::~raw_client() { close(); }

raw_client::raw_client(raw_client&& other) noexcept
    : mqtt_5(other.mqtt_5),
      username(std::move(other.username)),
      password(std::move(other.password)),
      acknowledges(other.acknowledges),
      fd_(std::exchange(other.fd_, -1)),
      tls_(std::move(other.tls_)),
      input_(std::move(other.input_)),
      messages_(std::move(other.messages_)),
      packet_id_(other.packet_id_) {}

std::string raw_client::connect_packet(const std::string& client_id, const last_will& w, int keepalive) const {
  const std::string no_properties(mqtt_5 ? 1 : 0, '\0');
  const int flags = 0x02 | (w.topic.empty() ? 0 : 0x0c | (w.retain ? 0x20 : 0)) | (username.empty() ? 0 : 0x80 | 0x40);
  std::string body = text("MQTT") + static_cast<char>(mqtt_5 ? 5 : 4) + static_cast<char>(flags) +
                     two_bytes(static_cast<std::size_t>(keepalive)) + no_properties + text(client_id);
  if (!w.topic.empty()) body += no_properties + text(w.topic) + text(w.payload);
  if (!username.empty()) body += text(username) + text(password);
  return packet(0x10, body);
}

void raw_client::connect(const std::string& client_id, const last_will& w, int keepalive) {
  send(connect_packet(client_id, w, keepalive));
  for (const auto until = steady_clock::now() + patience; connacks_ == 0;)
    if (!read(milliseconds(100)) || steady_clock::now() > until)
      throw std::runtime_error("no CONNACK for " + client_id);
}

void raw_client::subscribe(const std::string& filter, bool wants_retained) {
  const std::string no_properties(mqtt_5 ? 1 : 0, '\0');
  const int options = mqtt_5 ? 0x08 | (wants_retained ? 0 : 0x20) : 0;  // retain as published, retain handling
  send(packet(0x82, two_bytes(static_cast<std::size_t>(++packet_id_)) + no_properties + text(filter) +
                        static_cast<char>(1 | options)));
  const int before = subacks_;
  for (const auto until = steady_clock::now() + patience; subacks_ == before;)
    if (!read(milliseconds(100)) || steady_clock::now() > until) throw std::runtime_error("no SUBACK for " + filter);
}

void raw_client::publish(const std::string& topic, const std::string& payload, bool retain) {
  packet_id_ = packet_id_ % 60'000 + 1;
  send(packet(0x32 | (retain ? 1 : 0), text(topic) + two_bytes(static_cast<std::size_t>(packet_id_)) +
                                           std::string(mqtt_5 ? 1 : 0, '\0') + payload));
}

void raw_client::disconnect(int reason) {
  send(packet(0xe0, reason == 0 ? std::string() : std::string{static_cast<char>(reason), '\0'}));
  close();
}

void raw_client::send(const std::string& bytes) const {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const auto n = tls_ ? SSL_write(tls_.get(), bytes.data() + sent, static_cast<int>(bytes.size() - sent))
                        : ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;  // the other end tells by what comes next
    sent += static_cast<std::size_t>(n);
  }
}

void raw_client::close(bool reset) {
  if (fd_ < 0) return;
  const linger now{1, 0};
  if (reset) ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(std::exchange(fd_, -1));
}

std::optional<received_message> raw_client::next(milliseconds at_most) {
  for (const auto until = steady_clock::now() + at_most; messages_.empty();) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
    if (left.count() <= 0 || !read(left)) break;
  }
  if (messages_.empty()) return std::nullopt;
  auto first = std::move(messages_.front());
  messages_.erase(messages_.begin());
  return first;
}

bool raw_client::read(milliseconds at_most) {
  if (fd_ < 0) return false;
  if (!has_input(at_most)) return true;
  std::array<char, 65'536> bytes{};
  const auto n = tls_ ? SSL_read(tls_.get(), bytes.data(), bytes.size()) : ::recv(fd_, bytes.data(), bytes.size(), 0);
  if (n <= 0) {
    close();
    return false;
  }
  input_.append(bytes.data(), static_cast<std::size_t>(n));
  for (;;) {
    std::size_t length = 0, at = 1;
    for (unsigned shift = 0; at < input_.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(input_[at++]);
      length |= static_cast<std::size_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) break;
      if (at == input_.size()) return true;
    }
    if (input_.size() < 2 || input_.size() < at + length) return true;
    const auto first = static_cast<unsigned char>(input_[0]);
    const std::string body = input_.substr(at, length);
    input_.erase(0, at + length);
    handle(first >> 4U, first & 0x0fU, body);
  }
}

bool raw_client::has_input(milliseconds at_most) const {
  if (tls_ && SSL_pending(tls_.get()) > 0) return true;
  pollfd p{fd_, POLLIN, 0};
  return ::poll(&p, 1, static_cast<int>(at_most.count())) > 0;
}

void raw_client::handle(int type, int flags, const std::string& body) {
  if (type == 2) ++connacks_;
  if (type == 9) ++subacks_;
  if (type != 3) return;
  const auto number = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(body[at]) << 8U |
                                    static_cast<unsigned char>(body[at + 1]));
  };
  std::size_t at = 2 + number(0);
  received_message m{body.substr(2, at - 2), {}, (flags & 1) != 0};
  if ((flags & 0x06) != 0) {
    if (acknowledges) send(packet(0x40, body.substr(at, 2)));
    at += 2;
  }
  if (mqtt_5) at += 1 + static_cast<unsigned char>(body[at]);
  m.payload = body.substr(at);
  messages_.push_back(std::move(m));
}

}  // namespace testing_system
