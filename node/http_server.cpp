#include "node/http_server.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace messenger {
namespace {

// Whoever asks is a Prometheus or a probe: a few at a time, who say soon what they want.
constexpr unsigned most_connections = 512;
constexpr unsigned longest_silence_seconds = 2;
constexpr std::size_t most_memory_of_one = 8'192;
constexpr unsigned long long longest_pause_milliseconds = 200;

struct addrinfo_deleter {
  void operator()(addrinfo* a) const { ::freeaddrinfo(a); }
};

// @returns a socket that listens there.
int listen_at(const http_address& at) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const auto where = "the address for metrics, " + at.host + ":" + std::to_string(at.port) + ", ";
  if (const int error = ::getaddrinfo(at.host.c_str(), std::to_string(at.port).c_str(), &hints, &found); error != 0)
    throw std::runtime_error(where + "is none of this machine: " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, addrinfo_deleter> all(found);
  const int fd = ::socket(all->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || ::bind(fd, all->ai_addr, all->ai_addrlen) != 0 || ::listen(fd, SOMAXCONN) != 0) {
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    throw std::runtime_error(where + "cannot be listened at: " + why + "; choose another with --metrics");
  }
  return fd;
}

int port_of(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<sockaddr_in&>(bound).sin_port);
}

MHD_Result send(MHD_Connection* to, const http_answer& a) {
  auto* const response =
      MHD_create_response_from_buffer(a.body.size(), const_cast<char*>(a.body.data()), MHD_RESPMEM_MUST_COPY);
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, a.content_type.c_str());
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");  // the place is another's
  if (a.status == MHD_HTTP_METHOD_NOT_ALLOWED) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  const auto result = MHD_queue_response(to, static_cast<unsigned>(a.status), response);
  MHD_destroy_response(response);
  return result;
}

using answers = std::function<std::optional<http_answer>(const std::string&)>;

MHD_Result on_request(void* context, MHD_Connection* from, const char* path, const char* method, const char*,
                      const char*, std::size_t* body_size, void** state) {
  static char seen;
  if (*state == nullptr) {  // the headers; the body, if there is one, follows
    *state = &seen;
    return MHD_YES;
  }
  if (*body_size > 0) {
    *body_size = 0;
    return MHD_YES;
  }
  const bool is_head = std::strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
  if (!is_head && std::strcmp(method, MHD_HTTP_METHOD_GET) != 0)
    return send(from, {MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", "only GET\n"});
  std::string where = path;
  if (where.starts_with("http://")) where.erase(0, where.find('/', 7));  // RFC 9112, section 3.2.2
  const auto found = (*static_cast<const answers*>(context))(where);
  return send(from, found.value_or(http_answer{MHD_HTTP_NOT_FOUND, "text/plain; charset=utf-8", "nothing here\n"}));
}

}  // namespace

std::optional<http_address> http_address::read(const std::string& text) {
  http_address at;
  const auto colon = text.rfind(':');
  const std::string port = colon == text.npos ? text : text.substr(colon + 1);
  if (colon != text.npos) {
    at.host = text.substr(0, colon);
    const bool is_bracketed = at.host.size() > 2 && at.host.front() == '[' && at.host.back() == ']';
    if (is_bracketed) at.host = at.host.substr(1, at.host.size() - 2);
    if (at.host.empty() || (!is_bracketed && at.host.find_first_of(":[]") != at.host.npos)) return std::nullopt;
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), at.port);
  if (error != std::errc() || end != port.data() + port.size() || at.port < 0 || at.port > 65'535) return std::nullopt;
  return at;
}

http_server::http_server(program::event_loop& loop, const http_address& at, answers answer)
    : loop_(loop), at_(at), answer_(std::move(answer)) {
  const int listening = listen_at(at);
  at_.port = port_of(listening);
  daemon_ =
      MHD_start_daemon(MHD_USE_EPOLL | MHD_NO_FLAG, 0, nullptr, nullptr, on_request, &answer_, MHD_OPTION_LISTEN_SOCKET,
                       listening, MHD_OPTION_CONNECTION_LIMIT, most_connections, MHD_OPTION_CONNECTION_TIMEOUT,
                       longest_silence_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT, most_memory_of_one, MHD_OPTION_END);
  if (!daemon_) {
    ::close(listening);
    throw std::runtime_error("metrics cannot be served at " + url());
  }
  fd_ = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  loop_.watch(fd_, [this] { go_on(); });
  loop_.watch(timer_, [this] {
    std::uint64_t times = 0;
    (void)!::read(timer_, &times, sizeof times);
    go_on();
  });
}

http_server::~http_server() {
  loop_.unwatch(fd_);
  loop_.unwatch(timer_);
  ::close(timer_);
  MHD_stop_daemon(daemon_);
}

// What there is to do, and when to look again though nothing comes. With all places taken libmicrohttpd does not
// listen, and after the end of a connection not before it is looked at once more.
void http_server::go_on() {
  MHD_run(daemon_);
  const bool has_connections = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections > 0;
  MHD_UNSIGNED_LONG_LONG milliseconds = longest_pause_milliseconds;
  itimerspec next{};
  if (has_connections || std::exchange(had_connections_, has_connections)) {
    had_connections_ = has_connections;
    MHD_UNSIGNED_LONG_LONG wanted = 0;
    if (MHD_get_timeout(daemon_, &wanted) == MHD_YES) milliseconds = std::min(milliseconds, wanted);
    next.it_value.tv_sec = static_cast<time_t>(milliseconds / 1'000);
    next.it_value.tv_nsec = static_cast<long>(milliseconds % 1'000 * 1'000'000) + 1;  // 0 would be never
  }
  ::timerfd_settime(timer_, 0, &next, nullptr);
}

std::string http_server::url() const {
  const bool is_ipv6 = at_.host.find(':') != at_.host.npos;
  return "http://" + (is_ipv6 ? "[" + at_.host + "]" : at_.host) + ":" + std::to_string(at_.port);
}

}  // namespace messenger
