/// @file session.hpp
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <nodelink/paho/broker_settings.hpp>
#include "paho/outbox.hpp"
#include "paho/paho_connection.hpp"

namespace nodelink::paho {

/// An MQTT session, which here is as long as its connection: what leaves in it and when, and which goodbye it has. On
/// the node's thread.
class session {
 public:
  /// @param number tells what is said of one session from what is said of another. @param tell see connection.
  session(std::uint64_t number, const broker_settings& broker, const std::string& client_id, const publication& will,
          std::function<void(happening)> tell);

  std::uint64_t number() const { return number_; }
  /// Paho has been told to connect, and has not said that it could not.
  bool is_begun() const { return is_begun_; }
  /// CONNACK may still come.
  bool is_connecting() const { return is_begun_ && !is_up_ && !has_ended_; }
  /// Between CONNACK and the goodbye's last word.
  bool is_up() const { return is_up_; }
  const outbox& out() const { return outbox_; }
  bool is_congested() const { return is_up_ && outbox_.is_congested(); }
  /// Each filter that was asked for has been granted, at least once.
  bool was_subscribed() const { return was_subscribed_; }
  /// DISCONNECT has been said.
  bool has_ended() const { return has_ended_; }

  void connect(const std::vector<socket_address>& addresses);
  // Nothing happens unless the session is up.
  void subscribe(const std::vector<subscription>& to);
  void unsubscribe(const std::vector<std::string>& filters);
  void publish(publication p);

  /// Sends what is queued, then DISCONNECT.
  void close();
  /// DISCONNECT as soon as may be, after CONNACK if that has not come; what is queued is lost.
  void withdraw();
  /// Says the will, if the session is up, and DISCONNECT.
  void abort();

  /// Paho says that this has happened. @returns whether it is the last SUBACK that was waited for.
  bool take(step what);
  /// A message has come.
  void heard();
  /// Sends what may be sent.
  void go_on();
  /// A quarter of the keepalive is over. @returns whether the broker has been silent for too long.
  bool is_silent_too_long();

 private:
  void ask_for_silence();

  const std::uint64_t number_;
  outbox outbox_;
  std::set<std::string> filters_;  // that are subscribed to
  std::size_t subscribing_ = 0;    // SUBACKs to come
  int silent_ = 0;                 // for how many quarters of the keepalive
  bool is_begun_ = false, is_up_ = false, was_subscribed_ = false, has_ended_ = false;
  bool has_heard_ = false;  // a message, since the broker was asked to send no more

  connection paho_;
};

}  // namespace nodelink::paho
