// What a user writes: the configuration file, the broker's URL, a line of input.
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include <nodelink/paho/broker_url.hpp>
#include "client/commands.hpp"
#include "client/printable.hpp"
#include "fuzz.hpp"
#include "program/configuration.hpp"
#include "program/options.hpp"

namespace {

void read_file(std::string_view bytes) {
  const int fd = ::memfd_create("configuration", MFD_CLOEXEC);
  (void)!::write(fd, bytes.data(), bytes.size());
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  CLI::App app{"", "messenger-fuzz"};
  program::common_options options;
  program::add_common_options(app, options, "", "info");
  program::configuration from(app);
  try {
    app.parse(std::vector<std::string>{path, "--config"});
    from.read_file();
  } catch (const program::usage_error& e) {
    fuzz::expect(!e.sentence.empty(), "a mistake has a sentence");
  }
  ::close(fd);
}

}  // namespace

void fuzz::one(std::string_view bytes) {
  read_file(bytes);
  try {
    nodelink::paho::broker_settings broker;
    (void)nodelink::paho::read_broker_url(std::string(bytes), broker);
    expect(!broker.host.empty() && broker.port >= 1 && broker.port <= 65'535, "a URL that is taken leads to a broker");
  } catch (const nodelink::paho::bad_broker_url&) {
  }
  (void)messenger::parse_command(bytes);
  for (const unsigned char c : messenger::printable(std::string(bytes)))
    expect(c >= ' ' && c != 0x7f, "nothing of others commands the terminal");
}
