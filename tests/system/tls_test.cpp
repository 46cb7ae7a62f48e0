// Connections that are secure or are not made (hard case 56); credentials; provisioning.
#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "system/deployment.hpp"
#include "system/terminal.hpp"

namespace testing_system {
namespace {

std::string shell(const std::string& command) {
  program p("/bin/sh", {"-c", command});
  EXPECT_EQ(p.end(), 0) << command << ": " << p.errors();
  std::string out;
  for (const auto& line : p.rest()) out += line + "\n";
  return out;
}

// What a client that only asks says, and its exit code.
std::pair<int, std::string> ping(std::vector<std::string> arguments,
                                 const std::map<std::string, std::string>& environment = {}) {
  arguments.insert(arguments.end(), {"-W", "10", "ping", "messenger@test"});
  program p(client_program, arguments, environment);
  const int code = p.end().value_or(-1);
  return {code, p.errors()};
}

class tls : public testing::Test {
 protected:
  deployment broker{{"alice@test", "bob@test"}};
  program server{node_program, broker.as("messenger@test")};
  const std::string port = std::to_string(broker.port());
  const std::string ca = broker.ca_file();
  const std::string url = "mqtts://localhost:" + port;

  tls() { EXPECT_TRUE(server.says("is up")) << server.errors(); }
  void expect_failure(std::vector<std::string> arguments, int code, const std::string& sentence) {
    arguments.insert(arguments.begin(), {"--name", "alice@test"});
    const auto [got, said] = ping(arguments);
    EXPECT_EQ(got, code) << said;
    EXPECT_NE(said.find(sentence), std::string::npos) << said;
  }
};

TEST_F(tls, a_conversation_with_credentials_from_the_folder) {
  program alice(client_program, broker.as("alice@test", {"--logon", "alice"}));
  EXPECT_EQ(line_of(alice), "logged_on") << alice.errors();
  EXPECT_EQ(ask(alice, "/message alice hello"), "sent");
  EXPECT_EQ(line_of(alice), R"(Message from alice: "hello")");
}

TEST_F(tls, an_authority_that_is_not_believed_is_named_as_what_is_wrong) {
  expect_failure({"-L", url}, 8,
                 "is from nobody whom this machine trusts; give the certificate of the right authority");
  const auto other = broker.folder() + "/other.crt";
  shell("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -keyout /dev/null -out " + other);
  expect_failure({"-L", url, "--cafile", other}, 8, "is from nobody whom this machine trusts");
}

TEST_F(tls, a_certificate_for_another_host_is_refused_and_says_for_whom_it_is) {
  expect_failure({"-L", "mqtts://127.0.0.2:" + port, "--cafile", ca}, 8, "is not for 127.0.0.2 but for ");
}

TEST_F(tls, a_certificate_that_has_expired_is_refused) {
  broker.stop();
  shell("cd " + broker.folder() +
        " && openssl req -new -key broker/broker.key -subj /CN=any -out authority/request.pem"
        " && printf 'subjectAltName=DNS:localhost\\n' >authority/extensions"
        " && openssl ca -batch -notext -config authority/openssl.cnf -extfile authority/extensions -subj /CN=localhost"
        " -startdate 20200101000000Z -enddate 20200102000000Z -in authority/request.pem -out broker/broker.crt");
  broker.start();
  expect_failure({"-L", url, "--cafile", ca}, 8, "has expired; its operator has to renew it");
}

TEST_F(tls, without_tls_on_its_port_and_with_tls_where_there_is_none_is_said_as_such) {
  expect_failure({"-h", "localhost", "-p", port}, 8, "speaks TLS at that port; write -L mqtts://HOST");
  const mosquitto plain;
  expect_failure({"-L", "mqtts://localhost:" + plain.port_text(), "--cafile", ca}, 8,
                 "does not speak TLS at that port");
  EXPECT_EQ(count(plain.log(), "as alice@test"), 0U);  // nothing went out in the open
}

TEST_F(tls, a_wrong_password_is_refused) {
  expect_failure({"-L", url, "--cafile", ca, "-u", "alice@test", "-P", "wrong"}, 5, "refused the credentials");
  expect_failure({"-L", url, "--cafile", ca}, 5, "refused the credentials");
}

TEST_F(tls, a_lowest_version_is_kept) {
  const std::vector<std::string> alice = broker.as("alice@test");
  const auto with = [&](const std::string& version) {
    auto a = alice;
    a.insert(a.end(), {"--tls-version", version});
    return a;
  };
  EXPECT_EQ(ping(with("tlsv1.3")).first, 0);
  broker.stop();
  // Mosquitto's tls_version is its lowest too; OpenSSL's own configuration can say the highest.
  std::ofstream(broker.folder() + "/openssl.cnf")
      << "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
         "MaxProtocol = TLSv1.2\n";
  ::setenv("OPENSSL_CONF", (broker.folder() + "/openssl.cnf").c_str(), 1);
  broker.start();
  ::unsetenv("OPENSSL_CONF");
  EXPECT_TRUE(server.says("is up", 10s));
  EXPECT_TRUE(eventually([&] { return ping(with("tlsv1.2")).first == 0; }));
  const auto [code, said] = ping(with("tlsv1.3"));
  EXPECT_EQ(code, 8) << said;
  EXPECT_NE(said.find("no version of TLS that will do here; see --tls-version"), std::string::npos) << said;
}

TEST_F(tls, a_password_is_asked_for_at_a_terminal_and_not_shown) {
  const auto password = first_line(broker.credentials("alice@test") + "/alice@test.password");
  const std::vector<std::string> arguments{
      "--name",   "alice@test", "-L",       "mqtts://alice%40test@localhost:" + port,
      "--cafile", ca,           "--server", "messenger@test"};
  const terminal t(client_program, arguments, {{"XDG_STATE_HOME", broker.folder()}}, 110, 12);
  ASSERT_TRUE(t.shows("Password of alice@test at localhost:" + port)) << t.text();
  t.type(password);
  t.press("Enter");
  EXPECT_TRUE(t.shows("This is node alice@test")) << t.text();
  EXPECT_EQ(t.text().find(password), std::string::npos);

  const terminal given_up(client_program, arguments, {}, 110, 12);
  ASSERT_TRUE(given_up.shows("Password of alice@test"));
  given_up.press("C-c");
  EXPECT_TRUE(given_up.has_ended());
}

TEST_F(tls, insecure_is_said_loudly) {
  const auto password = first_line(broker.credentials("alice@test") + "/alice@test.password");
  const auto [code, said] =
      ping({"--name", "alice@test", "-L", "mqtts://127.0.0.2:" + port, "--insecure", "-u", "alice@test"},
           {{"MQTT_PASSWORD", password}});
  EXPECT_EQ(code, 0) << said;
  EXPECT_NE(said.find("warning --insecure: whoever is between"), std::string::npos) << said;
}

TEST_F(tls, options_that_contradict_each_other_or_files_that_are_not_good_are_mistakes) {
  const auto alice = broker.credentials("alice@test") + "/";
  const auto open = broker.folder() + "/open";
  std::ofstream(open) << "secret\n";
  ::chmod(open.c_str(), 0644);
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"-L", "mqtt://localhost", "--cafile", ca}, "one without TLS, and other options ask for TLS"},
      {{"-L", "mqtt://localhost", "--insecure"}, "one without TLS"},
      {{"--cafile", "/nowhere"}, "the file of authorities /nowhere cannot be read"},
      {{"--cafile", "/etc/passwd"}, "has no certificates in PEM"},
      {{"--capath", "/nowhere"}, "the folder of authorities /nowhere is no folder"},
      {{"--cert", ca}, "a certificate (--cert) and its key (--key) go together"},
      {{"--cert", ca, "--key", ca}, "is none in PEM without a password, or not that of the certificate"},
      {{"--credentials", "/nowhere"}, "has neither alice@test.password nor alice@test.crt"},
      {{"-L", "mqtt://localhost", "--credentials", alice}, "one without TLS, and other options ask for TLS"},
      {{"--tls-version", "tlsv1.1"}, "--tls-version"},
      {{"-u", "x", "--password-file", open}, "everybody on this machine can read or change the password file"}};
  for (const auto& [arguments, sentence] : cases) expect_failure(arguments, 2, sentence);
}

