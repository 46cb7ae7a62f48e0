// Two network namespaces with a cable between them, which can be cut or lose packets. Needs root.
#pragma once

#include <string>
#include <vector>

#include "system/program.hpp"

namespace testing_system {

class network {
 public:
  static constexpr const char* here_address = "10.98.76.1";  ///< of the side `here`, as `there` sees it

  network();
  ~network();
  network(const network&) = delete;
  /// Whether this process may make namespaces.
  static bool can_be_made();

  const std::string& here() const { return here_; }
  const std::string& there() const { return there_; }
  /// Starts a program in a namespace.
  program start(const std::string& side, const std::string& path, std::vector<std::string> arguments) const;

  /// Every packet between the two is lost from now on; nobody is told.
  void cut() const { rule("drop"); }
  /// So many of a hundred packets are lost, each way.
  void lose(int percent) const { rule("numgen random mod 100 < " + std::to_string(percent) + " drop"); }
  void mend() const;

 private:
  void rule(const std::string& what) const;

  std::string here_, there_;
};

}  // namespace testing_system
