// The transcript in topics.md: its commands run in a shell, and what they print is what it says.
#include <filesystem>
#include <fstream>
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

// The creation of the server's node is a time; in the transcript it is 1795204830000, and numbers of events are a
// little higher.
std::string with_creation_of_transcript(std::string text, long long creation) {
  std::string out;
  for (std::smatch m; std::regex_search(text, m, std::regex("[0-9]{13}")); text = m.suffix()) {
    const auto above = std::stoll(m.str()) - creation;
    out += m.prefix().str() + (above >= 0 && above < 1'000 ? std::to_string(1'795'204'830'000 + above) : m.str());
  }
  return out + text;
}

// One bash that runs the commands one after the other; each ends with a mark and its exit code.
struct shell {
  explicit shell(const mosquitto& b, const std::string& folder)
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

TEST(transcript, of_topics_md_runs_as_it_stands) {
  const auto steps = transcript();
  ASSERT_GE(steps.size(), 10U);
  mosquitto broker;
  program server(node_program, {"--name", "messenger@laptop", "-h", "127.0.0.1", "-p", broker.port_text()});
  ASSERT_TRUE(server.says("creation "));
  const auto log = server.errors();
  const auto creation = std::stoll(log.substr(log.find("creation ") + 9));
  const auto normal = [creation](const std::string& text) { return with_creation_of_transcript(text, creation); };
  const auto folder = make_folder();
  {
    shell sh(broker, folder);
    for (const auto& s : steps) {
      // What others send takes its time to arrive: a command that only looks is asked again.
      std::string printed = normal(sh.run(s.command));
      if (s.command.starts_with("cat "))
        eventually([&] { return printed == s.expected || ((printed = normal(sh.run(s.command))) == s.expected); }, 5s);
      EXPECT_EQ(printed, s.expected) << "$ " << s.command;
    }
  }
  EXPECT_TRUE(
      server.says("logoff: peter was peter@laptop/1795204836123-1, reason noconnection (its node died), 0 on the list"))
      << server.errors();
  EXPECT_TRUE(server.says("logoff: peter was peter@laptop/1795204899456-1, reason normal, 0 on the list"))
      << server.errors();
  std::filesystem::remove_all(folder);
}