TEST(provisioning, a_node_with_a_certificate_is_who_the_certificate_says) {
  const int port = free_port();
  const deployment broker({"alice@test"}, {"--certificate-port", std::to_string(port)});
  program server(node_program, broker.as("messenger@test"));
  ASSERT_TRUE(server.says("is up"));
  const auto alice = broker.credentials("alice@test") + "/alice@test";
  const std::vector<std::string> at{
      "-L", "mqtts://localhost:" + std::to_string(port), "--cafile", broker.ca_file(), "--server", "messenger@test"};
  auto with = at;
  with.insert(with.end(), {"--cert", alice + ".crt", "--key", alice + ".key"});
  auto as_alice = with, as_bob = with, as_nobody = at;
  as_alice.insert(as_alice.end(), {"--name", "alice@test"});
  EXPECT_EQ(ping(as_alice).first, 0);
  // Whatever a program calls itself: it is alice@test, and hears nothing as another.
  as_bob.insert(as_bob.end(), {"--name", "bob@test"});
  EXPECT_NE(ping(as_bob).first, 0);
  const auto [code, said] = ping(as_nobody);
  EXPECT_EQ(code, 8);
  EXPECT_NE(said.find("it asks for a certificate of this node; see --cert and --key"), std::string::npos) << said;

  const auto kept = broker.folder() + "/kept";
  shell("cp -r " + broker.credentials("alice@test") + " " + kept);
  broker.provision({"revoke", "alice@test"});
  auto as_revoked = at;
  as_revoked.insert(as_revoked.end(), {"--cert", kept + "/alice@test.crt", "--key", kept + "/alice@test.key"});
  EXPECT_TRUE(eventually([&] {
    const auto [end, how] = ping(as_revoked);
    return end == 8 && how.find("the certificate of this node has been revoked; see --cert") != std::string::npos;
  }));
}

