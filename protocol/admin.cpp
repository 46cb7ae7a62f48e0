#include "protocol/admin.hpp"

#include "protocol/tuple.hpp"

namespace messenger {

std::optional<kick> kick::match(const nodelink::message& m) {
  auto from = sender(m.content, 3, word);
  if (!from) return std::nullopt;
  return kick{std::move(*from), *string_in(m.content[2])};
}

std::optional<drain> drain::match(const nodelink::message& m) {
  auto from = sender(m.content, 2, word);
  return from ? std::optional(drain{std::move(*from)}) : std::nullopt;
}

}  // namespace messenger
