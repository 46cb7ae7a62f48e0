#include "core/topics.hpp"

#include <gtest/gtest.h>

using namespace nodelink;

static const topics wire("messenger/1", "chat");

TEST(topics, are_those_of_the_design) {
  EXPECT_EQ(wire.status("peter@laptop"), "messenger/1/chat/node/peter@laptop");
  EXPECT_EQ(wire.inbox(registered{"messenger", "messenger@host"}, "peter@laptop"),
            "messenger/1/chat/to/messenger@host/messenger/from/peter@laptop");
  EXPECT_EQ(wire.inbox(pid{"peter@laptop", 7, 1}, "messenger@host"),
            "messenger/1/chat/to/peter@laptop/7-1/from/messenger@host");
  EXPECT_EQ(wire.every_status(), "messenger/1/chat/node/+");
  EXPECT_EQ(wire.every_inbox("a@b"), "messenger/1/chat/to/a@b/+/from/+");
}

TEST(topics, are_read_back) {
  const auto status = wire.parse("messenger/1/chat/node/peter@laptop");
  ASSERT_TRUE(status);
  EXPECT_EQ(std::get<status_topic>(*status).node, "peter@laptop");
  const auto inbox = wire.parse("messenger/1/chat/to/messenger@host/messenger/from/peter@laptop");
  ASSERT_TRUE(inbox);
  EXPECT_EQ(std::get<inbox_topic>(*inbox).node, "messenger@host");
  EXPECT_EQ(std::get<inbox_topic>(*inbox).process, "messenger");
  EXPECT_EQ(std::get<inbox_topic>(*inbox).from, "peter@laptop");
}

TEST(topics, of_any_other_form_are_none) {
  for (const auto* bad :
       {"", "messenger/1/chat", "messenger/1/chat/", "messenger/1/other/node/a@b", "messenger/2/chat/node/a@b",
        "messenger/1/chat/node/a", "messenger/1/chat/node/a@b/x", "messenger/1/chat/node/",
        "messenger/1/chat/to/a@b/p/from", "messenger/1/chat/to/a@b/p/from/", "messenger/1/chat/to/a@b/p/from/c@d/x",
        "messenger/1/chat/to/a@b//from/c@d", "messenger/1/chat/to/a@b/p/to/c@d", "messenger/1/chat/to/a/p/from/c@d",
        "messenger/1/chat/room/lobby"})
    EXPECT_FALSE(wire.parse(bad)) << bad;
}

TEST(topics, a_process_is_a_name_or_creation_and_serial) {
  EXPECT_EQ(parse_process("a@b", "17-3"), (pid{"a@b", 17, 3}));
  EXPECT_FALSE(parse_process("a@b", "messenger"));
  EXPECT_FALSE(parse_process("a@b", "mess-client"));
}
