/// @file authorities.hpp
/// Paho C++ 1.2 takes a file of authorities and no folder: so a folder's certificates are given to it as one file,
/// which is in memory.
#pragma once

#include <string>

#include "mqtt/broker_settings.hpp"

namespace paho {

class authorities {
 public:
  explicit authorities(const tls_settings& settings);
  ~authorities();
  authorities(const authorities&) = delete;

  /// Empty for those whom the machine trusts.
  const std::string& file() const { return file_; }

 private:
  std::string file_;
  int in_memory_ = -1;
};

}  // namespace paho
