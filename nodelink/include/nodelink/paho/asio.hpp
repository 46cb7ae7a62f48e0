/// @file asio.hpp
/// A node in a program that runs on Boost.Asio; or on Asio by itself, with NODELINK_STANDALONE_ASIO defined.
#pragma once

#ifdef NODELINK_STANDALONE_ASIO
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#else
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#endif

#include <memory>

#include <nodelink/paho/host.hpp>

namespace [[gnu::visibility("default")]] nodelink {
namespace detail {

#ifdef NODELINK_STANDALONE_ASIO
namespace net = ::asio;
using net_error = std::error_code;
#else
namespace net = ::boost::asio;
using net_error = ::boost::system::error_code;
#endif

// Lives for as long as the context holds one of its two waits.
class asio_loop : public std::enable_shared_from_this<asio_loop> {
 public:
  asio_loop(net::io_context& context, host& driven)
      : host_(driven), strand_(net::make_strand(context)), readable_(strand_, driven.fd()), due_(strand_) {}
  // The descriptor is the host's.
  ~asio_loop() { readable_.release(); }

  void begin() {
    net::dispatch(strand_, [me = shared_from_this()] {
      me->host_.connect();
      me->read();
      me->step();
    });
  }

 private:
  void read() {
    readable_.async_wait(net::posix::stream_descriptor::wait_read, [me = shared_from_this()](const net_error& failed) {
      if (!failed && me->step()) me->read();
    });
  }
  bool step() {
    if (!host_.step()) {
      is_over_ = true;
      due_.cancel();
      readable_.cancel();
      return false;
    }
    due_.expires_at(host_.next_deadline().value_or(instant::max()));
    due_.async_wait([me = shared_from_this()](const net_error& failed) {
      if (!failed && !me->is_over_) me->step();
    });
    return true;
  }

  host& host_;
  net::strand<net::io_context::executor_type> strand_;
  net::posix::stream_descriptor readable_;
  net::steady_timer due_;
  bool is_over_ = false;
};

}  // namespace detail

/// Connects, and has the context drive the node: processes, observers, and what is given to host::post() run in a
/// strand of its own, on whichever thread calls the context's run(), which goes on until the node has stopped:
/// host::stop().
/// @param context whose run() drives it @param driven outlives the context, or has stopped before it goes. Neither
/// run() nor start() is called for it.
inline void drive(detail::net::io_context& context, host& driven) {
  std::make_shared<detail::asio_loop>(context, driven)->begin();
}

}  // namespace nodelink
