#include "program/paho_tuning.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <MQTTAsync.h>
#include <openssl/conf.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

// usleep() and poll() here take the place of the C library's, for Paho's receive thread alone: see MQTTAsync_cycle() of
// Paho C 1.3.12 and 1.3.14. That thread
// - sleeps 0.1 s when nothing has come for a second, and again and again while it has no connection;
// - polls for a second the sockets that there were when it began, though there is a new one by then.
// For every other thread they do what the C library's do.
static constexpr std::chrono::microseconds pause_of_paho(100'000), short_pause(5'000);
static constexpr std::chrono::milliseconds first_wait_of_paho(10), short_wait(1);

// A connection is being made, of which Paho may learn in any order.
static constexpr auto beginning = std::chrono::milliseconds(200);
static std::atomic<std::chrono::steady_clock::time_point> begins_until{};
static bool begins() { return std::chrono::steady_clock::now() < begins_until.load(); }

static int awake() {
  static const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd;
}

static bool is_receive_thread() {
  static thread_local const bool is = [] {
    char name[16] = {};
    ::prctl(PR_GET_NAME, name);
    return std::string_view(name) == "MQTTAsync_rcv";
  }();
  return is;
}

static timespec timespec_of(std::chrono::nanoseconds t) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(t);
  return {static_cast<time_t>(whole.count()), static_cast<long>((t - whole).count())};
}

// MQTTAsync_stop() sleeps until Paho's two threads are through, a hundred times at most: after that it takes away what
// they stand on. So only the first times are short.
static thread_local bool is_ending = false;
static thread_local int times_slept = 0;
constexpr int short_times = 10;

extern "C" int usleep(useconds_t microseconds) {
  if (microseconds == pause_of_paho.count() && is_receive_thread())
    microseconds = begins() ? 1'000 : short_pause.count();
  if (microseconds == pause_of_paho.count() && is_ending) {
    if (++times_slept <= short_times) microseconds = short_pause.count();
    program::wake_paho();
  }
  const auto time = timespec_of(std::chrono::microseconds(microseconds));
  return ::nanosleep(&time, nullptr);
}

extern "C" int poll(pollfd* which, nfds_t count, int milliseconds) {
  auto time = timespec_of(std::chrono::milliseconds(milliseconds));
  const timespec* const at_most = milliseconds < 0 ? nullptr : &time;
  if (milliseconds < first_wait_of_paho.count() || !is_receive_thread()) return ::ppoll(which, count, at_most, nullptr);
  if (begins()) time = timespec_of(short_wait);
  std::vector<pollfd> all(which, which + count);
  all.push_back({awake(), POLLIN, 0});
  const int ready = ::ppoll(all.data(), all.size(), at_most, nullptr);
  std::copy(all.begin(), all.end() - 1, which);
  if (ready <= 0 || all.back().revents == 0) return ready;
  eventfd_t calls = 0;
  ::eventfd_read(awake(), &calls);
  return ready - 1;
}

namespace program {

// Paho knows no lowest version, only a single one. A context of OpenSSL begins with what the configuration says.
static void require_version(const nodelink::paho::tls_settings& settings) {
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  const std::string text = std::string("messenger = modules\n[modules]\nssl_conf = contexts\n[contexts]\n") +
                           "system_default = every\n[every]\nCipherString = DEFAULT:@SECLEVEL=2\nMinProtocol = " +
                           (settings.is_1_3_needed ? "TLSv1.3" : "TLSv1.2") + "\n";
  const std::unique_ptr<BIO, int (*)(BIO*)> in(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  const std::unique_ptr<CONF, void (*)(CONF*)> configuration(NCONF_new(nullptr), NCONF_free);
  NCONF_load_bio(configuration.get(), in.get(), nullptr);
  CONF_modules_load(configuration.get(), "messenger", 0);
}

void wake_paho() {
  begins_until = std::chrono::steady_clock::now() + beginning;
  ::eventfd_write(awake(), 1);
}

ending_paho::ending_paho() {
  is_ending = true;
  times_slept = 0;
}
ending_paho::~ending_paho() { is_ending = false; }

void prepare_paho(const nodelink::paho::tls_settings& tls) {
  if (tls.on) require_version(tls);
  MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);  // the default costs a vsnprintf a packet
  // Paho would go to these, whatever the broker's address.
  for (const char* proxy : {"http_proxy", "https_proxy"}) ::unsetenv(proxy);
}

}  // namespace program
