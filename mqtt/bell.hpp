/// @file bell.hpp
#pragma once

namespace paho {

/// Wakes Paho's send thread, which can miss that it was given something: it finds nothing to do, is given something,
/// and only then lies down, for a second. (Thread_wait_cond() in MQTTAsync_sendThread() of Paho C 1.3.12 and 1.3.14.)
///
/// While there is a bell Paho has a client, so that its threads go on from one connection to the next. Any thread.
class bell {
 public:
  bell();
  ~bell();
  bell(const bell&) = delete;
  bell& operator=(const bell&) = delete;

  void ring();

 private:
  void* client_ = nullptr;
};

}  // namespace paho
