#include "client/lines.hpp"

#include "client/printable.hpp"

#include <gtest/gtest.h>

using namespace messenger;

static std::string line_of(const event& e) {
  const auto lines = as_lines(e);
  return lines.empty() ? "(nothing)" : lines.front();
}

TEST(lines, show_messages_as_erlang_does) {
  EXPECT_EQ(line_of(shown::message{"peter", "hello"}), R"(Message from peter: "hello")");
  EXPECT_EQ(line_of(shown::message{"peter", "he\"y\\\x1b\n"}), R"(Message from peter: "he\"y\\\e\n")");
  EXPECT_EQ(line_of(shown::reply{"No response from server"}), "No response from server");
  EXPECT_EQ(line_of(shown::exit{"noconnection"}), "exit: noconnection");
  EXPECT_EQ(line_of(shown::exit{nodelink::reason::error("boom")}), R"(exit: ["error","boom"])");
}

TEST(lines, leave_unicode_as_it_is_and_make_what_commands_a_terminal_harmless) {
  EXPECT_EQ(quoted("\xc3\xbc\xf0\x9f\x90\xa7"), "\"\xc3\xbc\xf0\x9f\x90\xa7\"");
  EXPECT_EQ(printable("\a\x7f\xc2\x9b"), "\\x{7}\\d\\x{9B}");
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "x"),
            "\\x{202E}x");  // right-to-left override
  EXPECT_EQ(printable("\xff"), "\\x{FF}");
  EXPECT_EQ(line_of(shown::message{"\x1b]0;root\a", "\r\nlogged_on"}),
            "Message from \\e]0;root\\x{7}: \"\\r\\nlogged_on\"");
}
