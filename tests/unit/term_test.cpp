#include "runtime/term.hpp"

#include <gtest/gtest.h>

using namespace runtime;

static std::string refused(std::string_view payload) {
  std::string why;
  return decode(payload, why) ? "" : why;
}

TEST(terms, are_json_arrays_with_elements) {
  std::string why;
  EXPECT_EQ(*decode(R"(["messenger","sent"])", why), term::array({"messenger", "sent"}));
  for (const auto* bad : {"[]", "{}", "1", "\"text\"", "null"})
    EXPECT_EQ(refused(bad), "not a JSON array with elements") << bad;
  for (const auto* bad :
       {"", "[", "[1", "[1]]", "[1,]", "nonsense", "['a']", "\xff\xfe", "[\"\xff\"]", "[\"\xc0\xaf\"]"})
    EXPECT_EQ(refused(bad), "not JSON in UTF-8") << bad;
}

TEST(terms, have_a_longest_size_and_a_deepest_nesting) {
  const auto padded = [](std::size_t size) { return "[\"" + std::string(size - 4, 'x') + "\"]"; };
  EXPECT_EQ(refused(padded(max_payload)), "");
  EXPECT_EQ(refused(padded(max_payload + 1)), "longer than 65536 bytes");
  const auto nested = [](int depth) { return std::string(depth, '[') + "1" + std::string(depth, ']'); };
  EXPECT_EQ(refused(nested(max_depth)), "");
  EXPECT_EQ(refused(nested(max_depth + 1)), "nested deeper than 32");
  EXPECT_EQ(refused(nested(30'000)), "nested deeper than 32");
  EXPECT_EQ(refused("[\"" + std::string(1000, '[') + "\"]"), "");  // brackets in a string are text
  EXPECT_EQ(refused("[\"\\\"" + std::string(1000, '[') + "\"]"), "");
}

TEST(terms, with_a_key_twice_are_refused_whole) {
  EXPECT_EQ(refused(R"([{"a":1,"b":{"a":2}}])"), "");
  EXPECT_EQ(refused(R"([{"a":1,"a":2}])"), "an object with a key twice");
  EXPECT_EQ(refused(R"([{"x":{"a":1,"a":2}}])"), "an object with a key twice");
}

TEST(terms, are_written_without_ever_throwing) {
  EXPECT_EQ(encode(term::array({"a", 1})), R"(["a",1])");
  EXPECT_EQ(encode(term::array({"\xff"})), "[\"\xef\xbf\xbd\"]");
}

TEST(terms, in_logs_are_short_ascii_without_control_characters) {
  EXPECT_EQ(brief("noconnection"), "noconnection");
  EXPECT_EQ(brief(term::array({"error", "bad \x1b[2J"})), R"(["error","bad \u001b[2J"])");
  EXPECT_EQ(brief("a b"), R"("a b")");
  EXPECT_EQ(brief("\xc3\xbc\x7f"), R"("\u00fc\u007f")");
  EXPECT_LE(brief(std::string(10'000, 'x')).size(), 203U);
}
