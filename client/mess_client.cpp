#include "client/mess_client.hpp"

#include <algorithm>
#include <deque>
#include <map>

#include <nodelink/node.hpp>
#include "client/room_view.hpp"
#include "protocol/messages.hpp"

namespace messenger {

using nodelink::after;
using nodelink::message;
using nodelink::pid;
using nodelink::process;
using nodelink::registered;
using nodelink::self;
using nodelink::term;

namespace {

// `logoff`, from this node: anybody could write it to a pid.
struct logoff {
  static std::optional<logoff> match(const message& m) {
    return m.local && m.content == logoff_command() ? std::optional(logoff{}) : std::nullopt;
  }
};
// `{command, What, First, Second, Time}`, likewise: when the user gave it, on the node's clock.
struct user_command {
  std::string what, first, second;
  nodelink::instant given;
  static std::optional<user_command> match(const message& m) {
    const auto& c = m.content;
    if (!m.local || c.size() != 5 || c[0] != "command") return std::nullopt;
    return user_command{c[1].get<std::string>(), c[2].get<std::string>(), c[3].get<std::string>(),
                        nodelink::instant(nodelink::duration(c[4].get<nodelink::duration::rep>()))};
  }
};
term write(const char* what, const std::string& first = {}, const std::string& second = {}) {
  return term::array({"command", what, first, second});
}

}  // namespace

term logoff_command() { return "logoff"; }
term message_to_command(const std::string& to, const std::string& text) { return write("message_to", to, text); }
term join_command(const std::string& room) { return write("join", room); }
term leave_command(const std::string& room) { return write("leave", room); }
term say_command(const std::string& room, const std::string& text) { return write("say", room, text); }
term users_command(const std::string& room) { return write("users", room); }
term rooms_command() { return write("rooms"); }

std::optional<ready> ready::match(const message& m) {
  return m.local && m.content == "ready" ? std::optional(ready{}) : std::nullopt;
}

void membership::add(const std::string& room) {
  rooms.insert(room);
  current = room;
}

void membership::remove(const std::string& room) {
  rooms.erase(room);
  if (current == room) current = rooms.empty() ? "" : *rooms.begin();
}

namespace {

class mess_client {
 public:
  mess_client(self me, std::string server_node, std::string name, pid shell, const screen& out, membership& in)
      : me_(me),
        server_{server_name, std::move(server_node)},
        name_(std::move(name)),
        shell_(std::move(shell)),
        out_(out),
        in_(in) {}

  process run() {
    in_.is_on = false;
    me_.hear_only(server_.node);
    me_.send(server_, messenger::logon{me_.pid(), name_}.write());
    co_await await_logon();
    in_.is_on = true;
    me_.expect_link(server_);
    const std::string current = in_.current;
    for (const auto& room : std::set<std::string>(in_.rooms)) {
      until_ = me_.now() + reply_timeout;
      co_await join(room);
    }
    if (in_.rooms.contains(current)) in_.current = current;
    me_.send(shell_, "ready");
    for (;;) {
      if (!later_.empty()) {
        const room_event e = std::move(later_.front());
        later_.pop_front();
        co_await happened(e);
        continue;
      }
      co_await me_.receive(
          [&](const logoff&) { me_.exit(nodelink::reason::normal); },
          [&](const user_command& c) -> process {
            until_ = c.given + reply_timeout;  // whatever it had to wait for
            co_await carry_out(c);
            me_.send(shell_, "ready");
          },
          [&](const room_event& e) -> process { co_await happened(e); },
          [&](const message_from& m) {
            out_(shown::message{m.name, m.text});
          },
          // A reply to nothing must not be taken for the next one's.
          [&](const message& m) { me_.node().note(nodelink::drop::unexpected, m.from, nodelink::brief(m.content)); });
    }
  }

 private:
  process carry_out(const user_command& c) {
    const std::string room = c.first.empty() ? in_.current : c.first;
    if (c.what == "message_to") {
      me_.send(server_, message_to{me_.pid(), c.first, c.second}.write());
      co_await await_result();
    } else if (c.what == "join") {
      co_await join(c.first);
    } else if (c.what == "users") {
      co_await users(c.first);
    } else if (c.what == "rooms") {
      co_await rooms();
    } else if (room.empty()) {
      out_(shown::reply{word::not_in_room});
    } else if (c.what == "leave") {
      co_await leave(room);
    } else {
      me_.send(server_, say{me_.pid(), room, c.second}.write());
      co_await await_result();
    }
  }

  // The subscription first, so that nothing that happens after the list is missed.
  process join(std::string room) {
    me_.listen({room, server_.node});
    bool is_in = false;
    co_await ask_for_list(room, false, is_in);
    if (!is_in) me_.unlisten({room, server_.node});
  }

  // Asks to join, again if need be, and takes the list that is the answer.
  process ask_for_list(const std::string& room, bool is_again, bool& is_in) {
    show_later(room);
    me_.send(server_, messenger::join{me_.pid(), room}.write());
    names all;
    const auto until = is_again ? me_.now() + reply_timeout : until_;
    for (bool is_over = false; !is_over;)
      co_await me_.receive(
          [&](const room_event& e) {
            if (e.room != room || !views_.contains(room)) return later_.push_back(e);
            show(e);  // before the list
          },
          [&](const joined& page) {
            if (page.room != room) return;  // a repeat
            all.insert(all.end(), page.users.begin(), page.users.end());
            if (page.more) return;
            views_[room].list(page.seq, all);
            is_over = is_in = true;
          },
          [&](const reply& m) { is_over = is_refusal(m); }, [&](const stop& m) { stopped(m); },
          after(until - me_.now(), [&] { no_response(); }));
    if (is_in && !is_again) in_.add(room);
    if (is_in) out_(shown::joined{room, views_[room].as_of(), everybody_in(room), is_again});
  }

