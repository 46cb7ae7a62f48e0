/// @file server_state.hpp
/// What the server process knows, and what its parts have in common.
#pragma once

#include <nodelink/self.hpp>
#include "node/page_queue.hpp"
#include "node/quotas.hpp"
#include "node/room_list.hpp"
#include "node/server.hpp"
#include "node/user_list.hpp"

namespace messenger {

struct server_state {
  explicit server_state(server_options o)
      : options(std::move(o)), count(*options.counted), rooms(options.last_event), nodes(options.at_most) {}

  /// Who is still on the list hears the end of this process by his link; for the figures that is the end too.
  ~server_state();
  server_state(const server_state&) = delete;

  const server_options options;
  statistics& count;
  user_list users;
  room_list rooms;
  quotas nodes;
  page_queue pages;
};

/// The name of who asks; who is not logged on is told so, and has no name. To ask is to be active.
const std::string* name_of_asker(nodelink::self me, const nodelink::pid& from, server_state& state);

/// Says no in this word.
void refuse(nodelink::self me, const nodelink::pid& from, const char* word, server_state& state);

/// Sends a list, or the first page of a long one: the others follow between other requests.
void send_list(nodelink::self me, const nodelink::pid& to, nodelink::term head, nodelink::term items,
               server_state& state);
/// The next page of somebody's; there is one.
void send_next_page(nodelink::self me, server_state& state);

/// At debug: who is on the list, as far as a line has room.
void log_list(const user_list& users);

/// A user's time on the list is over, for whatever reason. @param cause see presence.hpp @param in_words the same for
/// the log, or nothing if the reason says it
void remove_user(nodelink::self me, const nodelink::pid& who, const nodelink::term& reason, const char* cause,
                 const std::string& in_words, server_state& state);

}  // namespace messenger
