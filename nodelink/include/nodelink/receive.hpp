/// @file receive.hpp
/// The machinery of `receive ... after`: clauses that are tried in order on each message in order.
/// A process writes self::receive(); nothing here is for it but after().
#pragma once

#include <tuple>
#include <type_traits>
#include <variant>

#include <nodelink/message.hpp>
#include <nodelink/process.hpp>
#include <nodelink/transport.hpp>

namespace [[gnu::visibility("default")]] nodelink {

struct process_state;

/// The last clause of a receive: what to do when nothing matched for this long (see after()).
template <class F>
struct after_clause {
  duration wait;  ///< how long
  F then;         ///< what then
};

/// `infinity`: an after() with it never comes.
inline constexpr duration infinity = duration::max();

/// `after Milliseconds -> Then`. The time is of the node's clock and begins when receive is entered;
/// with zero only what is in the mailbox already is looked at.
template <class F>
after_clause<F> after(duration wait, F then) {
  return {wait, std::move(then)};
}

/// @cond
/// A receive under way, as the scheduler sees it.
class receive_base {
 public:
  explicit receive_base(process_state& owner) : owner_(&owner) {}
  receive_base(receive_base&&) = default;
  virtual ~receive_base() = default;

  /// Takes the message if a clause matches it.
  virtual bool match(message& m) = 0;
  /// The time given to after() is over.
  virtual void expire() = 0;
  virtual std::optional<duration> wait() const = 0;

  // Always suspends: the scheduler does the matching, so that a process runs
  // to its next receive and no further, whatever lies in its mailbox.
  bool await_ready() const noexcept { return false; }
  void await_suspend(process::handle here);

 protected:
  process_state& owner() const { return *owner_; }

 private:
  process_state* owner_;
};

namespace detail {

template <class C>
struct clause_of : clause_of<decltype(&C::operator())> {};
template <class C, class R, class A>
struct clause_of<R (C::*)(A) const> {
  using taken = std::remove_cvref_t<A>;
  using result = R;
};
template <class C, class R, class A>
struct clause_of<R (C::*)(A)> : clause_of<R (C::*)(A) const> {};
template <class C, class R, class A>
struct clause_of<R (C::*)(A) const noexcept> : clause_of<R (C::*)(A) const> {};
template <class C, class R, class A>
struct clause_of<R (C::*)(A) noexcept> : clause_of<R (C::*)(A) const> {};
template <class F>
struct clause_of<after_clause<F>> {
  struct taken {};
  using result = std::invoke_result_t<F>;
};

template <class C>
inline constexpr bool is_after = false;
template <class F>
inline constexpr bool is_after<after_clause<F>> = true;

template <class C>
using taken_by = typename clause_of<C>::taken;
template <class C>
inline constexpr bool waits = std::is_same_v<typename clause_of<C>::result, process>;

}  // namespace detail

/// A receive with its clauses. `co_await` gives control back when one of them has run.
template <class... C>
class [[nodiscard]] receive_clauses : public receive_base {
 public:
  receive_clauses(process_state& owner, C... clauses) : receive_base(owner), clauses_(std::move(clauses)...) {}

  bool match(message& m) override { return match_from<0>(m); }

  void expire() override {
    if constexpr (has_after) taken_.template emplace<sizeof...(C)>();
  }
  std::optional<duration> wait() const override {
    if constexpr (has_after) {
      const duration wait = std::get<sizeof...(C) - 1>(clauses_).wait;
      if (wait != infinity) return wait;
    }
    return std::nullopt;
  }

  /// Runs the clause that matched. If that clause waits, what it returned is to be awaited.
  process run() { return run_from<0>(); }

 private:
  static constexpr bool has_after = (detail::is_after<C> || ...);

  template <std::size_t I>
  bool match_from(message& m) {
    if constexpr (I < sizeof...(C)) {
      using clause = std::tuple_element_t<I, std::tuple<C...>>;
      if constexpr (detail::is_after<clause>) {
        static_assert(I + 1 == sizeof...(C), "after() is the last clause of a receive");
      } else {
        using taken = detail::taken_by<clause>;
        static_assert(
            receivable<taken>,
            "a clause takes a nodelink::message, a NODELINK_MESSAGE, or a type with a static match(const message&)");
        if constexpr (std::is_same_v<taken, message>) {
          taken_.template emplace<I + 1>(std::move(m));
          return true;
        } else if (auto t = matched<taken>(m)) {
          taken_.template emplace<I + 1>(std::move(*t));
          return true;
        }
        return match_from<I + 1>(m);
      }
    }
    return false;
  }

  template <class T>
  static std::optional<T> matched(const message& m) {
    if constexpr (matching<T>)
      return T::match(m);
    else
      return detail::read_term<T>(m.content, &m.from);
  }

  template <std::size_t I>
  process run_from() {
    if constexpr (I < sizeof...(C)) {
      if (taken_.index() != I + 1) return run_from<I + 1>();
      auto& clause = std::get<I>(clauses_);
      if constexpr (detail::is_after<std::remove_cvref_t<decltype(clause)>>)
        return call([&] { return clause.then(); });
      else
        return call([&] { return clause(std::get<I + 1>(taken_)); });
    }
    return {};
  }

  template <class F>
  static process call(F f) {
    if constexpr (std::is_same_v<std::invoke_result_t<F>, process>) {
      return f();
    } else {
      f();
      return {};
    }
  }

  std::tuple<C...> clauses_;
  std::variant<std::monostate, detail::taken_by<C>...> taken_;
};

/// A receive none of whose clauses waits: runs its clause when resumed, without a coroutine of its own.
template <class... C>
class [[nodiscard]] simple_receive : public receive_clauses<C...> {
 public:
  using receive_clauses<C...>::receive_clauses;
  void await_resume() { (void)this->run(); }
};

/// What self::receive_response() waits for.
class [[nodiscard]] reply_receive final : public receive_base {
 public:
  reply_receive(process_state& owner, std::uint64_t reference, duration at_most)
      : receive_base(owner), reference_(reference), at_most_(at_most) {}
  ~reply_receive() override;
  reply_receive(const reply_receive&) = delete;

  bool match(message& m) override;
  void expire() override {}
  std::optional<duration> wait() const override {
    return at_most_ == infinity ? std::nullopt : std::optional(at_most_);
  }
  std::optional<term> await_resume() { return std::move(answer_); }

 private:
  std::uint64_t reference_;
  duration at_most_;
  std::optional<term> answer_;
};

namespace detail {

// Waits for a match without running the clause.
struct matched {
  receive_base& receive;
  bool await_ready() const noexcept { return false; }
  void await_suspend(process::handle here) { receive.await_suspend(here); }
  void await_resume() const noexcept {}
};

// A receive with a clause that waits itself: the clauses live in this coroutine until it has returned.
template <class... C>
process waiting_receive(receive_clauses<C...> receive) {
  co_await matched{receive};
  co_await receive.run();
}

}  // namespace detail
/// @endcond
}  // namespace nodelink
