// What a person at a terminal sees.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "system/programs.hpp"
#include "system/raw_node.hpp"
#include "system/terminal.hpp"

using namespace testing_system;

class at_terminal : public testing::Test {
 protected:
  at_terminal() : folder(make_folder()) {}
  ~at_terminal() override { std::filesystem::remove_all(folder); }

  std::vector<std::string> arguments(const std::string& node, std::vector<std::string> more = {}) const {
    more.insert(more.begin(),
                {"--name", node + "@test", "--server", "messenger@test", "-h", "127.0.0.1", "-p", broker.port_text()});
    return more;
  }
  // Ann's terminal, in the lobby.
  std::unique_ptr<terminal> start(std::vector<std::string> more = {},
                                  std::map<std::string, std::string> environment = {}, int columns = 80,
                                  int rows = 24) {
    more.insert(more.end(), {"--logon", "ann", "--join", "lobby"});
    environment.emplace("XDG_STATE_HOME", folder);
    auto t = std::make_unique<terminal>(client_program, arguments("ann", more), environment, columns, rows);
    EXPECT_TRUE(t->ends_with("ann@test ann:lobby>")) << t->text();
    return t;
  }
  // Bob has no terminal.
  program start_bob() {
    auto bob = start_user(broker, "bob");
    bob.type("/join");
    EXPECT_TRUE(line_of(bob).starts_with("joined lobby: "));
    return bob;
  }
  // A line without its time.
  static lines without_times(lines all) {
    for (auto& line : all)
      if (line.size() > 6 && line[2] == ':' && line[5] == ' ') line = line.substr(6);
    return all;
  }
  static std::string last(const lines& all) { return all.empty() ? "" : all.back(); }

  const std::string folder;
  mosquitto broker;
  program server = start_server(broker);
};

TEST_F(at_terminal, what_comes_appears_above_the_line_that_is_being_typed) {
  auto ann = start();
  auto bob = start_bob();
  ann->type("I am not done");
  ask(bob, "interrupting");
  ask(bob, "/message ann psst");
  EXPECT_TRUE(ann->shows("psst"));
  EXPECT_TRUE(ann->ends_with("ann@test ann:lobby> I am not done")) << ann->text();
  const auto seen = without_times(ann->screen());
  ASSERT_GE(seen.size(), 4U) << ann->text();
  EXPECT_EQ(lines(seen.end() - 4, seen.end()), (lines{"lobby bob joined", "lobby bob: interrupting", "bob to you: psst",
                                                      "ann@test ann:lobby> I am not done"}));
  for (int i = 0; i < 4; ++i) ann->press("Left");
  EXPECT_TRUE(eventually([&] { return ann->cursor().first == 29; }));
  ask(bob, "again");
  EXPECT_TRUE(ann->shows("again"));
  EXPECT_EQ(ann->cursor().first, 29) << "the cursor stays where it is in the line";
  ann->type("yet ");
  EXPECT_TRUE(ann->ends_with("ann@test ann:lobby> I am not yet done")) << ann->text();
  ann->press("Enter");
  EXPECT_EQ(line_of(bob), R"(lobby: ann said "I am not yet done")");
  EXPECT_TRUE(ann->ends_with("ann@test ann:lobby>"));
  EXPECT_EQ(ann->text().find("sent"), std::string::npos) << "one sees what one has said";
}

TEST_F(at_terminal, the_prompt_says_where_one_is) {
  terminal ann(client_program, arguments("ann"), {{"XDG_STATE_HOME", folder}});
  EXPECT_TRUE(ann.ends_with("ann@test>"));
  EXPECT_TRUE(ann.shows("This is node ann@test. /logon NAME, then /join; /help lists the commands."));
  const std::vector<std::pair<std::string, std::string>> steps{{"/logon \"Anna Lena\"", "ann@test \"Anna Lena\">"},
                                                               {"/join dev", "ann@test \"Anna Lena\":dev>"},
                                                               {"/join", "ann@test \"Anna Lena\":lobby>"},
                                                               {"/leave", "ann@test \"Anna Lena\":dev>"},
                                                               {"/logoff", "ann@test>"},
                                                               {"/join", "ann@test \"Anna Lena\":lobby>"}};
  for (const auto& [command, prompt] : steps) {
    ann.type(command);
    ann.press("Enter");
    EXPECT_TRUE(ann.ends_with(prompt)) << command << "\n" << ann.text();
  }
}

