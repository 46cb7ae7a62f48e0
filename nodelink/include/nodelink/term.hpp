/// @file term.hpp
/// Terms: what processes send each other. In Erlang: terms, and the external term format.
/// Pure; any thread, as with the standard library's containers.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace [[gnu::visibility("default")]] nodelink {

/// A binary: bytes that are no text.
using bytes = std::vector<std::uint8_t>;

/// A value of Erlang's or JSON's: null, a boolean, a number, a string (an atom too), a binary, an array (a tuple or a
/// list), an object (a map).
///
/// What is asked of a term that is not of that kind is answered, so that a pattern needs no ladder of questions:
/// `t[1] == "logon"` is false of whatever is not an array with that in it.
class term {
 public:
  /// What an array is.
  using array_type = std::vector<term>;
  /// What an object is, in the order of its keys.
  using object_type = std::map<std::string, term, std::less<>>;

  /// null
  term() = default;
  /// null
  term(std::nullptr_t) {}
  /// A boolean; nothing else turns into one.
  template <std::same_as<bool> B>
  term(B value) : value_(value) {}
  /// An integer.
  template <std::integral I>
  requires(!std::same_as<I, bool>) term(I value) {
    // One number has one form: what is not negative is unsigned.
    if (std::cmp_less(value, 0))
      value_ = static_cast<std::int64_t>(value);
    else
      value_ = static_cast<std::uint64_t>(value);
  }
  /// A floating-point number.
  term(double value) : value_(value) {}
  /// Text in UTF-8.
  term(std::string text) : value_(std::move(text)) {}
  /// Text in UTF-8.
  term(std::string_view text) : value_(std::string(text)) {}
  /// Text in UTF-8, that ends with a NUL.
  term(const char* text) : value_(std::string(text)) {}
  /// A binary.
  term(bytes binary) : value_(std::move(binary)) {}

  /// A list of strings, numbers and the like: any container of what is a term.
  template <class L>
  requires(!std::convertible_to<L, std::string_view> &&
           requires(const L& l) {
             { *l.begin() } -> std::convertible_to<term>;
             l.end();
           }) term(const L& list)
      : value_(array_type(list.begin(), list.end())) {}

  struct element;
  /// `{A, B, ...}` or `[A, B, ...]`.
  static term array(std::initializer_list<element> elements);
  /// An array without elements.
  static term array() { return array(array_type{}); }
  /// An array of these.
  static term array(array_type elements) { return term(variant(std::move(elements))); }
  /// `#{Key => Value, ...}`
  static term object(object_type members = {}) { return term(variant(std::move(members))); }

  /// Whether it is null.
  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  /// Whether it is true or false.
  bool is_bool() const { return get_if<bool>() != nullptr; }
  /// An integer, or a floating-point number.
  bool is_number() const { return is_integer() || get_if<double>(); }
  /// An integer of either sign.
  bool is_integer() const { return is_unsigned() || get_if<std::int64_t>(); }
  /// An integer that is not negative.
  bool is_unsigned() const { return get_if<std::uint64_t>() != nullptr; }
  /// Text.
  bool is_string() const { return get_if<std::string>() != nullptr; }
  /// A binary.
  bool is_bytes() const { return get_if<bytes>() != nullptr; }
  /// An array, with elements or without.
  bool is_array() const { return get_if<array_type>() != nullptr; }
  /// An object, with members or without.
  bool is_object() const { return get_if<object_type>() != nullptr; }

