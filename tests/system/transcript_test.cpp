// The transcript in topics.md: its commands run in a shell, and what they print is what it says.
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>

#include "system/programs.hpp"

using namespace testing_system;

namespace {

struct step {
  std::string command;
  std::string expected;
};

// The blocks marked ```console in topics.md: `$ command`, continued with `> `, then its output.
std::vector<step> transcript() {
  std::ifstream file(SOURCE_FOLDER "/topics.md");
  std::vector<step> steps;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      inside = line == "```console";
    } else if (inside && line.starts_with("$ ")) {
      steps.push_back({line.substr(2), ""});
    } else if (inside && line.starts_with("> ") && !steps.empty()) {
      steps.back().command += "\n" + line.substr(2);
    } else if (inside && !steps.empty()) {
      steps.back().expected += line + "\n";
    }
  }
  return steps;
}

// Times, and what counts on from them, are others each time: each is called by the order in which it first appears, or,
// if it is by one higher than the one that has first appeared just before it in the same text, by that.
class times {
 public:
  std::string named(std::string text) {
    static const std::regex time("[0-9]{13}");
    std::string out;
    long long before = 0;
    for (std::smatch m; std::regex_search(text, m, time); text = m.suffix()) {
      auto& name = names_[std::stoll(m.str())];
      if (name.empty()) {
        const auto now = std::stoll(m.str());
        name = now == before + 1 ? names_[before] + "+1" : "time" + std::to_string(names_.size());
        before = now;
      }
      out += m.prefix().str() + name;
    }
    return out + text;
  }

 private:
  std::map<long long, std::string> names_;
};

// One bash that runs the commands one after the other; each ends with a mark and its exit code.
struct bash_shell {
  explicit bash_shell(const mosquitto& b, const std::string& folder)
      : broker(b),
        bash("bash",
             {"-c",
              "unset XDG_CONFIG_HOME; cd " + folder + " && export HOME=" + folder +
                  " && mkdir -p .config && echo '-p " + b.port_text() +
                  "' > .config/mosquitto_pub && cp .config/mosquitto_pub .config/mosquitto_sub && exec bash 2>&1"}) {}
  std::string run(const std::string& command) {
    const auto before = count(broker.log(), "Sending SUBACK");
    bash.type(command + "\necho :done:");
    std::string out;
    for (auto line = bash.next_line(); line && *line != ":done:"; line = bash.next_line()) out += *line + "\n";
    if (command.ends_with("&")) {
      EXPECT_TRUE(eventually([&] { return count(broker.log(), "Sending SUBACK") > before; }));
    }
    return out;
  }
  const mosquitto& broker;
  program bash;
};

}  // namespace

// It is played twice, in the same folder and at the same server.
TEST(transcript, of_topics_md_runs_as_it_stands) {
  const auto steps = transcript();
  ASSERT_GE(steps.size(), 10U);
  mosquitto broker;
  program server(node_program, {"--name", "messenger@laptop", "-h", "127.0.0.1", "-p", broker.port_text()});
  ASSERT_TRUE(server.says("creation "));
  const auto folder = make_folder();
  {
    bash_shell sh(broker, folder);
    for (const std::string time : {"first", "second"}) {
      SCOPED_TRACE("played for the " + time + " time");
      times expected_times, times_here;
      for (const auto& s : steps) {
        const auto expected = expected_times.named(s.expected);
        // What others send takes its time to arrive: a command that only looks is asked again.
        auto printed = sh.run(s.command);
        const auto is_as_expected = [&] {
          auto times_then = times_here;
          return times_then.named(printed) == expected;
        };
        if (s.command.starts_with("cat "))
          eventually([&] { return is_as_expected() || (printed = sh.run(s.command), is_as_expected()); }, 5s);
        EXPECT_EQ(times_here.named(printed), expected) << "$ " << s.command;
      }
    }
  }
  const std::regex died(
      "logoff: peter was peter@laptop/[0-9]{13}-1, reason noconnection \\(its node died\\), 0 on the list");
  const std::regex left("logoff: peter was peter@laptop/[0-9]{13}-1, reason normal, 0 on the list");
  const auto in_log = [&](const std::regex& line) {
    const auto log = server.errors();
    return std::distance(std::sregex_iterator(log.begin(), log.end(), line), std::sregex_iterator());
  };
  EXPECT_TRUE(eventually([&] { return in_log(died) == 2 && in_log(left) == 2; })) << server.errors();
  std::filesystem::remove_all(folder);
}