TEST_F(at_terminal, tab_completes_commands_users_rooms_and_nodes) {
  auto ann = start();
  auto bob = start_bob();
  auto anna = start_client(broker, "anna");
  EXPECT_EQ(ask(anna, "/logon \"Anna Lena\""), "logged_on");
  ask(anna, "/join development");
  auto zoe = start_client(broker, "zoe");
  EXPECT_EQ(ask(zoe, "/logon Zo\xc3\xa9-1"), "logged_on");
  auto zoi = start_client(broker, "zoi");
  EXPECT_EQ(ask(zoi, "/logon Zo\xc3\xa8-2"), "logged_on");
  // Each text, and what Tab makes of it. What has to be asked for is there at the next Tab.
  const std::vector<std::pair<std::string, std::string>> steps{{"/he", "/help"},
                                                               {"/message bo", "/message bob"},
                                                               {"/pm \"A", "/pm \"Anna Lena\""},
                                                               {"/pm Z", "/pm Zo"},
                                                               {"bo", "bob"},
                                                               {"hello b", "hello bob"},
                                                               {"/join dev", "/join development"},
                                                               {"/users lo", "/users lobby"},
                                                               {"/ping mess", "/ping messenger@test"}};
  for (const auto& [typed, completed] : steps) {
    ann->type(typed);
    EXPECT_TRUE(ann->ends_with("ann@test ann:lobby> " + typed));
    EXPECT_TRUE(eventually([&] {
      ann->press("Tab");
      nap(50ms);
      return last(ann->screen()) == "ann@test ann:lobby> " + completed;
    })) << ann->text();
    ann->press("C-u");
    EXPECT_TRUE(ann->ends_with("ann@test ann:lobby>"));
  }
  ann->type("/l");
  ann->press("Tab");
  EXPECT_TRUE(ann->shows("/leave  /logoff  /logon")) << ann->text();
  EXPECT_TRUE(ann->ends_with("ann@test ann:lobby> /l"));
  EXPECT_EQ(ann->text().find("logged on:"), std::string::npos) << "what was asked for Tab is not shown";
}

