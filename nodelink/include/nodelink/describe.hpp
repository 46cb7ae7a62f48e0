/// @file describe.hpp
/// Messages as plain structs: NODELINK_MESSAGE says once what a struct has in it, and it can be sent and received.
/// In Erlang: a record. Pure; any thread.
///
///     struct sample {
///       std::uint64_t n;
///       double value;
///     };
///     NODELINK_MESSAGE(sample, n, value)
///
///     me.send(collector, sample{7, 20.5});                                   // on the wire: ["sample",7,20.5]
///     co_await me.receive([](const sample& s) { std::cout << s.value; });
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <nodelink/names.hpp>
#include <nodelink/term.hpp>

namespace [[gnu::visibility("default")]] nodelink {

/// Who sends a message, as a member of it: `struct ping { sender from; };`, filled by `me.pid()`. It stands first on
/// the wire, wherever it is in the struct, and another node cannot write it: a message with the sender of a node that
/// it does not come from matches no clause, and call_request::as() does not read it. (Somebody else's pid, to be passed
/// on, is a `pid`.)
struct sender : pid {
  /// Nobody.
  sender() = default;
  /// This process.
  sender(pid p) : pid(std::move(p)) {}
};

namespace detail {

template <class T, class... F>
struct description {
  std::string_view name;
  std::tuple<F T::*...> fields;
};

template <class T, class... F>
constexpr description<T, F...> describe(std::string_view name, F T::*... fields) {
  return {name, {fields...}};
}

template <class T>
inline constexpr bool is_vector = false;
template <class E>
inline constexpr bool is_vector<std::vector<E>> = true;

}  // namespace detail

/// A struct that NODELINK_MESSAGE knows.
template <class T>
concept described = requires(const T* t) {
  nodelink_description(t).fields;
};

/// A struct, or a member of one, as a term. Of the described ones: `["name", members...]`, with the sender before.
template <class T>
term to_term(const T& value);

/// The other way round; nothing if the term is no such struct.
template <class T>
std::optional<T> from_term(const term& t);

namespace detail {

// The same of what has come from that node, if one is given: a sender in it is one of its processes.
template <class T>
std::optional<T> read_term(const term& t, const std::string* node);

template <class T>
inline constexpr bool is_character = std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
                                     std::same_as<T, char16_t> || std::same_as<T, char32_t>;

template <class T>
concept field =
    described<T> ||(std::is_arithmetic_v<T> && !is_character<T>) || is_vector<T> || std::same_as<T, std::string> ||
    std::same_as<T, pid> || std::same_as<T, sender> || std::same_as<T, term>;

template <class T>
void check_field() {
  static_assert(
      field<T>,
      "a member of a NODELINK_MESSAGE is a bool, a number, a std::string, a nodelink::bytes, a nodelink::pid, a "
      "nodelink::sender, a nodelink::term, another NODELINK_MESSAGE, or a std::vector of one of these");
}

template <class T>
struct written {
  explicit written(const T& value) {
    const auto description = nodelink_description(&value);
    std::apply(
        []<class... F>(F T::*...) {
          static_assert(((std::same_as<F, sender> ? 1 : 0) + ... + 0) <= 1, "a message has one sender");
        },
        description.fields);
    const auto add_sender = [&]<class F>(F T::*member) {
      if constexpr (std::same_as<F, sender>) all.push_back(to_term(value.*member));
    };
    const auto add_other = [&]<class F>(F T::*member) {
      if constexpr (!std::same_as<F, sender>) all.push_back(to_term(value.*member));
    };
    std::apply([&](auto... member) { (add_sender(member), ...); }, description.fields);
    all.push_back(description.name);
    std::apply([&](auto... member) { (add_other(member), ...); }, description.fields);
  }
  term all = term::array();
};

template <class T>
struct read {
  read(const term& t, const std::string* node) {
    T value{};
    const auto description = nodelink_description(&value);
    std::size_t senders = 0;
    std::apply(
        [&]<class... F>(F T::*...) {
          senders = ((std::same_as<F, sender> ? 1 : 0) + ... + 0);
          static_assert(((std::same_as<F, sender> ? 1 : 0) + ... + 0) <= 1, "a message has one sender");
        },
        description.fields);
    if (t.size() != std::tuple_size_v<decltype(description.fields)> + 1 || !(t[senders] == description.name)) return;
    std::size_t next = senders + 1;
    bool is_whole = true;
    const auto take = [&]<class F>(F T::*member) {
      auto one = read_term<F>(std::same_as<F, sender> ? t[0] : t[next], node);
      if constexpr (!std::same_as<F, sender>) ++next;
      if (one)
        value.*member = std::move(*one);
      else
        is_whole = false;
    };
    std::apply([&](auto... member) { (take(member), ...); }, description.fields);
    if (is_whole) result = std::move(value);
  }
  std::optional<T> result;
};

template <class T>
std::optional<T> read_term(const term& t, const std::string* node) {
  check_field<T>();
  if constexpr (described<T>) {
    return std::move(read<T>(t, node).result);
  } else if constexpr (std::same_as<T, term>) {
    return t;
  } else if constexpr (std::derived_from<T, pid>) {
    const auto* const text = t.get_if<std::string>();
    auto of = text ? parse_pid(*text) : std::nullopt;
    if (!of || (std::same_as<T, sender> && node && of->node != *node)) return std::nullopt;
    return T(std::move(*of));
  } else if constexpr (is_vector<T> && !std::same_as<T, bytes>) {
    if (!t.is_array()) return std::nullopt;
    T all;
    for (const auto& element : t) {
      auto one = read_term<typename T::value_type>(element, node);
      if (!one) return std::nullopt;
      all.push_back(std::move(*one));
    }
    return all;
  } else if constexpr (std::floating_point<T>) {
    return t.is_number() ? std::optional(t.get<T>()) : std::nullopt;
  } else if constexpr (std::integral<T> && !std::same_as<T, bool>) {
    if (const auto* const n = t.get_if<std::uint64_t>(); n && std::in_range<T>(*n)) return static_cast<T>(*n);
    if (const auto* const n = t.get_if<std::int64_t>(); n && std::in_range<T>(*n)) return static_cast<T>(*n);
    return std::nullopt;
  } else {
    const auto* const held = t.get_if<T>();
    return held ? std::optional(*held) : std::nullopt;
  }
}

}  // namespace detail

template <class T>
term to_term(const T& value) {
  detail::check_field<T>();
  if constexpr (described<T>) {
    return std::move(detail::written<T>(value).all);
  } else if constexpr (std::derived_from<T, pid>) {
    return to_string(value);
  } else if constexpr (detail::is_vector<T> && !std::same_as<T, bytes>) {
    term all = term::array();
    for (const auto& element : value) all.push_back(to_term(element));
    return all;
  } else if constexpr (std::floating_point<T>) {
    return static_cast<double>(value);
  } else {
    return value;
  }
}

template <class T>
std::optional<T> from_term(const term& t) {
  return detail::read_term<T>(t, nullptr);
}

}  // namespace nodelink

