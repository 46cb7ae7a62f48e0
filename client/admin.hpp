/// @file admin.hpp
/// What an operator asks of the server.
#pragma once

#include <functional>
#include <string>

#include <nodelink/self.hpp>

namespace messenger {

/// Sends the server what `request` makes of this process's pid, and the shell the word of the reply, or that there was
/// none.
nodelink::process ask_as_admin(nodelink::self me, std::string server_node,
                               std::function<nodelink::term(const nodelink::pid&)> request, nodelink::pid shell);

/// What the shell hears of it.
struct admin_answer {
  std::string what;
  static std::optional<admin_answer> match(const nodelink::message& m);
};

}  // namespace messenger