TEST(provisioning, nodes_come_and_go_while_the_others_stay) {
  const deployment broker({"alice@test", "carol@test"});
  program server(node_program, broker.as("messenger@test", {"--net-ticktime", "2"}));
  ASSERT_TRUE(server.says("is up"));
  program alice(client_program, broker.as("alice@test", {"--logon", "alice", "--join", "lobby"}));
  ASSERT_EQ(line_of(alice), "logged_on") << alice.errors();
  ASSERT_EQ(line_of(alice), "joined lobby: alice");

  broker.provision({"add", "bob@test"});
  std::optional<program> bob;
  ASSERT_TRUE(eventually([&] {
    bob.emplace(client_program, broker.as("bob@test", {"--logon", "bob", "--join", "lobby"}));
    return bob->next_line() == "logged_on";
  }));
  EXPECT_EQ(line_of(alice), "lobby: bob joined");

  // With the password the connection goes too; Mosquitto takes its will for one that is not allowed, so that the EXIT
  // is that of the tick.
  broker.provision({"revoke", "bob@test"});
  EXPECT_EQ(line_of(alice), "lobby: bob left: noconnection");
  EXPECT_EQ(ask(alice, "/users"), "users: alice");
  EXPECT_EQ(count(server.errors(), "is up"), 1U);
  EXPECT_FALSE(std::filesystem::exists(broker.credentials("bob@test")));
  // Its last word was that it is up.
  bob->signal(SIGKILL);
  program nodes(client_program, broker.as("carol@test", {"nodes"}));
  EXPECT_EQ(nodes.end(), 0);
  const auto up = nodes.rest();
  EXPECT_EQ(up.size(), 3U) << "alice, carol, and the server: " << testing::PrintToString(up);
}

TEST(provisioning, the_brokers_certificate_is_renewed_while_it_runs) {
  const deployment broker({"alice@test"});
  const auto show = [&] {
    return shell("openssl s_client -connect localhost:" + std::to_string(broker.port()) +
                 " </dev/null 2>/dev/null | openssl x509 -noout -serial");
  };
  const auto before = show();
  broker.provision({"renew"});
  EXPECT_TRUE(eventually([&] { return show() != before; }));
  program server(node_program, broker.as("messenger@test"));
  EXPECT_TRUE(server.says("is up")) << server.errors();
}

TEST(provisioning, mistakes_are_said_and_change_nothing) {
  const deployment broker({"alice@test", "one@test+messenger@test"});
  const auto before = shell("cat " + broker.folder() + "/broker/*");
  for (const auto& [arguments, sentence] : std::vector<std::pair<std::string, std::string>>{
           {"add 'bo/b@test'", "is no node name"},
           {"add '#@test'", "is no node name"},
           {"add bob", "is no node name"},
           {"add alice@test", "there is a node alice@test already"},
           {"revoke bob@test", "there is no node bob@test"},
           {"revoke one@test", "one@test has the credentials of messenger@test too: revoke both"},
           {"init", "there is something in"},
           {"init --port x", "is no port"},
           {"init --ports 7", "there is no option --ports"},
           {"init --reload \"a 'b'\"", "--reload cannot have a ' in it"},
           {"init --names mine", "--names is bound or open"},
           {"name", "whose name?"},
           {"name bob bob@test", "there is no node bob@test"},
           {"name ''", "is no name of a user"},
           {"name \"$(printf 'a\\nb')\" alice@test", "is no name of a user"},
           {"destroy", "is none of init, add, revoke, name, renew, list"}}) {
    program p("/bin/sh", {"-c", SOURCE_FOLDER "/broker/provision " + broker.folder() + " " + arguments});
    EXPECT_NE(p.end().value_or(0), 0) << arguments;
    EXPECT_NE(p.errors().find(sentence), std::string::npos) << arguments << ": " << p.errors();
  }
  EXPECT_EQ(shell("cat " + broker.folder() + "/broker/*"), before);
}

