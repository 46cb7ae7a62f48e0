#include "core/signals.hpp"

#include <gtest/gtest.h>

using namespace nodelink;

static term parsed(const char* json) {
  std::string why;
  return decode(json, why).value();
}
static std::optional<any_signal> read(const char* json) { return read_signal(parsed(json)); }
static const pid peter{"peter@laptop", 7, 1};

TEST(signals, are_written_and_read) {
  EXPECT_EQ(encode(write_link(peter)), R"(["LINK","peter@laptop/7-1"])");
  EXPECT_EQ(encode(write_unlink(peter)), R"(["UNLINK","peter@laptop/7-1"])");
  EXPECT_EQ(encode(write_exit(peter, "noproc")), R"(["EXIT","peter@laptop/7-1","noproc"])");
  EXPECT_EQ(encode(write_ping(peter)), R"(["PING","peter@laptop/7-1"])");
  EXPECT_EQ(encode(write_pong("a@b")), R"(["PONG","a@b"])");
  EXPECT_EQ(std::get<link_signal>(*read_signal(write_link(peter))).from, peter);
  EXPECT_EQ(std::get<unlink_signal>(*read_signal(write_unlink(peter))).from, peter);
  const auto exit = std::get<exit_wire_signal>(*read_signal(write_exit(peter, reason::error("x"))));
  EXPECT_EQ(exit.from, peter);
  EXPECT_EQ(exit.reason, reason::error("x"));
  EXPECT_EQ(std::get<ping_signal>(*read_signal(write_ping(peter))).from, peter);
  EXPECT_EQ(std::get<pong_signal>(*read_signal(write_pong("a@b"))).node, "a@b");
}

TEST(signals, in_capitals_are_never_plain_messages) {
  for (const auto* bad : {R"(["EXIT"])", R"(["EXIT","peter@laptop/7-1"])", R"(["EXIT","peter","x"])", R"(["LINK",1])",
                          R"(["LINK","peter@laptop/7-1","x"])", R"(["PONG",1])", R"(["NEWS","x"])", R"(["DOWN_NOW"])"})
    EXPECT_TRUE(std::holds_alternative<bad_signal>(*read(bad))) << bad;
  for (const auto* message : {R"(["messenger","sent"])", R"(["Exit","x"])", R"([1])", R"([""])", R"([["EXIT"]])"})
    EXPECT_FALSE(read(message)) << message;
}

TEST(status, is_read_in_its_two_forms_only) {
  const auto up = read_status(parsed(R"(["nodeup","a@b",17])"));
  ASSERT_TRUE(up);
  EXPECT_TRUE(up->up);
  EXPECT_EQ(up->creation, 17U);
  const auto down = read_status(parsed(R"(["nodedown","a@b",17,"normal"])"));
  ASSERT_TRUE(down);
  EXPECT_FALSE(down->up);
  EXPECT_EQ(down->reason, "normal");
  EXPECT_EQ(encode(write_status(*up)), R"(["nodeup","a@b",17])");
  EXPECT_EQ(encode(write_status(*down)), R"(["nodedown","a@b",17,"normal"])");
  for (const auto* bad :
       {R"(["nodeup","a@b"])", R"(["nodeup","a@b",17,"x"])", R"(["nodedown","a@b",17])", R"(["nodeup","a@b",-1])",
        R"(["nodeup","a@b",0])", R"(["nodeup","a@b",1.5])", R"(["nodeup","a@b","17"])", R"(["nodeup",1,17])",
        R"(["nodeup","a@b",9007199254740992])", R"(["up","a@b",17])", R"([1])"})
    EXPECT_FALSE(read_status(parsed(bad))) << bad;
}