/// Makes a struct a message: its name and its own members (not a base's), at most sixteen of them, in the order of the
/// wire. To be written behind the struct, in its namespace. A number that is infinite, or none, is null on the wire,
/// and then no number to who reads it.
#define NODELINK_MESSAGE(type, ...)                                                                    \
  [[maybe_unused]] constexpr auto nodelink_description(const type*) {                                  \
    return nodelink::detail::describe<type>(#type __VA_OPT__(, NODELINK_MEMBERS_(type, __VA_ARGS__))); \
  }

/// @cond
// Each member's pointer. A macro may not call itself, but what has been put off is looked at again: sixteen times.
#define NODELINK_PARENTHESES_ ()
#define NODELINK_EXPAND_(...) NODELINK_EXPAND2_(NODELINK_EXPAND2_(NODELINK_EXPAND2_(NODELINK_EXPAND2_(__VA_ARGS__))))
#define NODELINK_EXPAND2_(...) NODELINK_EXPAND3_(NODELINK_EXPAND3_(NODELINK_EXPAND3_(NODELINK_EXPAND3_(__VA_ARGS__))))
#define NODELINK_EXPAND3_(...) __VA_ARGS__
#define NODELINK_MEMBERS_(type, ...) NODELINK_EXPAND_(NODELINK_MEMBER_(type, __VA_ARGS__))
#define NODELINK_MEMBER_(type, member, ...) \
  &type::member __VA_OPT__(, NODELINK_NEXT_ NODELINK_PARENTHESES_(type, __VA_ARGS__))
#define NODELINK_NEXT_() NODELINK_MEMBER_
/// @endcond
