#include "protocol/summary.hpp"

#include "protocol/tuple.hpp"

namespace messenger {

using nodelink::message;
using nodelink::term;

std::optional<summary> summary::match(const message& m) {
  const term& t = m.content;
  if (!m.is_state || m.channel != summary_state || !is_tuple(t, 5) || t[0] != "summary" || t[1] != m.from ||
      !t[2].is_unsigned() || !t[3].is_unsigned() || !t[4].is_object())
    return std::nullopt;
  return summary{m.from, t[2].get<std::uint64_t>(), t[3].get<std::uint64_t>(), t[4]};
}

static double sum(const term& t) {
  if (t.is_number()) return t.get<double>();
  double all = 0;
  if (const auto* const members = t.get_if<term::object_type>())
    for (const auto& [key, value] : *members) all += sum(value);
  return all;
}

double summary::number(std::string_view name, std::initializer_list<std::string_view> labels) const {
  const term* found = &figures[name];
  for (const auto label : labels) found = &(*found)[label];
  return sum(*found);
}

}  // namespace messenger
