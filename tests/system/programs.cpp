#include "system/programs.hpp"

namespace testing_system {

program start_server(const mosquitto& broker, std::vector<std::string> more) {
  more.insert(more.begin(), {"--name", "messenger@test", "-h", "127.0.0.1", "-p", broker.port_text()});
  program server(node_program, more);
  EXPECT_TRUE(server.says("is up")) << server.errors();
  return server;
}

program start_client(const mosquitto& broker, const std::string& name, std::vector<std::string> more) {
  more.insert(more.begin(),
              {"--name", name + "@test", "--server", "messenger@test", "-h", "127.0.0.1", "-p", broker.port_text()});
  return {client_program, more};
}

program start_user(const mosquitto& broker, const std::string& name, const std::vector<std::string>& more) {
  program client = start_client(broker, name, more);
  EXPECT_EQ(ask(client, "/logon " + name), "logged_on") << client.errors();
  return client;
}

std::string ask(program& client, const std::string& line) {
  client.type(line);
  return line_of(client);
}

std::string line_of(program& client) {
  return client.next_line().value_or("(nothing; standard error: " + client.errors() + ")");
}

}  // namespace testing_system
