#include "client/line_reader.hpp"

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace messenger {

void line_reader::fill() {
  std::array<char, 65'536> bytes;
  const auto count = ::read(fd_, bytes.data(), bytes.size());
  if (count > 0) return take({bytes.data(), static_cast<std::size_t>(count)});
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  ended_ = true;
  if (!present_.text.empty() || present_.too_long) end_line();
}

void line_reader::take(std::string_view bytes) {
  for (;;) {
    const auto end = bytes.find('\n');
    const auto part = bytes.substr(0, end);
    if (present_.text.size() + part.size() > longest) {
      present_.too_long = true;
      present_.text.clear();
    } else if (!present_.too_long) {
      present_.text += part;
    }
    if (end == bytes.npos) return;
    end_line();
    bytes.remove_prefix(end + 1);
  }
}

void line_reader::end_line() { lines_.push_back(std::exchange(present_, {})); }

std::optional<line_reader::line> line_reader::next() {
  if (lines_.empty()) return std::nullopt;
  auto first = std::move(lines_.front());
  lines_.pop_front();
  return first;
}

}  // namespace messenger
