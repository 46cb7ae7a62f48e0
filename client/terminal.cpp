#include "client/terminal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <string_view>
#include <utility>

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "client/line_reader.hpp"
#include "protocol/user_name.hpp"

namespace messenger {
namespace {

constexpr char end_of_transmission = 4;  // Ctrl-D
constexpr char escape = 27;

// How much a terminal that is stopped may still have to show when something new comes.
constexpr std::size_t most_waiting = program::output::most / 4;

// How many bytes make the first key, 0 if the rest of it has not come yet: libedit would wait for it.
std::size_t first_key(std::string_view input) {
  const auto first = static_cast<unsigned char>(input[0]);
  const auto or_wait = [&](std::size_t size) { return input.size() >= size ? size : 0; };
  constexpr unsigned char control_v = 22, control_x = 24;
  if (first == control_v || first == control_x) return or_wait(2);
  if (first == escape) {
    if (input.size() < 2) return 0;
    if (input[1] == 'O') return or_wait(3);
    if (input[1] != '[') return 2;
    for (std::size_t i = 2; i < input.size(); ++i)
      if (input[i] >= 0x40 && input[i] <= 0x7e) return i + 1;
    return input.size() > 32 ? input.size() : 0;
  }
  if (first >= 0xf0) return or_wait(4);
  if (first >= 0xe0) return or_wait(3);
  if (first >= 0xc0) return or_wait(2);
  return 1;
}

// What the keys that send a sequence do, whatever the kind of terminal; of others nothing is seen.
std::string meaning_of(const std::string& key) {
  static const std::vector<std::pair<std::string, std::string>> meanings{{"\x1b[A", "\x10"},
                                                                         {"\x1bOA", "\x10"},
                                                                         {"\x1b[B", "\x0e"},
                                                                         {"\x1bOB", "\x0e"},  // up, down
                                                                         {"\x1b[C", "\x06"},
                                                                         {"\x1bOC", "\x06"},
                                                                         {"\x1b[D", "\x02"},
                                                                         {"\x1bOD", "\x02"},  // right, left
                                                                         {"\x1b[H", "\x01"},
                                                                         {"\x1bOH", "\x01"},
                                                                         {"\x1b[F", "\x05"},
                                                                         {"\x1bOF", "\x05"},  // home, end
                                                                         {"\x1b[1~", "\x01"},
                                                                         {"\x1b[7~", "\x01"},
                                                                         {"\x1b[4~", "\x05"},
                                                                         {"\x1b[8~", "\x05"},  //
                                                                         {"\x1b[1;5C",
                                                                          "\x1b"
                                                                          "f"},
                                                                         {"\x1b[1;5D",
                                                                          "\x1b"
                                                                          "b"},
                                                                         {"\x1b[3~", "\x1b[3~"}};  // by words; delete
  for (const auto& [sequence, meaning] : meanings)
    if (sequence == key) return meaning;
  const bool is_sequence = key.size() > 2 && key[0] == escape && (key[1] == '[' || key[1] == 'O');
  return is_sequence ? "" : key;
}

int columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int rows() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

}  // namespace

// For std::quick_exit, which destroys nothing.
static termios as_it_was;
static void restore_terminal() { ::tcsetattr(STDIN_FILENO, TCSANOW, &as_it_was); }

// libedit draws on a stream.
static std::FILE* as_stream(program::output& screen) {
  const cookie_io_functions_t functions{.read = nullptr,
                                        .write = [](void* to, const char* bytes, std::size_t size) -> ssize_t {
                                          static_cast<program::output*>(to)->write({bytes, size});
                                          return static_cast<ssize_t>(size);
                                        },
                                        .seek = nullptr,
                                        .close = nullptr};
  return ::fopencookie(&screen, "w", functions);
}

terminal::terminal(program::output& screen, const std::string& history_path, completer complete)
    : screen_(screen),
      file_(as_stream(screen)),
      complete_(std::move(complete)),
      history_(::history_init()),
      saved_(history_path) {
  ::tcgetattr(STDIN_FILENO, &as_it_was);
  std::at_quick_exit(restore_terminal);
  std::setlocale(LC_CTYPE, "");
  if (MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
  HistEvent e{};
  ::history(history_, &e, H_SETSIZE, static_cast<int>(history_file::longest));
  ::history(history_, &e, H_SETUNIQUE, 1);
  for (const auto& line : saved_.load()) ::history(history_, &e, H_ENTER, line.c_str());
  edit_ = ::el_init_fd("messenger-client", stdin, file_, stderr, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
  ::el_set(edit_, EL_CLIENTDATA, this);
  ::el_set(edit_, EL_EDITOR, "emacs");
  ::el_set(edit_, EL_HIST, ::history, history_);
  ::el_set(edit_, EL_GETCFN, &terminal::get_character);
  ::el_set(edit_, EL_PROMPT, &terminal::prompt_of);
  unsigned char (*const on_tab)(EditLine*, int) = &terminal::complete_word;
  ::el_set(edit_, EL_ADDFN, "complete-word", "Complete the word before the cursor", on_tab);
  ::el_set(edit_, EL_BIND, "^I", "complete-word", nullptr);
  ::el_set(edit_, EL_BIND, "\\e[3~", "ed-delete-next-char", nullptr);
  ::el_set(edit_, EL_BIND, "^R", "ed-search-prev-history", nullptr);  // asks nothing
  ::el_set(edit_, EL_BIND, "^W", "ed-delete-prev-word", nullptr);
  ::el_set(edit_, EL_UNBUFFERED, 1);
  drawn_columns_ = columns();
  screen_.on_room = [this](std::uint64_t) {
    if (lost_ > 0)
      print("(" + std::to_string(std::exchange(lost_, 0)) + " lines were not shown: this terminal was stopped)");
  };
}

terminal::~terminal() {
  erase();
  std::fflush(file_);
  ::el_set(edit_, EL_UNBUFFERED, 0);
  ::el_end(edit_);
  ::history_end(history_);
  std::fclose(file_);
}

void terminal::read() {
  std::array<char, 4'096> bytes;
  const auto count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    at_end_ = true;
    return;
  }
  input_.append(bytes.data(), static_cast<std::size_t>(count));
  feed();
}

void terminal::feed() {
  while (!input_.empty() && wants_more()) {
    const auto size = first_key(input_);
    if (size == 0) return;
    const LineInfo* line = ::el_line(edit_);
    const bool is_empty = line->lastchar == line->buffer;
    if (is_empty && input_[0] == end_of_transmission) {
      at_end_ = true;
      return;
    }
    const bool is_too_long = static_cast<std::size_t>(line->lastchar - line->buffer) > line_reader::longest;
    if (insert_run()) continue;
    unit_ = meaning_of(input_.substr(0, size));
    input_.erase(0, size);
    if (is_too_long && unit_ != "\r" && unit_ != "\n") unit_.clear();
    while (!unit_.empty()) {
      int count = 0;
      const char* text = ::el_gets(edit_, &count);
      if (text && count > 0 && text[count - 1] == '\n') line_is_ended({text, static_cast<std::size_t>(count - 1)});
    }
  }
}

// Several characters at once, as of a paste: libedit would draw the line anew for each.
bool terminal::insert_run() {
  std::string_view rest = input_;
  std::size_t run = 0, characters = 0;
  for (; !rest.empty(); ++characters) {
    const auto before = rest.size();
    const auto c = next_character(rest);
    if (!c || is_control(*c)) break;
    run += before - rest.size();
  }
  const LineInfo* line = ::el_line(edit_);
  if (characters < 2 || static_cast<std::size_t>(line->lastchar - line->buffer) > line_reader::longest) return false;
  erase();
  const bool is_done = ::el_insertstr(edit_, input_.substr(0, run).c_str()) == 0;
  draw();
  if (is_done) input_.erase(0, run);
  return is_done;
}

void terminal::line_is_ended(const std::string& line) {
  if (line.find_first_not_of(' ') != line.npos) {
    HistEvent e{};
    ::history(history_, &e, H_ENTER, line.c_str());
    saved_.add(line);
  }
  lines_.push_back(line);
  ::el_set(edit_, EL_UNBUFFERED, 0);
  ::el_set(edit_, EL_UNBUFFERED, 1);
}

std::optional<std::string> terminal::next() {
  if (lines_.empty()) return std::nullopt;
  auto first = std::move(lines_.front());
  lines_.pop_front();
  feed();
  return first;
}

int terminal::get_character(EditLine* el, wchar_t* c) {
  terminal* self = nullptr;
  ::el_get(el, EL_CLIENTDATA, &self);
  if (self->unit_.empty()) return 0;
  std::string_view rest = self->unit_;
  const auto next = next_character(rest);
  *c = next ? static_cast<wchar_t>(*next) : L'?';
  if (!next) rest.remove_prefix(1);
  self->unit_ = rest;
  return 1;
}

const char* terminal::prompt_of(EditLine* el) {
  terminal* self = nullptr;
  ::el_get(el, EL_CLIENTDATA, &self);
  return self->prompt_.c_str();
}

unsigned char terminal::complete_word(EditLine* el, int) {
  terminal* self = nullptr;
  ::el_get(el, EL_CLIENTDATA, &self);
  return self->complete_word();
}

unsigned char terminal::complete_word() {
  const bool is_pasted = input_.find_first_not_of('\t') != input_.npos;
  if (is_pasted) return ::el_insertstr(edit_, " ") == 0 ? CC_REFRESH : CC_ERROR;
  const LineInfo* line = ::el_line(edit_);
  const std::string text(line->buffer, line->cursor);
  const auto words = complete_(text);
  if (words.empty()) return CC_ERROR;
  std::string common = words.front();
  for (const auto& word : words)
    common.erase(std::mismatch(common.begin(), common.end(), word.begin(), word.end()).first, common.end());
  while (common.size() < words.front().size() &&
         (static_cast<unsigned char>(words.front()[common.size()]) & 0xc0) == 0x80)
    common.pop_back();  // never half a character
  // What stands there already is the beginning of all of them.
  std::size_t typed = std::min(text.size(), common.size());
  while (typed > 0 && text.compare(text.size() - typed, typed, common, 0, typed) != 0) --typed;
  std::string more = common.substr(typed);
  if (words.size() == 1) more += ' ';
  if (!more.empty()) return ::el_insertstr(edit_, more.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  std::string list;
  for (const auto& word : words) list += word + "  ";
  print(list);
  return CC_REFRESH;
}

int terminal::width(const std::string& text) {
  int sum = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto c = next_character(rest);
    if (!c) rest.remove_prefix(1);
    sum += c ? std::max(::wcwidth(static_cast<wchar_t>(*c)), 0) : 1;
  }
  return sum;
}

// In which row of the line that is being typed its first `size` bytes end, the prompt before them.
int terminal::row_after(std::size_t size) const {
  const int wide = columns();
  int row = static_cast<int>(prompt_.size()) / wide, column = static_cast<int>(prompt_.size()) % wide;
  for (std::string_view rest(::el_line(edit_)->buffer, size); !rest.empty();) {
    const auto before = rest;
    const auto c = next_character(rest);
    if (!c) rest.remove_prefix(1);
    const int cells = c && is_control(*c) ? 2 : width(std::string(before.substr(0, before.size() - rest.size())));
    if (column + cells > wide) {  // a wide character does not go half over the edge
      ++row;
      column = 0;
    }
    column += cells;
    if (column == wide) {
      ++row;
      column = 0;
    }
  }
  return row;
}

// Clears the prompt and the line, row by row (some terminals keep what is cleared with the rest of the screen), and
// stays where they began.
void terminal::erase() {
  const LineInfo* line = ::el_line(edit_);
  const int wide = columns();
  const auto text_width = prompt_.size() + static_cast<std::size_t>(width({line->buffer, line->lastchar}));
  if (drawn_columns_ != wide && text_width >= static_cast<std::size_t>(std::min(drawn_columns_, wide))) {
    // Nobody knows into how many rows the terminal has broken it: rather a piece of it stays than that others' goes.
    std::fputs("\x1b[J\r\n", file_);
    return;
  }
  const auto up = [this](int rows) {
    if (rows > 0) std::fprintf(file_, "\x1b[%dA", rows);
  };
  const int highest = rows() - 1;
  up(std::min(row_after(static_cast<std::size_t>(line->cursor - line->buffer)), highest));
  const int last = std::min(row_after(static_cast<std::size_t>(line->lastchar - line->buffer)), highest);
  std::fputs("\r\x1b[K", file_);
  for (int row = 0; row < last; ++row) std::fputs("\x1b[B\x1b[K", file_);
  up(last);
}

void terminal::print(const std::string& text) {
  if (screen_.waiting() > most_waiting) {
    ++lost_;
    return;
  }
  erase();
  for (const char c : text) {
    if (c == '\n') std::fputc('\r', file_);
    std::fputc(c, file_);
  }
  std::fputs("\r\n", file_);
  draw();
}

void terminal::draw() {
  std::fflush(file_);
  ::el_resize(edit_);
  ::el_set(edit_, EL_REFRESH);
  drawn_columns_ = columns();
}

bool terminal::give_line_up() {
  const LineInfo* line = ::el_line(edit_);
  input_.clear();
  if (line->lastchar == line->buffer) return false;
  std::fputs("^C\r\n", file_);
  std::fflush(file_);
  ::el_set(edit_, EL_UNBUFFERED, 0);
  ::el_set(edit_, EL_UNBUFFERED, 1);
  return true;
}

void terminal::set_prompt(const std::string& prompt) {
  if (prompt == prompt_) return;
  erase();
  prompt_ = prompt;
  draw();
}

void terminal::redraw() {
  ::el_set(edit_, EL_PREP_TERM, 1);
  erase();
  draw();
}

}  // namespace messenger