TEST_F(at_terminal, lines_are_kept_for_the_next_time_but_private_messages) {
  {
    auto ann = start();
    for (const auto* line : {"/rooms", "good morning", "/message ann secret", "/pm ann secret"}) {
      ann->type(line);
      ann->press("Enter");
    }
    EXPECT_TRUE(ann->shows("good morning"));
    ann->press("Up");
    EXPECT_TRUE(ann->ends_with("ann@test ann:lobby> /pm ann secret")) << ann->text();
    ann->press("C-u");
    ann->type("/quit");
    ann->press("Enter");
    EXPECT_TRUE(ann->has_ended()) << ann->text();
  }
  auto ann = start();
  for (const auto* line : {"/quit", "good morning", "/rooms"}) {
    ann->press("Up");
    EXPECT_TRUE(ann->ends_with(std::string("ann@test ann:lobby> ") + line)) << ann->text();
  }
  ann->press("Down");
  EXPECT_TRUE(ann->ends_with("ann@test ann:lobby> good morning"));
  const auto path = folder + "/messenger/history";
  std::ifstream file(path);
  const std::string kept((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(kept, "/rooms\ngood morning\n/quit\n");
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

// Whether tmux and libedit count the columns of a combined character in the same way.
static bool agree_on_columns() {
  program tmux("tmux", {"-V"});
  return line_of(tmux).starts_with("tmux 3.3");
}

TEST_F(at_terminal, long_lines_wide_characters_and_other_sizes_behave) {
  if (!agree_on_columns())
    GTEST_SKIP()
        << "this tmux and libedit do not agree on the columns of combined characters: with Debian 13's a character "
           "at the end of a row is drawn twice";
  auto ann = start({}, {}, 30, 20);
  auto bob = start_bob();
  EXPECT_TRUE(ann->shows("bob joined"));
  // Wide characters, an accent of its own, and three rows of it.
  const std::string typed = "\xe6\xbc\xa2\xe5\xad\x97 e\xcc\x81 and a line that is longer than this window is wide";
  ann->type(typed);
  // However it is broken into rows, it is there. (libedit does not always draw an accent of its own, but keeps it.)
  const auto line_is_whole = [&] {
    std::string shown, expected = "ann@test ann:lobby> " + typed;
    for (const auto& row : ann->screen()) shown += row;
    for (auto* text : {&shown, &expected}) {
      std::erase(*text, ' ');
      if (const auto accent = text->find("\xcc\x81"); accent != text->npos) text->erase(accent, 2);
    }
    return shown.ends_with(expected);
  };
  EXPECT_TRUE(eventually([&] { return line_is_whole(); })) << ann->text();
  ask(bob, "one");
  EXPECT_TRUE(ann->shows("lobby bob: one"));
  EXPECT_TRUE(eventually([&] { return line_is_whole(); })) << ann->text();
  for (const int columns : {50, 25, 100, 40}) {
    ann->resize(columns, 20);
    nap(500ms);  // tmux tells the program a quarter of a second later
    ask(bob, "at " + std::to_string(columns));
    EXPECT_TRUE(ann->shows("at " + std::to_string(columns))) << ann->text();
    EXPECT_TRUE(eventually([&] { return line_is_whole(); })) << columns << "\n" << ann->text();
  }
  const auto seen = without_times(ann->all());
  for (const auto* line :
       {"lobby bob: one", "lobby bob: at 50", "lobby bob: at 25", "lobby bob: at 100", "lobby bob: at 40"})
    EXPECT_EQ(std::count(seen.begin(), seen.end(), line), 1) << line << "\n" << ann->text();
  ann->press("Enter");
  EXPECT_EQ(line_of(bob), "lobby: ann said \"" + typed + "\"");
}

TEST_F(at_terminal, a_hundred_lines_that_are_pasted_are_a_hundred_lines_sent) {
  auto ann = start();
  auto bob = start_bob();
  const std::string long_line(10'000, 'x');
  ann->paste(long_line + "\n");
  EXPECT_EQ(line_of(bob), "lobby: ann said \"" + long_line + "\"");
  std::string text;
  for (int i = 0; i < 100; ++i) text += "line\t" + std::to_string(i) + "\n";
  ann->paste(text);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(line_of(bob), "lobby: ann said \"line " + std::to_string(i) + "\"");
  EXPECT_TRUE(ann->ends_with("ann@test ann:lobby>"));
}

TEST_F(at_terminal, nobody_can_command_the_terminal_of_another) {
  auto ann = start();
  raw_node mallory(broker.port(), "mallory@test", 1);
  // A name that would be an order, if it could be one; and one that looks like more than a name.
  EXPECT_EQ(mallory.logon("x\\u001b[2Jx"), R"(["messenger","stop","bad_name"])");
  EXPECT_EQ(mallory.logon("bob: hello 12:00 lobby fred"), R"(["messenger","logged_on"])");
  const auto head = R"([")" + mallory.pid() + R"(",")";
  mallory.send("messenger", head + R"(join","lobby"])");
  for (const auto* text : {R"(\u001b[2J\u001b[H wiped)", R"(\u001b]0;title\u0007)", R"(a\r\n12:00 exit: noconnection)",
                           R"(\u009b31m)", R"(\u202ereversed)", R"(\u0008\u0008\u007f)", R"(\u2028new line)"})
    mallory.send("messenger", head + R"(say","lobby",")" + text + "\"]");
  mallory.send("messenger", head + R"(message_to","ann","\u001b[31mred"])");
  EXPECT_TRUE(ann->shows("to you: \\e[31mred")) << ann->text();
  // What is dropped is logged.
  mallory.connection.publish(root_topic + "to/ann@test/net_kernel/from/mallory@test",
                             R"(["PONG","\u001b[2J\u001b[31mwiped"])");
  EXPECT_TRUE(ann->shows("dropped (malformed")) << ann->text();
  const auto seen = without_times(ann->screen());
  const std::string who = "lobby \"bob: hello 12:00 lobby fred\": ";
  for (const auto* text : {"\\e[2J\\e[H wiped", "\\e]0;title\\x{7}", "a\\r\\n12:00 exit: noconnection", "\\x{9B}31m",
                           "\\x{202E}reversed", "\\b\\b\\d", "\\x{2028}new line"})
    EXPECT_EQ(std::count(seen.begin(), seen.end(), who + text), 1) << text << "\n" << ann->text();
  EXPECT_TRUE(ann->ends_with("ann@test ann:lobby>"));
}

TEST_F(at_terminal, the_loss_of_the_server_is_not_to_be_missed_and_says_what_is_next) {
  auto ann = start();
  server.signal(SIGKILL);
  EXPECT_TRUE(ann->shows("*** exit: noconnection - the server is gone, or the way to it ***")) << ann->text();
  EXPECT_TRUE(ann->shows("*** You are logged off. /logon ann tries again."));
  EXPECT_TRUE(ann->ends_with("ann@test>")) << ann->text();
  std::string colours;
  for (const auto& line : ann->screen(true)) colours += line + "\n";
  EXPECT_NE(colours.find("31m"), std::string::npos) << "in red";
}

TEST_F(at_terminal, a_server_that_does_not_answer_is_as_lost) {
  auto ann = start();
  server.signal(SIGSTOP);
  ann->type("hello?");
  ann->press("Enter");
  EXPECT_TRUE(ann->shows("*** exit: timeout - the server has not answered for 5 seconds ***")) << ann->text();
  EXPECT_TRUE(ann->shows("*** You are logged off. /logon ann tries again."));
  server.signal(SIGCONT);
}

TEST_F(at_terminal, who_rejoins_is_told_so_and_is_in_the_room_again) {
  auto ann = start({"--rejoin"});
  server.signal(SIGKILL);
  server.end();
  EXPECT_TRUE(ann->shows("*** You are logged on again as soon as it is back; /logoff gives that up.")) << ann->text();
  auto next = start_server(broker);
  EXPECT_TRUE(eventually([&] { return count(ann->text(), "you are in lobby with nobody else yet") == 2; }))
      << ann->text();
  EXPECT_TRUE(ann->ends_with("ann@test ann:lobby>"));
}

TEST_F(at_terminal, colours_are_there_unless_one_does_not_want_them) {
  const auto has_colours = [&](const std::vector<std::string>& more, const std::map<std::string, std::string>& e) {
    auto ann = start(more, e);
    ann->type("/pm ann x");
    ann->press("Enter");
    EXPECT_TRUE(ann->shows("ann to you: x")) << ann->text();
    std::string all;
    for (const auto& line : ann->screen(true)) all += line;
    ann->type("/quit");
    ann->press("Enter");
    EXPECT_TRUE(ann->has_ended()) << ann->text();
    return all.find("\x1b[") != std::string::npos;
  };
  EXPECT_TRUE(has_colours({}, {}));
  EXPECT_FALSE(has_colours({"--color", "never"}, {}));
  EXPECT_FALSE(has_colours({}, {{"NO_COLOR", "1"}}));
  EXPECT_TRUE(has_colours({"--color", "always"}, {{"NO_COLOR", "1"}}));
}

TEST_F(at_terminal, logs_come_above_the_line_too) {
  auto ann = start({"--log-level", "warn"});
  ann->type("half a");
  broker.stop();
  EXPECT_TRUE(ann->shows("warning: no MQTT broker answers")) << ann->text();
  EXPECT_TRUE(eventually([&] { return last(ann->screen()) == "ann@test> half a"; })) << ann->text();
}

TEST_F(at_terminal, ctrl_c_gives_the_line_up_and_on_an_empty_one_ends_it) {
  auto ann = start();
  ann->type("never mind");
  EXPECT_TRUE(ann->ends_with("ann@test ann:lobby> never mind"));
  ann->press("C-c");
  EXPECT_TRUE(ann->ends_with("ann@test ann:lobby>")) << ann->text();
  ann->type("x");
  EXPECT_TRUE(ann->ends_with("ann@test ann:lobby> x")) << ann->text();
  ann->press("C-u");
  ann->press("C-c");
  EXPECT_TRUE(ann->has_ended());
  EXPECT_TRUE(server.says("logoff: ann was ann@test"));
}

TEST_F(at_terminal, ctrl_d_ends_it_and_leaves_the_terminal_as_it_was) {
  terminal shell("sh",
                 {"-c", "stty -a > " + folder + "/before; " + client_program + " --name ann@test -h 127.0.0.1 -p " +
                            broker.port_text() + "; stty -a > " + folder + "/after; echo over; cat"},
                 {{"XDG_STATE_HOME", folder}});
  EXPECT_TRUE(shell.ends_with("ann@test>")) << shell.text();
  shell.type("x");
  shell.press("C-d");  // not at the end of a line that has something in it
  shell.press("BSpace");
  EXPECT_TRUE(shell.ends_with("ann@test>")) << shell.text();
  shell.press("C-d");
  EXPECT_TRUE(shell.ends_with("over")) << shell.text();
  const auto text_of = [&](const char* name) {
    std::ifstream file(folder + name);
    return std::string((std::istreambuf_iterator<char>(file)), {});
  };
  EXPECT_EQ(text_of("/before"), text_of("/after"));
}
