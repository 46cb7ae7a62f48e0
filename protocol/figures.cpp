#include "protocol/figures.hpp"

#include <algorithm>
#include <cmath>

namespace messenger {

using nodelink::term;

void histogram::observe(double seconds) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), seconds) - bounds_.begin();
  ++counts_[static_cast<std::size_t>(bucket)];
  ++count_;
  sum_ += seconds;
}

double histogram::quantile(double part) const {
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    before += counts_[i];
    if (count_ > 0 && static_cast<double>(before) >= part * static_cast<double>(count_)) return bounds_[i];
  }
  return count_ > 0 ? bounds_.back() : 0;
}

// A count is written as one.
static term number(double value) {
  const bool is_whole = value >= 0 && value < 1e15 && std::floor(value) == value;
  return is_whole ? term(static_cast<std::uint64_t>(value)) : term(value);
}

static term nested(const figure::labels& labels, std::size_t from, double value, const term& present) {
  if (from == labels.size()) return number(value);
  auto members = present.is_object() ? *present.get_if<term::object_type>() : term::object_type();
  auto& inside = members[labels[from]];
  inside = nested(labels, from + 1, value, inside);
  return term::object(std::move(members));
}

term to_term(const figures& all) {
  term::object_type members;
  for (const auto& f : all) {
    if (f.distribution) {
      const auto& d = *f.distribution;
      members[f.name] = term::object({{"count", term(d.count())},
                                      {"sum", term(d.sum())},
                                      {"p50", term(d.quantile(0.5))},
                                      {"p99", term(d.quantile(0.99))}});
      continue;
    }
    term value = f.label_names.empty() ? term() : term::object();
    for (const auto& [labels, n] : f.values) value = nested(labels, 0, n, value);
    members[f.name] = std::move(value);
  }
  return term::object(std::move(members));
}

}  // namespace messenger
