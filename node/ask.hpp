/// @file ask.hpp
/// Is somebody there under the name that this program is about to take? As Erlang's epmd refuses a name that is in use.
#pragma once

#include <functional>
#include <string>

#include <nodelink/self.hpp>

namespace messenger {

/// Asks that node, from a node of another name, as soon as that is connected, and says whether it has answered within
/// two seconds. Where nothing is known of it, and nothing comes, a moment after the own answer is enough.
nodelink::process ask(nodelink::self me, std::string node, std::function<void(bool is_there)> answer);

}  // namespace messenger
