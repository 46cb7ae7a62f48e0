#include <nodelink/names.hpp>

#include <algorithm>
#include <charconv>

namespace nodelink {

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= max_name && std::all_of(text.begin(), text.end(), allowed);
}

bool is_node_name(std::string_view text) {
  const auto at = text.find('@');
  return at != text.npos && is_name(text.substr(0, at)) && is_name(text.substr(at + 1));
}

bool is_topic_root(std::string_view text) {
  const auto slash = text.find('/');
  return is_name(text.substr(0, slash)) && (slash == text.npos || is_topic_root(text.substr(slash + 1)));
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '0' || number > max_number)
    return std::nullopt;
  return number;
}

std::string to_string(const pid& p) {
  return p.node + '/' + std::to_string(p.creation) + '-' + std::to_string(p.serial);
}

std::optional<pid> parse_pid(std::string_view text) {
  const auto slash = text.find('/');
  const auto dash = slash == text.npos ? slash : text.find('-', slash);
  if (dash == text.npos || !is_node_name(text.substr(0, slash))) return std::nullopt;
  const auto creation = parse_number(text.substr(slash + 1, dash - slash - 1));
  const auto tail = text.substr(dash + 1);
  const auto serial = tail == "0" ? 0 : parse_number(tail);
  if (!creation || !serial) return std::nullopt;
  return pid{std::string(text.substr(0, slash)), *creation, *serial};
}

}  // namespace nodelink
