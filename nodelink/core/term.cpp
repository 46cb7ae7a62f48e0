#include <nodelink/term.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>

#include <nlohmann/json.hpp>

namespace nodelink {

using json = nlohmann::json;

static const term nothing;

term term::array(std::initializer_list<element> elements) {
  array_type all;
  all.reserve(elements.size());
  for (const auto& e : elements) all.push_back(std::move(e.value));
  return array(std::move(all));
}

const term::array_type& term::elements() const {
  static const array_type none;
  const auto* const own = get_if<array_type>();
  return own ? *own : none;
}

std::size_t term::size() const {
  const auto* const members = get_if<object_type>();
  return members ? members->size() : elements().size();
}

const term& term::operator[](std::size_t index) const {
  const auto& all = elements();
  return index < all.size() ? all[index] : nothing;
}

const term& term::operator[](std::string_view key) const {
  const auto* const members = get_if<object_type>();
  if (!members) return nothing;
  const auto found = members->find(key);
  return found == members->end() ? nothing : found->second;
}

void term::push_back(term element) {
  if (is_null()) value_ = array_type{};
  auto* const own = std::get_if<array_type>(&value_);
  if (!own) throw std::invalid_argument("only an array takes another element");
  own->push_back(std::move(element));
}

namespace {

bool is_utf8(const std::string& text) {
  try {
    (void)json(text).dump();
    return true;
  } catch (const json::exception&) {
    return false;
  }
}

std::string with_replacements(const std::string& text) {
  if (is_utf8(text)) return text;
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

// Builds a term from what nlohmann's parsers find, and stops them at what a node does not accept. They look no further
// then: a million brackets cost nothing.
class builder : public json::json_sax_t {
 public:
  builder(bool is_text, std::string& why) : is_text_(is_text), why_(why) {}

  term take() { return std::move(root_); }

  bool null() override { return add({}); }
  bool boolean(bool value) override { return add(value); }
  // A negative number of CBOR's that has no room in 64 bits comes out as one that is not negative.
  bool number_integer(number_integer_t value) override { return value < 0 || is_text_ ? add(value) : not_readable(); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override {
    return std::isfinite(value) ? add(value) : not_readable();
  }
  bool string(string_t& text) override { return (is_text_ || is_utf8(text) || not_readable()) && add(std::move(text)); }
  bool binary(binary_t& value) override { return add(bytes(std::move(value))); }
  bool start_array(std::size_t) override { return begin({.is_object = false}); }
  bool end_array() override { return end(); }
  bool start_object(std::size_t) override { return begin({.is_object = true}); }
  bool end_object() override { return end(); }
  bool key(string_t& name) override {
    auto& o = open_.back();
    if (o.members.contains(name)) return refuse("an object with a key twice");
    if (!is_text_ && !is_utf8(name)) return not_readable();
    o.key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return not_readable();
  }

 private:
  struct open {
    bool is_object;
    term::array_type elements{};
    term::object_type members{};
    std::string key{};
  };

  bool not_readable() { return refuse(is_text_ ? "not JSON in UTF-8" : "not CBOR"); }
  bool refuse(std::string why) {
    why_ = std::move(why);
    return false;
  }
  bool begin(open o) {
    if (open_.size() == static_cast<std::size_t>(max_depth))
      return refuse("nested deeper than " + std::to_string(max_depth));
    open_.push_back(std::move(o));
    return true;
  }
  bool end() {
    open whole = std::move(open_.back());
    open_.pop_back();
    return add(whole.is_object ? term::object(std::move(whole.members)) : term::array(std::move(whole.elements)));
  }
  bool add(term t) {
    if (open_.empty())
      root_ = std::move(t);
    else if (auto& o = open_.back(); o.is_object)
      o.members.emplace(std::move(o.key), std::move(t));
    else
      o.elements.push_back(std::move(t));
    return true;
  }

  bool is_text_;
  std::string& why_;
  std::vector<open> open_;
  term root_;
};

bool has_bytes(const term& t) {
  const auto* const members = t.get_if<term::object_type>();
  return t.is_bytes() || std::any_of(t.begin(), t.end(), has_bytes) ||
         (members && std::any_of(members->begin(), members->end(), [](const auto& m) { return has_bytes(m.second); }));
}

// @param text, binary how strings and bytes are written.
template <class S, class B>
json convert(const term& t, S text, B binary) {
  if (const auto* const b = t.get_if<bool>()) return *b;
  if (const auto* const n = t.get_if<std::uint64_t>()) return *n;
  if (const auto* const n = t.get_if<std::int64_t>()) return *n;
  if (const auto* const n = t.get_if<double>()) return std::isfinite(*n) ? json(*n) : json();
  if (const auto* const s = t.get_if<std::string>()) return text(*s);
  if (const auto* const b = t.get_if<bytes>()) return binary(*b);
  if (const auto* const members = t.get_if<term::object_type>()) {
    json object = json::object();
    for (const auto& [key, value] : *members) object.emplace(text(key), convert(value, text, binary));
    return object;
  }
  if (!t.is_array()) return nullptr;
  json array = json::array();
  for (const auto& element : t) array.push_back(convert(element, text, binary));
  return array;
}

json with_binaries_as_text(const term& t) {
  return convert(t, std::identity{}, [](const bytes& binary) {
    std::string text = "<<";
    for (const auto b : binary) text += (text.size() > 2 ? "," : "") + std::to_string(b);
    return json(text + ">>");
  });
}

json with_binaries(const term& t) {
  return convert(t, with_replacements, [](const bytes& binary) { return json::binary(binary); });
}

}  // namespace

std::optional<term> decode(std::string_view payload, std::string& why) {
  if (payload.size() > max_payload) {
    why = "longer than " + std::to_string(max_payload) + " bytes";
    return std::nullopt;
  }
  // No text in UTF-8 begins as an array does in CBOR.
  const bool is_cbor = !payload.empty() && (static_cast<unsigned char>(payload.front()) & 0xe0) == 0x80;
  if (!is_cbor && payload.find('\0') != payload.npos) {
    why = "not JSON";
    return std::nullopt;
  }
  builder built(!is_cbor, why);
  if (!json::sax_parse(payload, &built, is_cbor ? json::input_format_t::cbor : json::input_format_t::json))
    return std::nullopt;
  term t = built.take();
  if (t.is_array() && !t.empty()) return t;
  why = "not a JSON array with elements";
  return std::nullopt;
}

std::string encode(const term& t) {
  if (!has_bytes(t)) return to_json(t);
  std::string payload;
  json::to_cbor(with_binaries(t), payload);
  return payload;
}

std::string to_json(const term& t) {
  return with_binaries_as_text(t).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string brief(const term& t) {
  constexpr std::size_t longest = 200;
  std::string text = with_binaries_as_text(t).dump(-1, ' ', true, json::error_handler_t::replace);
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '@' || c == '-';
  };
  if (t.is_string() && text.size() > 2 && std::all_of(text.begin() + 1, text.end() - 1, plain))
    text = text.substr(1, text.size() - 2);
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  return text;
}

}  // namespace nodelink
