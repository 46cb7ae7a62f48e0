/// @file reporter.hpp
/// Says how the server is, for all to see who listen: topics.md, "The server's figures".
#pragma once

#include <functional>
#include <memory>

#include <nodelink/self.hpp>
#include "node/statistics.hpp"
#include "protocol/figures.hpp"

namespace messenger {

/// Every ten seconds, and whenever the node has a new connection, sets the state that protocol/summary.hpp reads. Every
/// five it asks its own node through the broker, and counts how long the answer took. @param counted the round trips
/// @param all_figures what is to be said
nodelink::process reporter(nodelink::self me, std::shared_ptr<statistics> counted,
                           std::function<figures()> all_figures);

}  // namespace messenger
