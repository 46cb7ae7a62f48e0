#include "node/exposition.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

namespace messenger {
namespace {

double seconds_of(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; }

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
  std::error_code ignored;
  const std::filesystem::directory_iterator all("/proc/self/fd", ignored);
  return static_cast<double>(std::distance(begin(all), end(all)) - 1);  // without the one that looks
}

const double started = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();

prometheus::MetricFamily family(const figure& f) {
  using prometheus::ClientMetric;
  using prometheus::MetricType;
  prometheus::MetricFamily all{f.name, f.help, MetricType::Gauge, {}};
  if (f.distribution) {
    const auto& d = *f.distribution;
    ClientMetric m;
    m.histogram.sample_count = d.count();
    m.histogram.sample_sum = d.sum();
    std::uint64_t up_to = 0;
    for (std::size_t i = 0; i < d.counts().size(); ++i) {
      up_to += d.counts()[i];
      const double bound = i < d.bounds().size() ? d.bounds()[i] : std::numeric_limits<double>::infinity();
      m.histogram.bucket.push_back({up_to, bound});
    }
    all.type = MetricType::Histogram;
    all.metric.push_back(std::move(m));
    return all;
  }
  if (f.what == figure::kind::counter) all.type = MetricType::Counter;
  for (const auto& [labels, value] : f.values) {
    ClientMetric m;
    for (std::size_t i = 0; i < labels.size(); ++i) m.label.push_back({f.label_names[i], labels[i]});
    m.counter.value = m.gauge.value = value;
    all.metric.push_back(std::move(m));
  }
  return all;
}

}  // namespace

figures process_figures(const std::string& version) {
  using enum figure::kind;
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  figures all;
  const auto one = [&all](const char* name, const char* help, figure::kind what, double value) {
    all.push_back({name, help, what, {}, {{{}, value}}});
  };
  all.push_back({"messenger_build_info", "1, with the version of this program.", gauge, {"version"}, {{{version}, 1}}});
  one("process_start_time_seconds", "When this program started, in Unix time.", gauge, started);
  one("process_cpu_seconds_total", "CPU time of this program.", counter,
      seconds_of(used.ru_utime) + seconds_of(used.ru_stime));
  one("process_resident_memory_bytes", "Memory of this program.", gauge, resident_bytes());
  one("process_open_fds", "Descriptors of this program.", gauge, open_descriptors());
  return all;
}

http_answer as_prometheus(const figures& all) {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& f : all) families.push_back(family(f));
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return {200, "text/plain; version=0.0.4; charset=utf-8", text.str()};
}

http_answer as_health(const health& h) {
  const std::string node = "node " + h.node + "\n";
  if (!h.is_up) return {503, "text/plain; charset=utf-8", "no connection to the broker\n" + node};
  if (h.serves && !h.has_server) return {503, "text/plain; charset=utf-8", "no server process\n" + node};
  return {200, "text/plain; charset=utf-8", (h.serves ? "serving\n" : "standing by\n") + node};
}

}  // namespace messenger
