#include "bench/connection.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {
namespace {

void put_length(std::string& to, std::size_t length) {
  do {
    const auto low = static_cast<char>(length % 128);
    length /= 128;
    to += static_cast<char>(length > 0 ? low | '\x80' : low);
  } while (length > 0);
}

void put_number(std::string& to, std::size_t n) {
  to += static_cast<char>(n >> 8);
  to += static_cast<char>(n);
}

void put_text(std::string& to, std::string_view text) {
  put_number(to, text.size());
  to += text;
}

std::size_t number_at(std::string_view text, std::size_t at) {
  return static_cast<std::size_t>(static_cast<unsigned char>(text[at])) << 8 | static_cast<unsigned char>(text[at + 1]);
}

// As many at a time as a third-party client would, so that one busy connection does not starve the others.
constexpr std::size_t read_at_once = 65'536;

}  // namespace

connection& connection::operator=(connection&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(input_, other.input_);
  std::swap(output_, other.output_);
  std::swap(sent_, other.sent_);
  std::swap(packet_id_, other.packet_id_);
  std::swap(subacks_, other.subacks_);
  std::swap(unacknowledged_, other.unacknowledged_);
  std::swap(connected_, other.connected_);
  return *this;
}

void connection::open(int port, const std::string& client_id, const will& last_will) {
  close();
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) throw std::system_error(errno, std::system_category(), "socket");
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS)
    throw std::system_error(errno, std::system_category(), "connect");

  std::string body;
  put_text(body, "MQTT");
  body += '\x04';
  body += last_will.topic.empty() ? '\x02' : '\x2e';  // clean session; will of QoS 1, retained
  put_number(body, 3'600);
  put_text(body, client_id);
  if (!last_will.topic.empty()) {
    put_text(body, last_will.topic);
    put_text(body, last_will.payload);
  }
  output_ += '\x10';
  put_length(output_, body.size());
  output_ += body;
}

void connection::subscribe(std::string_view filter, int qos) {
  output_ += '\x82';
  put_length(output_, 2 + 2 + filter.size() + 1);
  put_number(output_, 1);
  put_text(output_, filter);
  output_ += static_cast<char>(qos);
}

void connection::publish(std::string_view topic, std::string_view payload, int qos, bool retain) {
  output_ += static_cast<char>(0x30 | qos << 1 | (retain ? 1 : 0));
  put_length(output_, 2 + topic.size() + (qos > 0 ? 2 : 0) + payload.size());
  put_text(output_, topic);
  if (qos > 0) {
    if (++packet_id_ == 0) packet_id_ = 1;
    put_number(output_, packet_id_);
    ++unacknowledged_;
  }
  output_ += payload;
}

void connection::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  input_.clear();
  output_.clear();
  sent_ = 0;
  subacks_ = unacknowledged_ = 0;
  connected_ = false;
}

bool connection::flush() {
  while (sent_ < output_.size()) {
    const auto n = ::send(fd_, output_.data() + sent_, output_.size() - sent_, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EAGAIN || errno == ENOTCONN) return false;
      throw std::system_error(errno, std::system_category(), "send to the broker");
    }
    sent_ += static_cast<std::size_t>(n);
  }
  output_.clear();
  sent_ = 0;
  return true;
}

void connection::read(const receiver& on_publish) {
  static thread_local std::array<char, read_at_once> buffer;
  const auto n = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) throw std::runtime_error("the broker has closed a connection");
  std::string_view rest(buffer.data(), static_cast<std::size_t>(n));
  if (!input_.empty()) rest = input_.append(rest);
  for (;;) {
    std::size_t length = 0, at = 1;
    for (int shift = 0;; shift += 7) {
      if (at >= rest.size()) {
        input_ = std::string(rest);
        return;
      }
      const auto byte = static_cast<unsigned char>(rest[at++]);
      length |= static_cast<std::size_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (rest.size() < at + length) break;
    handle(static_cast<unsigned char>(rest[0]), rest.substr(at, length), on_publish);
    rest.remove_prefix(at + length);
  }
  input_ = std::string(rest);
}

void connection::handle(unsigned char header, std::string_view body, const receiver& on_publish) {
  switch (header >> 4) {
    case 2:
      if (body[1] != 0) throw std::runtime_error("the broker refused a connection");
      connected_ = true;
      return;
    case 3: {
      const auto topic_size = number_at(body, 0);
      const bool acknowledge = (header & 6) != 0;
      if (acknowledge) {
        output_ += '\x40';
        output_ += '\x02';
        output_ += body.substr(2 + topic_size, 2);
      }
      return on_publish(body.substr(2, topic_size), body.substr(2 + topic_size + (acknowledge ? 2 : 0)));
    }
    case 4: --unacknowledged_; return;
    case 9: ++subacks_; return;
    default: return;
  }
}

}  // namespace bench
