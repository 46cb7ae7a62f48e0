#include <nodelink/names.hpp>

#include <gtest/gtest.h>

using namespace nodelink;

TEST(names, are_1_to_64_of_letters_digits_underscore_and_dash) {
  EXPECT_TRUE(is_name("a"));
  EXPECT_TRUE(is_name("Mess_client-9"));
  EXPECT_TRUE(is_name(std::string(64, 'x')));
  EXPECT_FALSE(is_name(""));
  EXPECT_FALSE(is_name(std::string(65, 'x')));
  for (const auto* bad : {"a/b", "a+", "#", "$SYS", "50%", "a.b", "a b", "\xc3\xa4"}) EXPECT_FALSE(is_name(bad)) << bad;
  EXPECT_FALSE(is_name(std::string_view("a\0b", 3)));
}

TEST(names, of_nodes_have_exactly_one_at) {
  EXPECT_TRUE(is_node_name("peter@laptop"));
  for (const auto* bad : {"peter", "peter@", "@laptop", "peter@lap@top", "peter@lap.top", "peter/x@laptop", "a@b/"})
    EXPECT_FALSE(is_node_name(bad)) << bad;
  EXPECT_TRUE(is_node_name(std::string(64, 'a') + "@" + std::string(64, 'b')));
  EXPECT_FALSE(is_node_name(std::string(65, 'a') + "@b"));
  EXPECT_FALSE(is_node_name(std::string(65'536, 'a')));
}

TEST(names, numbers_are_positive_below_2_to_the_53_without_leading_zero) {
  EXPECT_EQ(parse_number("1"), 1U);
  EXPECT_EQ(parse_number("9007199254740991"), max_number);
  for (const auto* bad : {"9007199254740992", "0", "01", "-1", "+1", "1x", "", " 1", "99999999999999999999999"})
    EXPECT_FALSE(parse_number(bad)) << bad;
}

TEST(pids, are_written_as_in_the_design_and_read_back) {
  const pid p{"peter@laptop", 1795204836123, 1};
  EXPECT_EQ(to_string(p), "peter@laptop/1795204836123-1");
  EXPECT_EQ(parse_pid(to_string(p)), p);
  EXPECT_EQ(parse_pid("messenger@host/17-0"), (pid{"messenger@host", 17, 0}));  // net_kernel
}

TEST(pids, are_read_in_that_form_only) {
  for (const auto* bad : {"", "peter@laptop", "peter@laptop/1", "peter@laptop/1-", "peter@laptop/-1",
                          "peter@laptop/1-1-1", "peter@laptop/1-01", "peter@laptop/0-1", "peter/1-1",
                          "peter@laptop/1-1/", "peter@lap top/1-1", "peter@laptop/1795204836123-9007199254740992"})
    EXPECT_FALSE(parse_pid(bad)) << bad;
  EXPECT_TRUE(parse_pid("a-b@c-d/1-1"));  // dashes in names are names
}
