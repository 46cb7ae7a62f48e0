#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "program/output.hpp"

using namespace std::chrono_literals;

// A disk that is full, and then is not.
TEST(output_test, that_takes_nothing_for_a_while_is_written_to_again_and_says_what_was_lost) {
  std::FILE* file = std::tmpfile();
  struct rlimit before {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small { 16, before.rlim_max };
  program::event_loop loop;
  std::uint64_t lost = 0;
  {
    program::output out(loop, ::fileno(file));
    out.on_room = [&](std::uint64_t count) { lost += count; };
    ::setrlimit(RLIMIT_FSIZE, &small);
    out.write("has room\n");
    out.write("has none\n");
    out.write("nor has this\n");
    ::setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_FALSE(out.is_broken());
    out.write("again\n");
    EXPECT_EQ(lost, 2U);
    EXPECT_TRUE(out.drain(1s));
  }
  std::rewind(file);
  std::array<char, 100> all{};
  (void)!std::fread(all.data(), 1, all.size(), file);
  EXPECT_STREQ(all.data(), "has room\nhas nonagain\n");
  std::fclose(file);
}

TEST(output_test, takes_a_line_that_is_longer_than_what_it_keeps) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  program::event_loop loop;
  const std::string line(program::output::most + 1'000, 'x');
  std::size_t read = 0;
  std::thread reader([&] {
    std::array<char, 65'536> some{};
    for (long n = 0; (n = ::read(pipe[0], some.data(), some.size())) > 0;) read += static_cast<std::size_t>(n);
  });
  {
    program::output out(loop, pipe[1]);
    out.write(line);
    EXPECT_TRUE(out.drain(10s));
  }
  ::close(pipe[1]);
  reader.join();
  EXPECT_EQ(read, line.size());
  ::close(pipe[0]);
}
