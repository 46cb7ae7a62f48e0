// Measures messenger-node against R, the bare relay, and writes down what came of it. See README.md.
#include <fstream>
#include <iostream>
#include <thread>

#include <sys/resource.h>
#include <sys/utsname.h>

#include <CLI/CLI.hpp>

#include "bench/measures.hpp"
#include "bench/report.hpp"

namespace {

// As many connections as the system lets a program have; the broker inherits it. @returns how many.
std::size_t raise_file_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

std::string first_line_of(const std::string& command) {
  std::string line;
  if (FILE* out = ::popen(command.c_str(), "r")) {
    for (int c; (c = std::fgetc(out)) != EOF && c != '\n';) line += static_cast<char>(c);
    ::pclose(out);
  }
  return line;
}

std::vector<std::string> machine() {
  utsname system{};
  ::uname(&system);
  std::string cpu = first_line_of("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo");
  return {first_line_of("date -u +%Y-%m-%d") + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores, " +
              (cpu.empty() ? "CPU unknown" : cpu) + ", Linux " + system.release,
          first_line_of("dpkg-query -W -f='Mosquitto ${Version}, ' mosquitto; dpkg-query -W -f='Paho C ${Version}, ' "
                        "libpaho-mqtt-dev; dpkg-query -W -f='libmosquitto ${Version}' libmosquitto-dev")};
}

void write(const std::string& path, const std::string& content) {
  if (!(std::ofstream(path) << content)) throw std::runtime_error("cannot write " + path);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures messenger-node against a bare relay.", "bench"};
  bool smoke = false;
  std::string folder;
  std::vector<int> only;
  app.add_flag("--smoke", smoke, "A little of everything, to see that it works; the figures mean nothing");
  app.add_option("--only", only, "The measures to run, by number")->delimiter(',')->check(CLI::Range(1, 15));
  std::vector<int> qos{1, 0};
  app.add_option("--qos", qos, "The QoS to measure 1 to 4 and 9 with; both unless set")->check(CLI::Range(0, 1));
  app.add_option("--write-to", folder, "Folder for RESULTS.md and the plots")->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  try {
    bench::scale scale;
    using namespace std::chrono_literals;
    if (smoke)
      scale = {.pairs = 1,
               .round = 50ms,
               .clients = 10,
               .many_clients = 20,
               .storm = 50,
               .crowd = 200,
               .silent_users = 20,
               .silence = 1s,
               .idle_servers = 2,
               .idle_rounds = 1,
               .members = 20,
               .starts = 1,
               .schedules = 20};
    const auto files = raise_file_limit();
    const int room = static_cast<int>(std::min<std::size_t>(files, 1'000'000)) - 300;
    if (scale.storm > room) {
      std::cerr << "only " << files << " open files are allowed: a storm of " << room << " instead of " << scale.storm
                << "\n";
      scale.storm = room;
    }
    const auto report =
        bench::run(scale, only, qos, [](const std::string& what) { std::cerr << "... " << what << std::endl; });
    if (!report.results.empty()) std::cout << "QoS 1, the default\n\n" << bench::table(report.results) << "\n";
    if (!report.with_qos_0.empty()) std::cout << "QoS 0\n\n" << bench::table(report.with_qos_0) << "\n";
    if (folder.empty()) return 0;
    if (!only.empty() || qos.size() < 2) throw std::runtime_error("--write-to is for all measures");
    write(folder + "/RESULTS.md", bench::results_page(report, machine()));
    write(folder + "/latency.svg", bench::latency_plot(report.plotted));
    write(folder + "/capacity.svg", bench::capacity_plot(report.plotted));
  } catch (const std::exception& e) {
    std::cerr << "bench: " << e.what() << "\n";
    return 1;
  }
}
