// What is read from a payload and from a topic: terms, signals, statuses, tuples, names.
#include <cstdlib>

#include "core/signals.hpp"
#include "core/topics.hpp"
#include "fuzz.hpp"
#include "protocol/messages.hpp"
#include "protocol/rooms.hpp"

namespace {

using namespace nodelink;

// What has been read and is written again reads the same.
template <class T>
void expect_same(const std::optional<T>& read, const term& content) {
  if (read) fuzz::expect(read->write() == content, "a tuple that is read and written is what it was");
}

void read_payload(std::string_view bytes) {
  std::string why;
  const auto content = decode(bytes, why);
  fuzz::expect(content.has_value() == why.empty(), "what is refused has a reason");
  if (!content) return;
  fuzz::expect(content->is_array(), "a payload is an array");
  const auto again = decode(encode(*content), why);
  fuzz::expect(again == content, "a term that is written reads the same");
  for (const char c : brief(*content)) fuzz::expect(c >= ' ' && c <= '~', "a log line has printable ASCII in it only");
  (void)read_signal(*content);
  (void)read_status(*content);
  const message m{.from = "mallory@x", .content = *content, .channel = "lobby"};
  expect_same(messenger::logon::match(m), *content);
  expect_same(messenger::message_to::match(m), *content);
  expect_same(messenger::message_from::match(m), *content);
  expect_same(messenger::join::match(m), *content);
  expect_same(messenger::leave::match(m), *content);
  expect_same(messenger::say::match(m), *content);
  expect_same(messenger::ask_users::match(m), *content);
  expect_same(messenger::ask_rooms::match(m), *content);
}

void read_topic(std::string_view bytes) {
  const topics of("messenger/1", "messenger");
  const auto topic = of.parse(bytes);
  if (topic)
    if (const auto* inbox = std::get_if<inbox_topic>(&*topic)) {
      fuzz::expect(is_node_name(std::string(inbox->node)) && is_node_name(std::string(inbox->from)),
                   "who sends and who gets are nodes");
      if (const auto p = parse_process(inbox->node, inbox->process))
        fuzz::expect(of.inbox(*p, inbox->from) == bytes, "a topic that is read and built is what it was");
    }
  if (const auto p = parse_pid(std::string(bytes)))
    fuzz::expect(to_string(*p) == bytes, "a pid that is read and written is what it was");
}

}  // namespace

void fuzz::one(std::string_view bytes) {
  read_payload(bytes);
  read_topic(bytes);
}
