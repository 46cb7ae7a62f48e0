#include "runtime/term.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <vector>

template class nlohmann::basic_json<>;

namespace runtime {
namespace {

struct shape {
  int depth = 0;         // deepest nesting outside strings
  bool objects = false;  // has a `{` outside strings
};

// Looks at brackets before the parser does: a parser that meets a million of them
// spends memory and, when its value is written again, stack.
shape shape_of(std::string_view text) {
  shape s;
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      s.depth = std::max(s.depth, ++depth);
      s.objects |= c == '{';
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return s;
}

struct key_twice {};

term parse_with_unique_keys(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  return term::parse(text, [&](int, term::parse_event_t event, term& value) {
    if (event == term::parse_event_t::object_start) keys.emplace_back();
    if (event == term::parse_event_t::object_end) keys.pop_back();
    if (event == term::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) throw key_twice{};
    return true;
  });
}

}  // namespace

std::optional<term> decode(std::string_view payload, std::string& why) {
  if (payload.size() > max_payload) {
    why = "longer than " + std::to_string(max_payload) + " bytes";
    return std::nullopt;
  }
  const shape s = shape_of(payload);
  if (s.depth > max_depth) {
    why = "nested deeper than " + std::to_string(max_depth);
    return std::nullopt;
  }
  try {
    term t = s.objects ? parse_with_unique_keys(payload) : term::parse(payload);
    if (t.is_array() && !t.empty()) return t;
    why = "not a JSON array with elements";
  } catch (const key_twice&) {
    why = "an object with a key twice";
  } catch (const term::exception&) {
    why = "not JSON in UTF-8";
  }
  return std::nullopt;
}

std::string encode(const term& t) { return t.dump(-1, ' ', false, term::error_handler_t::replace); }

std::string brief(const term& t) {
  constexpr std::size_t longest = 200;
  std::string text = t.dump(-1, ' ', true, term::error_handler_t::replace);
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '@' || c == '-';
  };
  if (t.is_string() && text.size() > 2 && std::all_of(text.begin() + 1, text.end() - 1, plain))
    text = text.substr(1, text.size() - 2);
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  return text;
}

}  // namespace runtime
