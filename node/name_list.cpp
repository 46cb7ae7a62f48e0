#include "node/name_list.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <sys/stat.h>

#include <nodelink/names.hpp>
#include "program/log_event.hpp"
#include "protocol/user_name.hpp"

namespace messenger {

name_list::name_list(std::string path) : path_(std::move(path)) {
  version_ = present();
  read();
}

name_list::version name_list::present() const {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) return {};
  return {status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ino};
}

void name_list::read() {
  // Of anything else, a pipe for one, it might wait for ever.
  std::error_code ignored;
  std::ifstream file;
  if (std::filesystem::is_regular_file(path_, ignored)) file.open(path_);
  std::set<std::pair<std::string, std::string>> all;
  if (!file.is_open()) throw std::runtime_error("the list of names " + path_ + " cannot be read");
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    const auto space = line.find(' ');
    auto node = line.substr(0, space);
    auto name = space == line.npos ? "" : line.substr(space + 1);
    if (!nodelink::is_node_name(node) || !is_user_name(name))
      throw std::runtime_error(path_ + ":" + std::to_string(number) +
                               ": this is to be a node and the name of a user, as in " + "\"ann@laptop ann\"");
    all.emplace(std::move(node), std::move(name));
  }
  if (file.bad()) throw std::runtime_error("the list of names " + path_ + " cannot be read");
  all_ = std::move(all);
}

bool name_list::may_have(const std::string& name, const std::string& node) {
  if (const auto now = present(); now != version_) {
    version_ = now;
    try {
      read();
      program::log(spdlog::level::info, "names", {{"count", all_.size()}}, "the list of names has changed: {} lines",
                   all_.size());
    } catch (const std::runtime_error& e) {
      program::log(spdlog::level::err, "names", {}, "{}; the names are as they were", e.what());
    }
  }
  return all_.contains({node, name});
}

}  // namespace messenger
