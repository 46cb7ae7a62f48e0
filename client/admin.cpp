#include "client/admin.hpp"

#include "client/mess_client.hpp"
#include "protocol/messages.hpp"

namespace messenger {

std::optional<admin_answer> admin_answer::match(const nodelink::message& m) {
  if (!m.local || m.content.size() != 2 || m.content[0] != "admin_answer") return std::nullopt;
  return admin_answer{m.content[1].get<std::string>()};
}

nodelink::process ask_as_admin(nodelink::self me, std::string server_node,
                               std::function<nodelink::term(const nodelink::pid&)> request, nodelink::pid shell) {
  me.hear_only(server_node);
  me.send(nodelink::registered{server_name, server_node}, request(me.pid()));
  std::string what;
  co_await me.receive([&](const reply& r) { what = r.what; }, [&](const stop& s) { what = s.why; },
                      nodelink::after(reply_timeout, [&] { what = "No response from server"; }));
  me.send(shell, nodelink::term::array({"admin_answer", what}));
}

}  // namespace messenger