  process leave(std::string room) {
    show_later(room);
    me_.send(server_, messenger::leave{me_.pid(), room}.write());
    for (bool is_over = false; !is_over;)
      co_await me_.receive(
          [&](const left& m) {
            if (m.room != room) return;  // a repeat
            me_.unlisten({room, server_.node});
            views_.erase(room);
            in_.remove(room);
            out_(shown::left{room});
            is_over = true;
          },
          [&](const room_event& e) {
            if (e.room != room) return later_.push_back(e);
            if (e.name != name_) show(e);  // before we left
          },
          [&](const reply& m) { is_over = is_refusal(m); }, [&](const stop& m) { stopped(m); },
          after(until_ - me_.now(), [&] { no_response(); }));
  }

  process users(const std::string& room) {
    const auto of_room = room.empty() ? std::nullopt : std::optional(room);
    me_.send(server_, ask_users{me_.pid(), of_room}.write());
    names all;
    for (bool is_over = false; !is_over;)
      co_await me_.receive(
          [&](const users_reply& page) {
            all.insert(all.end(), page.users.begin(), page.users.end());
            if (page.more) return;
            std::sort(all.begin(), all.end());
            out_(shown::users{of_room, all});
            is_over = true;
          },
          [&](const reply& m) { is_over = is_refusal(m); }, [&](const stop& m) { stopped(m); },
          after(until_ - me_.now(), [&] { no_response(); }));
  }

  process rooms() {
    me_.send(server_, ask_rooms{me_.pid()}.write());
    shown::rooms all;
    for (bool is_over = false; !is_over;)
      co_await me_.receive(
          [&](const rooms_reply& page) {
            all.all.insert(all.all.end(), page.rooms.begin(), page.rooms.end());
            if (page.more) return;
            out_(all);
            is_over = true;
          },
          [&](const reply& m) { is_over = is_refusal(m); }, [&](const stop& m) { stopped(m); },
          after(until_ - me_.now(), [&] { no_response(); }));
  }

  process happened(const room_event& e) {
    if (!show(e)) co_return;
    bool is_in = false;
    co_await ask_for_list(e.room, true, is_in);
  }

  // What has been put off of this room, before anything newer.
  void show_later(const std::string& room) {
    std::erase_if(later_, [&](const room_event& e) {
      if (e.room != room || !views_.contains(room)) return false;
      show(e);
      return true;
    });
  }

  // True if others before it are missing.
  bool show(const room_event& e) {
    const auto view = views_.find(e.room);
    if (view == views_.end()) return false;  // has been left
    const auto taken = view->second.take(e);
    if (taken.is_new) out_(shown::in_room{e, e.name == name_});
    return taken.is_after_gap;
  }

  /// Waits for a response from the server. Messages that come meanwhile stay in the mailbox.
  process await_result() {
    co_await me_.receive([&](const stop& m) { stopped(m); },                   // stop the client
                         [&](const reply& m) { out_(shown::reply{m.what}); },  // normal response
                         after(until_ - me_.now(), [&] { no_response(); }));
  }

  /// The same for a logon, which may be given up before it is answered.
  process await_logon() {
    co_await me_.receive([&](const stop& m) { stopped(m); }, [&](const reply& m) { out_(shown::reply{m.what}); },
                         [&](const logoff&) { end_unanswered(nodelink::reason::normal); },
                         after(reply_timeout, [&] { no_response(); }));
  }

  // Shows a reply that says no. What went before may be repeated: a good reply to it is none to this.
  bool is_refusal(const reply& m) const {
    if (m.what == word::logged_on || m.what == word::sent || m.what == word::receiver_not_found) return false;
    out_(shown::reply{m.what});
    return true;
  }

  void stopped(const stop& m) const {
    out_(shown::refused{m.why});
    me_.exit(nodelink::reason::normal);
  }

  void no_response() const {
    out_(shown::reply{"No response from server"});
    end_unanswered(nodelink::reason::timeout);
  }

  void end_unanswered(const term& why) const {
    me_.expect_link(server_);  // it may have logged us on, and is to hear the end even if its LINK is late
    me_.exit(why);
  }

  names everybody_in(const std::string& room) {
    const auto& users = views_[room].users();
    return {users.begin(), users.end()};
  }

  self me_;
  const registered server_;
  const std::string name_;
  const pid shell_;
  const screen& out_;
  membership& in_;
  std::map<std::string, room_view> views_;
  nodelink::instant until_;       // when the present request is over
  std::deque<room_event> later_;  // of other rooms, that came while something was asked for
};

}  // namespace

process client(self me, std::string server_node, std::string name, pid shell, const screen& out, membership& in) {
  mess_client c(me, std::move(server_node), std::move(name), std::move(shell), out, in);
  co_await c.run();
}

}  // namespace messenger
