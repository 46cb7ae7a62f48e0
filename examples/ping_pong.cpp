#include "ping_pong.hpp"

#include <unistd.h>

#include "program/logging.hpp"
#include "program/node_program.hpp"
#include "program/output.hpp"

namespace ping_pong {

int run(int argc, char** argv, const std::string& about, const std::string& where_is,
        bool (*is_where)(std::string_view), const std::function<process(self)>& pong,
        const std::function<process(self, std::string)>& ping) {
  CLI::App app{about, argv[0]};
  program::common_options options;
  options.node.name = "pong";
  std::string which, where;
  program::add_common_options(app, options, "pong@HOST or ping@HOST", "warn");
  app.add_option("process", which, "pong, or ping")->required()->check(CLI::IsMember({"pong", "ping"}));
  app.add_option("where", where, "For ping: " + where_is);
  if (const auto code = program::parse(app, argc, argv, [&](program::configuration& from) {
        if (app.count("--name") == 0) options.node.name = which;
        program::complete(app, from, options);
        if (which == "ping" && !is_where(where)) throw program::usage_error{"ping needs to know " + where_is};
      }))
    return *code;
  try {
    program::event_loop loop;
    program::output errors(loop, STDERR_FILENO);
    const program::logging log(options.log_level, options.log_format, errors);
    program::node_program program(loop, options, "start one, or say where one is with -h and -p");
    auto& node = program.node();
    bool has_started = false;
    return program.run([&]() -> std::optional<nodelink::instant> {
      if (node.is_up() && !std::exchange(has_started, true)) {
        const pid p = which == "pong" ? node.spawn(pong) : node.spawn(ping, where);
        node.register_name(which, p);
        if (which == "pong") say("pong is " + to_string(p));
        node.run();
      }
      if (has_started && !node.whereis(which)) program.stop(0);
      return std::nullopt;
    });
  } catch (const std::exception& e) {
    std::cerr << argv[0] << ": " << e.what() << "\n";
    return program::run_time_failure;
  }
}

}  // namespace ping_pong
