/// @file summary.hpp
/// What the server says of itself every ten seconds, as a state of its node: topics.md, "The server's figures". Pure;
/// any thread.
#pragma once

#include <optional>
#include <string>

#include <nodelink/message.hpp>

namespace messenger {

/// The state's name.
inline constexpr const char* summary_state = "server";

/// `{summary, Node, Creation, Time, Figures}`
struct summary {
  std::string node;
  std::uint64_t creation = 0;  ///< of the node that says so
  std::uint64_t time_ms = 0;   ///< Unix time of that machine
  nodelink::term figures;      ///< an object: figures.hpp

  static std::optional<summary> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({"summary", node, creation, time_ms, figures}); }

  /// The number with this name; with labels those of them that are said, the sum of all others. 0 if there is none.
  double number(std::string_view name, std::initializer_list<std::string_view> labels = {}) const;
  /// Of a histogram: `count`, `sum`, `p50`, `p99`.
  double number_of(std::string_view name, std::string_view what) const { return number(name, {what}); }
};

}  // namespace messenger
