#include "paho/sentences.hpp"

#include <gtest/gtest.h>

#include <nodelink/paho/broker_settings.hpp>

using kind = nodelink::connection_loss::kind;

TEST(sentences, say_the_same_of_both_versions_of_mqtt) {
  for (const int code : {0x86, 0x87, 4, 5}) {
    const auto loss = nodelink::paho::connect_failure(code, "box:1883", "peter@laptop");
    EXPECT_EQ(loss.what, kind::not_authorised);
    EXPECT_EQ(loss.sentence, "the broker at box:1883 refused the credentials of node peter@laptop");
    EXPECT_EQ(loss.look_at, nodelink::connection_loss::remedy::credentials);
  }
  EXPECT_EQ(nodelink::paho::connect_failure(2, "b", "n").sentence,
            nodelink::paho::connect_failure(0x85, "b", "n").sentence);
}

TEST(sentences, of_codes_without_one_of_their_own_name_the_code) {
  const auto loss = nodelink::paho::connect_failure(0x9d, "box:1883", "peter@laptop");
  EXPECT_EQ(loss.what, kind::refused);
  EXPECT_EQ(loss.sentence, "the broker at box:1883 refused the connection of node peter@laptop (MQTT reason code 157)");
}

TEST(addresses, put_ipv6_in_brackets) {
  EXPECT_EQ(nodelink::paho::address({.host = "::1", .port = 1883}), "[::1]:1883");
  EXPECT_EQ(nodelink::paho::address({.host = "box", .port = 7}), "box:7");
}
