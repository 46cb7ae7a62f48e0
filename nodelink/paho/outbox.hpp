/// @file outbox.hpp
/// What is to be published on one connection, and when it may leave.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include <nodelink/transport.hpp>

namespace nodelink::paho {

class outbox {
 public:
  /// The broker takes so many publications that it has not acknowledged, at least 1 (MQTT 5.0 section 3.2.2.3.3).
  void set_receive_maximum(int count);

  void put(publication p);
  /// Nothing leaves before the answer to this many questions (SUBSCRIBE, UNSUBSCRIBE) more.
  void wait_for(std::size_t answers) { awaited_ += answers; }
  void answered() { --awaited_; }
  bool is_waiting() const { return awaited_ > 0; }
  /// What has not left does not.
  void drop() { queued_.clear(); }
  /// When all has left and is acknowledged, that is the end.
  void close() { is_closing_ = true; }

  /// The next that leaves now. It counts as in flight.
  std::optional<publication> next();
  void acknowledged(int count) { in_flight_ -= count; }

  /// After how many acknowledgements it is worth asking again; 0 if none is waited for.
  int awaited_acknowledgements() const;
  bool is_through() const { return is_closing_ && queued_.empty() && in_flight_ == 0 && !is_waiting(); }
  std::size_t queued() const { return queued_.size(); }
  std::size_t in_flight() const { return static_cast<std::size_t>(in_flight_); }
  bool is_congested() const { return queued_.size() >= most_queued; }

  /// What may wait before whoever gives rise to more has to.
  static constexpr std::size_t most_queued = 200;
  /// Paho goes through the list of those in flight at each packet.
  static constexpr int most_in_flight = 100;

 private:
  std::deque<publication> queued_;
  int window_ = most_in_flight;
  int in_flight_ = 0;
  std::size_t awaited_ = 0;
  bool is_closing_ = false;
};

}  // namespace nodelink::paho