TEST(provisioning, a_name_is_for_the_nodes_that_it_belongs_to) {
  const deployment broker({"alice@test", "bob@test"});
  program server(node_program, broker.as("messenger@test"));
  ASSERT_TRUE(server.says("is up"));
  const auto log_on = [&](const std::string& node, const std::string& name) {
    program user(client_program, broker.as(node, {"--logon", name}));
    return line_of(user);
  };
  EXPECT_EQ(log_on("alice@test", "alice"), "logged_on");
  EXPECT_EQ(log_on("alice@test", "bob"), "name_belongs_to_other_node");
  EXPECT_EQ(log_on("alice@test", "Zoë B"), "name_belongs_to_other_node");
  broker.provision({"name", "Zoë B", "alice@test", "bob@test"});
  broker.provision({"name", "bob"});
  EXPECT_EQ(log_on("alice@test", "Zoë B"), "logged_on");
  EXPECT_EQ(log_on("bob@test", "Zoë B"), "logged_on");
  EXPECT_EQ(log_on("bob@test", "bob"), "name_belongs_to_other_node");
  EXPECT_EQ(shell(SOURCE_FOLDER "/broker/provision " + broker.folder() + " list | grep alice"),
            "alice@test, may log on alice, Zoë B\n");
  broker.provision({"revoke", "alice@test"});
  broker.provision({"add", "alice@test"});
  EXPECT_TRUE(eventually([&] { return log_on("alice@test", "alice") == "logged_on"; }));
  EXPECT_EQ(log_on("alice@test", "Zoë B"), "name_belongs_to_other_node");

  // What is wrong with the list later changes nothing; what is wrong with it at the start is the end.
  const auto list = broker.credentials("messenger@test") + "/names";
  std::ofstream(list) << "alice@test\n";
  EXPECT_EQ(log_on("alice@test", "alice"), "logged_on");
  EXPECT_TRUE(server.says("names:1: this is to be a node and the name of a user"));
  program next(node_program, broker.as("messenger@test", {"--replace"}));
  EXPECT_EQ(next.end(), 2);
  EXPECT_NE(next.errors().find("names:1: this is to be a node"), std::string::npos) << next.errors();
}

TEST(provisioning, names_can_be_open) {
  const deployment broker({"alice@test"}, {"--names", "open"});
  program server(node_program, broker.as("messenger@test"));
  ASSERT_TRUE(server.says("is up"));
  program user(client_program, broker.as("alice@test", {"--logon", "whoever"}));
  EXPECT_EQ(line_of(user), "logged_on");
}

// A session that was begun with a certificate that was good then is no way in.
TEST(provisioning, a_revoked_certificate_is_refused_on_a_resumed_session_too) {
  const int port = free_port();
  const deployment broker({"alice@test"}, {"--certificate-port", std::to_string(port)});
  shell("cp -r " + broker.credentials("alice@test") + " " + broker.folder() + "/kept");
  const auto connect = [&](const std::string& version, const std::string& session) {
    const auto kept = broker.folder() + "/kept/alice@test";
    // CONNECT, and whatever comes within a second; the session is saved when its ticket has come.
    return shell("(printf '\\020\\014\\000\\004MQTT\\004\\002\\000\\074\\000\\000'; sleep 1) | openssl s_client -" +
                 version + " -connect localhost:" + std::to_string(port) + " -cert " + kept + ".crt -key " + kept +
                 ".key " + session + " 2>&1 || true");
  };
  for (const std::string version : {"tls1_2", "tls1_3"}) {
    const auto file = broker.folder() + "/" + version;
    connect(version, "-sess_out " + file);
    ASSERT_NE(connect(version, "-sess_in " + file).find("Reused, "), std::string::npos) << "it can be resumed at all";
  }
  broker.provision({"revoke", "alice@test"});
  ASSERT_TRUE(eventually([&] { return connect("tls1_3", "").find("certificate revoked") != std::string::npos; }));
  for (const std::string version : {"tls1_2", "tls1_3"}) {
    const auto answer = connect(version, "-sess_in " + broker.folder() + "/" + version);
    EXPECT_EQ(answer.find(std::string("\x20\2\0\0", 4)), std::string::npos) << answer;
    EXPECT_TRUE(answer.find("certificate revoked") != answer.npos || answer.find("New, ") != answer.npos) << answer;
  }
}

TEST(provisioning, what_is_secret_nobody_else_can_read) {
  const deployment broker({"alice@test"}, {"--certificate-port", std::to_string(free_port())});
  const auto open =
      shell("find " + broker.folder() + " -type f -perm /077 ! -name '*.crt' ! -name '*.pid' ! -name log");
  EXPECT_EQ(open, "");
  EXPECT_EQ(shell("grep -c '^[^:]*:\\$7\\$' " + broker.folder() + "/broker/passwords"), "2\n");
}

}  // namespace
}  // namespace testing_system
