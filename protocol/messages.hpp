/// @file messages.hpp
/// The messenger's tuples, to the seeds' word, and how each is told from the others. Pure; any thread.
///
/// A match() looks at the form only: who may say what is the receiving process's business. The pid
/// in a tuple is of the node that sent it: the runtime has dropped forged ones (rule 1).
#pragma once

#include <optional>
#include <string>

#include <nodelink/message.hpp>

namespace messenger {

/// The server process is registered under this name on its node.
inline constexpr const char* server_name = "messenger";

/// `{ClientPid, logon, UserName}`
struct logon {
  static constexpr const char* word = "logon";
  nodelink::pid from;
  std::string name;  ///< any string; a user name only after is_user_name()

  static std::optional<logon> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({to_string(from), word, name}); }
};

/// `{ClientPid, message_to, ToName, Message}`
struct message_to {
  static constexpr const char* word = "message_to";
  nodelink::pid from;
  std::string to;
  std::string text;

  static std::optional<message_to> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({to_string(from), word, to, text}); }
};

/// `{messenger, stop, Why}`: a reply that ends the client.
struct stop {
  std::string why;

  static std::optional<stop> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({"messenger", "stop", why}); }
};

/// `{messenger, What}`: a normal reply.
struct reply {
  std::string what;

  static std::optional<reply> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({"messenger", what}); }
};

/// `{message_from, FromName, Message}`
struct message_from {
  std::string name;
  std::string text;

  static std::optional<message_from> match(const nodelink::message& m);
  nodelink::term write() const { return nodelink::term::array({"message_from", name, text}); }
};

/// What the server says (seeds; `already_logged_on` and `bad_name` are this project's, see topics.md).
namespace word {
inline constexpr const char* logged_on = "logged_on";
inline constexpr const char* sent = "sent";
inline constexpr const char* receiver_not_found = "receiver_not_found";
inline constexpr const char* user_exists_at_other_node = "user_exists_at_other_node";
inline constexpr const char* already_logged_on = "already_logged_on";
inline constexpr const char* you_are_not_logged_on = "you_are_not_logged_on";
inline constexpr const char* text_too_long = "text_too_long";
inline constexpr const char* bad_name = "bad_name";
inline constexpr const char* too_many_requests = "too_many_requests";
inline constexpr const char* too_many_users = "too_many_users";
inline constexpr const char* name_belongs_to_other_node = "name_belongs_to_other_node";
inline constexpr const char* idle_timeout = "idle_timeout";  ///< the exit reason of who did nothing for too long
}  // namespace word

}  // namespace messenger
