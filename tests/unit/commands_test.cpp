#include "client/commands.hpp"

#include <gtest/gtest.h>

using namespace messenger;

static std::string mistake(std::string_view line) {
  const auto c = parse_command(line);
  const auto* m = std::get_if<command::mistake>(&c);
  return m ? m->sentence : "";
}

TEST(commands, are_those_of_the_help) {
  EXPECT_EQ(std::get<command::logon>(parse_command("/logon peter")).name, "peter");
  EXPECT_EQ(std::get<command::logon>(parse_command("  /logon   \"Anna Lena\"  \r")).name, "Anna Lena");
  const auto m = std::get<command::message>(parse_command("/message fred  hello  there "));
  EXPECT_EQ(m.to, "fred");
  EXPECT_EQ(m.text, "hello  there");
  EXPECT_EQ(std::get<command::message>(parse_command(R"(/message "Anna Lena" "hi")")).text, "\"hi\"");
  EXPECT_TRUE(std::holds_alternative<command::logoff>(parse_command("/logoff")));
  EXPECT_TRUE(std::holds_alternative<command::help>(parse_command("/help")));
  EXPECT_TRUE(std::holds_alternative<command::quit>(parse_command("/quit ")));
  EXPECT_TRUE(std::holds_alternative<command::nothing>(parse_command(" \t\r")));
}

TEST(commands, that_are_wrong_get_a_sentence_that_says_what_to_write) {
  EXPECT_EQ(mistake("/logon"), "usage: /logon NAME   (a NAME with spaces in double quotes)");
  EXPECT_EQ(mistake("/logon peter pan"), "usage: /logon NAME   (a NAME with spaces in double quotes)");
  EXPECT_EQ(mistake("/message fred"), "usage: /message NAME TEXT");
  EXPECT_EQ(mistake("/nonsense"), "there is no command /nonsense; /help lists them");
  EXPECT_EQ(mistake("hello"), "a command begins with a slash; /help lists them");
  EXPECT_EQ(mistake("/quit now"), "/quit takes nothing after it");
  EXPECT_EQ(mistake("/logon " + std::string(65, 'x')),
            "the user name \"" + std::string(65, 'x') + "\" must be 1 to 64 bytes of UTF-8 without control characters");
  EXPECT_EQ(mistake("/logon a\x1b[2J"),
            "the user name \"a\\e[2J\" must be 1 to 64 bytes of UTF-8 without control characters");
  EXPECT_EQ(mistake("/message fred \xff"), "the text is not UTF-8; it was not sent");
}
