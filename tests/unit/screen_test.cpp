#include "client/screen.hpp"

#include <gtest/gtest.h>

using namespace messenger;

static std::string shown;
static const screen out([](std::string_view line) { shown = line; });

TEST(screen, shows_messages_as_erlang_does) {
  out.message_from("peter", "hello");
  EXPECT_EQ(shown, R"(Message from peter: "hello")");
  out.message_from("peter", "he\"y\\\x1b\n");
  EXPECT_EQ(shown, R"(Message from peter: "he\"y\\\e\n")");
  out.print("No response from server");
  EXPECT_EQ(shown, "No response from server");
  out.exit("noconnection");
  EXPECT_EQ(shown, "exit: noconnection");
  out.exit(runtime::reason::error("boom"));
  EXPECT_EQ(shown, R"(exit: ["error","boom"])");
}

TEST(screen, leaves_unicode_as_it_is_and_makes_what_commands_a_terminal_harmless) {
  EXPECT_EQ(quoted("\xc3\xbc\xf0\x9f\x90\xa7"), "\"\xc3\xbc\xf0\x9f\x90\xa7\"");
  EXPECT_EQ(printable("\a\x7f\xc2\x9b"), "\\x{7}\\d\\x{9B}");
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "x"),
            "\\x{202E}x");  // right-to-left override
  EXPECT_EQ(printable("\xff"), "\\x{FF}");
  out.message_from("\x1b]0;root\a", "\r\nlogged_on");
  EXPECT_EQ(shown, "Message from \\e]0;root\\x{7}: \"\\r\\nlogged_on\"");
}
