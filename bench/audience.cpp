#include "bench/audience.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <sys/epoll.h>
#include <unistd.h>

namespace bench {

using std::chrono::steady_clock;

namespace {

const std::string root = "messenger/1/messenger/";
const std::string creation = "1";
const std::string reference_topic = root + "room/reference/from/speaker@load";
constexpr auto patience = std::chrono::seconds(60);

}  // namespace

audience::audience(int port, std::size_t size, const std::string& server)
    : server_(server), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
  for (std::size_t i = 0; i < size; ++i) {
    members_.push_back(std::make_unique<member>());
    auto& m = *members_.back();
    m.node = "member" + std::to_string(i) + "@load";
    m.pid = m.node + "/" + creation + "-1";
    m.mqtt.open(port, m.node,
                {root + "node/" + m.node, R"(["nodedown",")" + m.node + "\"," + creation + R"(,"noconnection"])"});
    epoll_event event{EPOLLIN, {.ptr = &m}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, m.mqtt.fd(), &event);
    flush(m);
    until([&m] { return m.mqtt.is_connected(); });
    m.mqtt.subscribe(root + "to/" + m.node + "/+/from/+", 1);
    m.mqtt.publish(root + "node/" + m.node, R"(["nodeup",")" + m.node + "\"," + creation + "]", 1, true);
    const std::string to_server = root + "to/" + server_ + "/messenger/from/" + m.node;
    send(m, to_server, R"([")" + m.pid + R"(","logon",")" + m.node + "\"]");
    send(m, to_server, R"([")" + m.pid + R"(","join","lobby"])");
    until([&m] { return m.is_in; });
  }
  // Not before: a thousand members would each have heard of all who come later.
  for (auto& m : members_) {
    m->mqtt.subscribe(root + "room/lobby/from/" + server_, 1);
    m->mqtt.subscribe(reference_topic, 1);
    flush(*m);
  }
  for (auto& m : members_) until([&m] { return m->mqtt.subacks() == 3; });
}

audience::~audience() { ::close(epoll_); }

duration audience::say() {
  return until_all_have_heard([this] {
    auto& speaker = *members_.front();
    send(speaker, root + "to/" + server_ + "/messenger/from/" + speaker.node,
         R"([")" + speaker.pid + R"(","say","lobby","text )" + std::to_string(said_) + "\"]");
  });
}

duration audience::publish() {
  return until_all_have_heard([this] {
    send(*members_.front(), reference_topic,
         R"(["said","reference",1795204836123,"member0@load","text )" + std::to_string(said_) + "\"]");
  });
}

duration audience::until_all_have_heard(const std::function<void()>& begin) {
  ++said_;
  heard_ = 0;
  const auto start = steady_clock::now();
  begin();
  until([this] { return heard_ == members_.size(); });
  return steady_clock::now() - start;
}

void audience::send(member& m, const std::string& topic, const std::string& payload) {
  m.mqtt.publish(topic, payload, 1);
  flush(m);
}

void audience::flush(member& m) {
  const bool waits = !m.mqtt.flush();
  if (waits == m.waits_for_output) return;
  m.waits_for_output = waits;
  epoll_event event{waits ? EPOLLIN | EPOLLOUT : EPOLLIN, {.ptr = &m}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, m.mqtt.fd(), &event);
}

void audience::wait() {
  std::array<epoll_event, 256> events;
  const int n = ::epoll_wait(epoll_, events.data(), events.size(), 100);
  for (int i = 0; i < n; ++i) {
    auto& m = *static_cast<member*>(events[static_cast<std::size_t>(i)].data.ptr);
    m.mqtt.read([&](std::string_view topic, std::string_view payload) { heard(m, topic, payload); });
    flush(m);
  }
}

void audience::heard(member& m, std::string_view topic, std::string_view payload) {
  if (payload.find("\"joined\"") != payload.npos && topic.find("/to/") != topic.npos) m.is_in = true;
  if (topic.find("/room/") != topic.npos && payload.ends_with("text " + std::to_string(said_) + "\"]")) ++heard_;
}

void audience::until(const std::function<bool()>& is_there) {
  for (const auto end = steady_clock::now() + patience; !is_there(); wait())
    if (steady_clock::now() > end) throw std::runtime_error("the members of a room have not heard all");
}

}  // namespace bench
