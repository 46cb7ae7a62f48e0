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
  for (const auto* other : {"/msg fred hello", "/pm fred hello"})
    EXPECT_EQ(std::get<command::message>(parse_command(other)).to, "fred");
  EXPECT_EQ(std::get<command::say>(parse_command(" hello  there ")).text, "hello  there");
  EXPECT_EQ(std::get<command::say>(parse_command("/say /help is a command")).text, "/help is a command");
  EXPECT_EQ(std::get<command::join>(parse_command("/join")).room, "lobby");
  EXPECT_EQ(std::get<command::join>(parse_command("/join dev-1")).room, "dev-1");
  EXPECT_EQ(std::get<command::leave>(parse_command("/leave")).room, "");
  EXPECT_EQ(std::get<command::users>(parse_command("/users dev")).room, "dev");
  EXPECT_EQ(std::get<command::ping>(parse_command("/ping a@b")).node, "a@b");
  EXPECT_TRUE(std::holds_alternative<command::rooms>(parse_command("/rooms")));
  EXPECT_TRUE(std::holds_alternative<command::nodes>(parse_command("/nodes")));
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
  EXPECT_EQ(mistake("/quit now"), "/quit takes nothing after it");
  EXPECT_EQ(mistake("/logon " + std::string(65, 'x')),
            "the user name \"" + std::string(65, 'x') + "\" must be 1 to 64 bytes of UTF-8 without control characters");
  EXPECT_EQ(mistake("/logon a\x1b[2J"),
            "the user name \"a\\e[2J\" must be 1 to 64 bytes of UTF-8 without control characters");
  EXPECT_EQ(mistake("/say"), "usage: /say TEXT");
  EXPECT_EQ(mistake("/join a b"), "usage: /join [ROOM]");
  EXPECT_EQ(mistake("/join a/b"), "the room \"a/b\" must be 1 to 64 of the characters A-Z a-z 0-9 _ -");
  EXPECT_EQ(mistake("/ping"), "usage: /ping NODE");
  EXPECT_EQ(mistake("/ping a@b@c"),
            "the node name \"a@b@c\" must be name@host, both parts 1 to 64 of the characters A-Z a-z 0-9 _ -");
  EXPECT_EQ(mistake("\xff"), "the text is not UTF-8; it was not sent");
  EXPECT_EQ(mistake("/message fred \xff"), "the text is not UTF-8; it was not sent");
}
