#include "client/line_reader.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

using messenger::line_reader;

namespace {
struct pipe_input : testing::Test {
  pipe_input() {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    write_end = ends[1];
    read_end = ends[0];
  }
  ~pipe_input() override {
    if (write_end >= 0) ::close(write_end);
    ::close(read_end);
  }
  void write(std::string_view text) {
    EXPECT_EQ(::write(write_end, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void end() { ::close(std::exchange(write_end, -1)); }
  int write_end, read_end;
};
}  // namespace
using line_readers = pipe_input;

TEST_F(line_readers, give_lines_however_they_come) {
  line_reader r(read_end);
  write("/logon pe");
  r.fill();
  EXPECT_FALSE(r.next());
  write("ter\n\n/quit");
  r.fill();
  EXPECT_EQ(r.next()->text, "/logon peter");
  EXPECT_EQ(r.next()->text, "");
  EXPECT_FALSE(r.next());
  EXPECT_FALSE(r.at_end());
  end();
  r.fill();
  EXPECT_EQ(r.next()->text, "/quit");
  EXPECT_TRUE(r.at_end());
  EXPECT_FALSE(r.wants_more());
}

TEST_F(line_readers, leave_out_a_line_that_is_too_long_and_nothing_else) {
  line_reader r(read_end);
  const std::string part(32'000, 'x');
  for (int i = 0; i < 3; ++i) {
    write(part);
    r.fill();
  }
  write("\n/quit\n");
  r.fill();
  const auto first = r.next();
  EXPECT_TRUE(first->too_long);
  EXPECT_EQ(first->text, "");
  EXPECT_EQ(r.next()->text, "/quit");
}
