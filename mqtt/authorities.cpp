#include "mqtt/authorities.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <sys/mman.h>
#include <unistd.h>

namespace paho {

static std::string read(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

authorities::authorities(const tls_settings& settings) : file_(settings.ca_file) {
  if (settings.ca_folder.empty()) return;
  in_memory_ = ::memfd_create("authorities", MFD_CLOEXEC);
  std::string all = settings.ca_file.empty() ? "" : read(settings.ca_file) + "\n";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(settings.ca_folder, ignored))
    if (entry.is_regular_file(ignored)) all += read(entry.path()) + "\n";
  for (std::size_t done = 0; done < all.size();) {
    const auto n = ::write(in_memory_, all.data() + done, all.size() - done);
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  file_ = "/proc/self/fd/" + std::to_string(in_memory_);
}

authorities::~authorities() {
  if (in_memory_ >= 0) ::close(in_memory_);
}

}  // namespace paho
