/// @file report.hpp
/// What was measured, for people: a table, RESULTS.md, and the two plots.
#pragma once

#include <string>

#include "bench/measures.hpp"

namespace bench {

/// The table of one QoS: Markdown, aligned so that it reads well in a terminal too.
std::string table(const std::vector<result>& results);

/// RESULTS.md. @param machine what it was measured on, a line each.
std::string results_page(const report& r, const std::vector<std::string>& machine);

/// Latency by percentile, R's and the server's. SVG.
std::string latency_plot(const plots& p);
/// Capacity by the length of the list. SVG.
std::string capacity_plot(const plots& p);

}  // namespace bench
