#include <nodelink/term.hpp>

#include <cmath>

#include <gtest/gtest.h>

using namespace nodelink;

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

TEST(terms, answer_what_they_are_not) {
  const term t = term::array({"logon", 7, term::object({{"a", true}})});
  EXPECT_TRUE(t[0] == "logon" && t[1] == 7 && t[2]["a"] == true);
  EXPECT_TRUE(t[3].is_null() && t[0][0].is_null() && t[2]["b"].is_null() && t["a"].is_null());
  EXPECT_EQ(t.size(), 3U);
  EXPECT_EQ(t[2].size(), 1U);
  EXPECT_EQ(term("logon").size(), 0U);
  EXPECT_FALSE(t == "logon");
  EXPECT_FALSE(term(1) == term(1.0));
  EXPECT_EQ(term(std::vector<std::string>{"a", "b"}), term::array({"a", "b"}));
}

TEST(terms, give_numbers_that_fit_and_throw_otherwise) {
  EXPECT_EQ(term(7).get<int>(), 7);
  EXPECT_EQ(term(-7).get<int>(), -7);
  EXPECT_EQ(term(7).get<double>(), 7.0);
  EXPECT_EQ(term("x").get<std::string>(), "x");
  EXPECT_THROW((void)term(-7).get<unsigned>(), std::invalid_argument);
  EXPECT_THROW((void)term(256).get<std::uint8_t>(), std::invalid_argument);
  EXPECT_THROW((void)term(7.0).get<int>(), std::invalid_argument);
  EXPECT_THROW((void)term("7").get<double>(), std::invalid_argument);
  EXPECT_THROW((void)term(7).get<std::string>(), std::invalid_argument);
  term number = 7;
  EXPECT_THROW(number.push_back(8), std::invalid_argument);
}

TEST(terms, with_bytes_are_cbor_and_others_never) {
  const term t = term::array({"image", bytes{0, 1, 255}, -1, 2.5, "\xc3\xbc", true, nullptr, term::object({{"k", 1}})});
  const std::string payload = encode(t);
  EXPECT_EQ(payload.front(), '\x88');
  std::string why;
  EXPECT_EQ(decode(payload, why), t);
  EXPECT_EQ(encode(term::array({"a"})).front(), '[');
  EXPECT_EQ(to_json(term::array({bytes{0, 255}, bytes{}})), R"(["<<0,255>>","<<>>"])");
  EXPECT_EQ(brief(bytes{7}), R"("<<7>>")");
}

TEST(terms, in_cbor_keep_to_the_same_limits) {
  EXPECT_EQ(refused("\x80"), "not a JSON array with elements");
  EXPECT_EQ(refused("\x81"), "not CBOR");
  EXPECT_EQ(refused("\x81\x01\x01"), "not CBOR");          // something behind it
  EXPECT_EQ(refused("\x81\x61\xff"), "not CBOR");          // a string that is not UTF-8
  EXPECT_EQ(refused("\x81\xa1\x61\xff\x01"), "not CBOR");  // a key that is not
  EXPECT_EQ(refused("\x81\xa2\x61\x61\x01\x61\x61\x02"), "an object with a key twice");
  EXPECT_EQ(refused("\x81\xf9\x7e\x01"), "not CBOR");  // not a number
  EXPECT_EQ(refused(std::string(max_depth, '\x81') + "\x01"), "");
  EXPECT_EQ(refused(std::string(max_depth + 1, '\x81') + "\x01"), "nested deeper than 32");
  EXPECT_EQ(refused(std::string(30'000, '\x81')), "nested deeper than 32");
  EXPECT_EQ(refused("\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "not CBOR");  // says that it is of any length
  EXPECT_EQ(refused("\x81\x5b\x7f\xff\xff\xff\xff\xff\xff\xff\x01"), "not CBOR");
}

TEST(terms, are_written_without_ever_throwing) {
  EXPECT_EQ(encode(term::array({std::nan("")})), "[null]");
  std::string why;
  EXPECT_EQ(decode(encode(term::array({bytes{1}, std::nan("")})), why), term::array({bytes{1}, nullptr}));
  EXPECT_EQ(decode(encode(term::array({bytes{1}, "\xff"})), why), term::array({bytes{1}, "\xef\xbf\xbd"}));
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
