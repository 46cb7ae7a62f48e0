#include <nodelink/describe.hpp>

#include <limits>

#include <gtest/gtest.h>

namespace fleet {

struct sample {
  std::uint64_t n;
  double value;
  friend bool operator==(const sample&, const sample&) = default;
};
NODELINK_MESSAGE(sample, n, value)

struct report {
  std::string text;
  nodelink::sender from;
  std::vector<sample> samples;
  bool is_last;
  nodelink::bytes raw;
  nodelink::pid about;
  nodelink::term anything;
};
NODELINK_MESSAGE(report, text, from, samples, is_last, raw, about, anything)

struct nothing {};
NODELINK_MESSAGE(nothing)

struct wide {
  int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p;
};
NODELINK_MESSAGE(wide, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)

struct narrow {
  std::int8_t n;
};
NODELINK_MESSAGE(narrow, n)

}  // namespace fleet

using namespace nodelink;

TEST(described_messages, are_an_array_of_their_name_and_members) {
  EXPECT_EQ(to_json(to_term(fleet::sample{7, 20.5})), R"(["sample",7,20.5])");
  EXPECT_EQ(to_json(to_term(fleet::nothing{})), R"(["nothing"])");
  EXPECT_EQ(to_json(to_term(fleet::wide{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})),
            R"(["wide",1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16])");
}

TEST(described_messages, have_their_sender_first_wherever_it_stands) {
  const fleet::report written{"hot", pid{"a@x", 7, 1}, {{1, 2.5}, {2, -3}}, true, {0, 255}, {"b@x", 8, 2}, "anything"};
  const term t = to_term(written);
  EXPECT_EQ(to_json(t),
            R"(["a@x/7-1","report","hot",[["sample",1,2.5],["sample",2,-3.0]],true,"<<0,255>>","b@x/8-2","anything"])");
  const auto read = from_term<fleet::report>(t);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text, "hot");
  EXPECT_EQ(static_cast<const pid&>(read->from), (pid{"a@x", 7, 1}));
  EXPECT_EQ(read->samples, written.samples);
  EXPECT_TRUE(read->is_last);
  EXPECT_EQ(read->raw, (bytes{0, 255}));
  EXPECT_EQ(read->about.node, "b@x");
  EXPECT_EQ(read->anything, "anything");
}

TEST(described_messages, are_none_if_anything_is_not_as_it_should_be) {
  EXPECT_TRUE(from_term<fleet::sample>(term::array({"sample", 1, 2})));  // a whole number will do for a double
  for (const term& bad :
       {term(), term("sample"), term::array({"sample"}), term::array({"sample", 1}), term::array({"sample", 1, 2.0, 3}),
        term::array({"simple", 1, 2.0}), term::array({"sample", -1, 2.0}), term::array({"sample", 1.0, 2.0}),
        term::array({"sample", "1", 2.0}), term::array({"sample", 1, "2.0"}), term::array({"sample", true, 2.0}),
        term::array({"a@x/7-1", "sample", 1, 2.0})})
    EXPECT_FALSE(from_term<fleet::sample>(bad)) << to_json(bad);
  term report = to_term(fleet::report{"", pid{"a@x", 7, 1}, {}, false, {}, {"b@x", 8, 2}, {}});
  EXPECT_TRUE(from_term<fleet::report>(report));
  term::array_type elements(report.begin(), report.end());
  elements[0] = "nobody";
  EXPECT_FALSE(from_term<fleet::report>(term::array(std::move(elements))));
}

TEST(described_messages, have_numbers_that_fit) {
  EXPECT_EQ(from_term<fleet::narrow>(term::array({"narrow", -128}))->n, -128);
  EXPECT_EQ(from_term<fleet::narrow>(term::array({"narrow", 127}))->n, 127);
  EXPECT_FALSE(from_term<fleet::narrow>(term::array({"narrow", -129})));
  EXPECT_FALSE(from_term<fleet::narrow>(term::array({"narrow", 128})));
  EXPECT_FALSE(from_term<fleet::narrow>(term::array({"narrow", std::numeric_limits<std::uint64_t>::max()})));
}
