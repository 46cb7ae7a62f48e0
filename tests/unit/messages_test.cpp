#include "protocol/messages.hpp"

#include <gtest/gtest.h>

#include "protocol/user_name.hpp"

using namespace messenger;
using nodelink::encode;

static nodelink::message m(const char* json) {
  std::string why;
  return {.from = "peter@laptop", .content = nodelink::decode(json, why).value_or(nodelink::term())};
}
static const nodelink::pid peter{"peter@laptop", 7, 1};

TEST(tuples, are_the_seeds_own) {
  EXPECT_EQ(encode(logon{peter, "peter"}.write()), R"(["peter@laptop/7-1","logon","peter"])");
  EXPECT_EQ(encode(message_to{peter, "james", "hi"}.write()), R"(["peter@laptop/7-1","message_to","james","hi"])");
  EXPECT_EQ(encode(reply{word::logged_on}.write()), R"(["messenger","logged_on"])");
  EXPECT_EQ(encode(stop{word::user_exists_at_other_node}.write()),
            R"(["messenger","stop","user_exists_at_other_node"])");
  EXPECT_EQ(encode(message_from{"peter", "hi"}.write()), R"(["message_from","peter","hi"])");
}

TEST(tuples, match_their_own_form) {
  EXPECT_EQ(logon::match(m(R"(["peter@laptop/7-1","logon","peter"])"))->name, "peter");
  EXPECT_EQ(message_to::match(m(R"(["peter@laptop/7-1","message_to","james","hi"])"))->text, "hi");
  EXPECT_EQ(reply::match(m(R"(["messenger","sent"])"))->what, "sent");
  EXPECT_EQ(stop::match(m(R"(["messenger","stop","why"])"))->why, "why");
  EXPECT_EQ(message_from::match(m(R"(["message_from","peter","hi"])"))->name, "peter");
}

TEST(tuples, match_nothing_else) {
  for (const auto* bad :
       {R"(["peter@laptop/7-1","logon"])", R"(["peter@laptop/7-1","logon","a","b"])", R"(["peter","logon","a"])",
        R"(["peter@laptop/7-1","logon",1])", R"(["peter@laptop/7-1","logon",["a"]])", R"([1,"logon","a"])",
        R"(["peter@laptop/7-1","logoff"])", R"("logon")", R"({"a":1})", R"([null,null,null])"}) {
    EXPECT_FALSE(logon::match(m(bad))) << bad;
    EXPECT_FALSE(message_to::match(m(bad))) << bad;
    EXPECT_FALSE(reply::match(m(bad))) << bad;
    EXPECT_FALSE(stop::match(m(bad))) << bad;
    EXPECT_FALSE(message_from::match(m(bad))) << bad;
  }
  EXPECT_FALSE(message_to::match(m(R"(["peter@laptop/7-1","message_to","a",null])")));
  EXPECT_FALSE(reply::match(m(R"(["messenger","stop","why"])")));
}

TEST(user_names, are_1_to_64_bytes_of_utf8_without_control_characters) {
  for (const auto* good : {"peter", "Anna Lena", "\xc3\xbc", "\xf0\x9f\x90\xa7", "a/b+#"})
    EXPECT_TRUE(is_user_name(good)) << good;
  EXPECT_TRUE(is_user_name(std::string(64, 'x')));
  EXPECT_FALSE(is_user_name(std::string(65, 'x')));
  EXPECT_FALSE(is_user_name(""));
  for (const auto* bad : {"a\tb", "\x1b[2J", "a\x7f",
                          "\xc2\x9b"
                          "2J",
                          "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80"})
    EXPECT_FALSE(is_user_name(bad)) << bad;
  EXPECT_FALSE(is_user_name(std::string_view("a\0b", 3)));
}
