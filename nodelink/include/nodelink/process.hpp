/// @file process.hpp
/// The coroutine type of a process: its body, and every function it calls that waits.
/// In Erlang: a function. Runs on the node's thread, resumed by the scheduler only.
#pragma once

#include <coroutine>
#include <exception>
#include <utility>

namespace [[gnu::visibility("default")]] nodelink {

/// A process's body (`process server(self me)`), or a part of it that waits, called with
/// `co_await part(me)`. What it throws goes to its caller; out of the body it ends the process.
class [[nodiscard]] process {
 public:
  /// @cond
  struct promise_type;
  using handle = std::coroutine_handle<promise_type>;

  struct promise_type {
    // Where the scheduler looks for what to resume next: a call and a return are a
    // jump through this slot, so no depth of calls or number of messages grows the stack.
    std::coroutine_handle<>* next = nullptr;
    std::coroutine_handle<> caller;
    std::exception_ptr error;

    process get_return_object() { return process{handle::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct back_to_caller {
        bool await_ready() noexcept { return false; }
        void await_suspend(handle h) noexcept { *h.promise().next = h.promise().caller; }
        void await_resume() noexcept {}
      };
      return back_to_caller{};
    }
    void return_void() {}
    void unhandled_exception() { error = std::current_exception(); }
  };

  /// @endcond
  /// One that has returned.
  process() = default;
  /// @cond
  process(process&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  process& operator=(process&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~process() {
    if (handle_) handle_.destroy();
  }

  /// Begins the body; the scheduler resumes what it finds in `next`.
  void start(std::coroutine_handle<>& next) {
    handle_.promise().next = &next;
    next = handle_;
  }
  bool done() const { return handle_.done(); }
  /// What the body threw, if anything; valid once done().
  std::exception_ptr error() const { return handle_.promise().error; }

  // co_await: the caller goes on when this part has returned.
  bool await_ready() const noexcept { return !handle_; }
  void await_suspend(handle caller) const {
    handle_.promise().caller = caller;
    handle_.promise().next = caller.promise().next;
    *caller.promise().next = handle_;
  }
  void await_resume() const {
    if (handle_ && handle_.promise().error) std::rethrow_exception(handle_.promise().error);
  }
  /// @endcond

 private:
  explicit process(handle h) : handle_(h) {}
  handle handle_;
};

}  // namespace nodelink