  /// Where the value is, if it is exactly of this type: `bool`, `std::uint64_t`, `std::int64_t` (negative numbers
  /// only), `double`, `std::string`, `bytes`, `array_type`, `object_type`.
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&value_);
  }
  /// The value as a `bool`, any type of number, a `std::string` or `bytes`. @throws std::invalid_argument if it is not
  /// of that kind, or does not fit.
  template <class T>
  T get() const;

  /// How many elements or members there are; 0 for what is neither an array nor an object.
  std::size_t size() const;
  /// size() == 0
  bool empty() const { return size() == 0; }
  /// An element; null if it is not there.
  const term& operator[](std::size_t index) const;
  /// A member; null if it is not there.
  const term& operator[](std::string_view key) const;
  /// Over the elements of an array.
  array_type::const_iterator begin() const { return elements().begin(); }
  /// Behind the last one.
  array_type::const_iterator end() const { return elements().end(); }
  /// To an array, or to null, which becomes one. @throws std::invalid_argument for anything else.
  void push_back(term element);

  /// Erlang's `=:=`: 1 is not 1.0.
  friend bool operator==(const term&, const term&) = default;
  /// Whether it is this text.
  template <std::convertible_to<std::string_view> S>
  requires(!std::same_as<S, term>) friend bool operator==(const term& t, const S& text) {
    const auto* const own = t.get_if<std::string>();
    return own && *own == std::string_view(text);
  }

 private:
  using variant = std::variant<std::nullptr_t, bool, std::uint64_t, std::int64_t, double, std::string, bytes,
                               array_type, object_type>;
  explicit term(variant v) : value_(std::move(v)) {}
  const array_type& elements() const;

  variant value_;
};

/// An element on its way into array(): moved, which an initializer_list of terms would not allow.
struct term::element {
  /// Anything that makes a term.
  template <class T>
  requires std::convertible_to<T, term> element(T&& from) : value(std::forward<T>(from)) {}
  mutable term value;  ///< the term
};

template <class T>
T term::get() const {
  if constexpr (std::integral<T> && !std::same_as<T, bool>) {
    if (const auto* const n = get_if<std::uint64_t>(); n && std::in_range<T>(*n)) return static_cast<T>(*n);
    if (const auto* const n = get_if<std::int64_t>(); n && std::in_range<T>(*n)) return static_cast<T>(*n);
    throw std::invalid_argument("the term is no integer of that size");
  } else if constexpr (std::floating_point<T>) {
    if (const auto* const n = get_if<double>()) return static_cast<T>(*n);
    if (const auto* const n = get_if<std::uint64_t>()) return static_cast<T>(*n);
    if (const auto* const n = get_if<std::int64_t>()) return static_cast<T>(*n);
    throw std::invalid_argument("the term is no number");
  } else {
    if (const auto* const held = get_if<T>()) return *held;
    throw std::invalid_argument("the term is of another kind");
  }
}

/// The longest payload, in bytes, that a node accepts or sends.
inline constexpr std::size_t max_payload = 65'536;

/// The deepest nesting of arrays and objects that a node accepts.
inline constexpr int max_depth = 32;

/// Reads one payload: an array with elements, in JSON, or in CBOR if there are binaries in it (topics.md), within the
/// limits above, no object with a key twice. Anything else is nothing; `why` then says what was wrong, as the end of a
/// sentence.
std::optional<term> decode(std::string_view payload, std::string& why);

/// Writes a term as it goes on the wire: JSON text, or CBOR if there is a binary in it. Invalid UTF-8 is replaced,
/// never thrown at; a number that is infinite, or none, becomes null.
std::string encode(const term& t);

/// JSON text for people and scripts; a binary is written as Erlang shows it, in a string: `"<<1,2,255>>"`.
std::string to_json(const term& t);

/// A term for a log line: ASCII without control characters, a string bare if that is unambiguous,
/// cut after 200 characters.
std::string brief(const term& t);

/// Exit reasons that nodelink itself produces (Erlang reference manual, "Processes").
namespace reason {
inline constexpr const char* normal = "normal";              ///< the process returned
inline constexpr const char* kill = "kill";                  ///< untrappable when sent with exit(pid, kill)
inline constexpr const char* killed = "killed";              ///< what the links of a killed process see
inline constexpr const char* noproc = "noproc";              ///< linked to a process that is not there
inline constexpr const char* noconnection = "noconnection";  ///< the node is gone, or the way to it
inline constexpr const char* shutdown = "shutdown";          ///< ended by its supervisor, or a supervisor that gave up
inline constexpr const char* system_limit = "system_limit";  ///< one node has too many links with another
inline constexpr const char* timeout = "timeout";            ///< a reply did not come in time (the tutorial's word)
/// The reason of a process that ended with a C++ exception: `["error", what]`.
inline term error(std::string_view what) { return term::array({"error", what}); }
}  // namespace reason

}  // namespace nodelink
