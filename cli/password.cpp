#include "cli/password.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "chain_adapter/files/atomic_file.h"
#include "cli/exit_code.h"

namespace tally::cli {

namespace {

constexpr std::size_t kMaxPasswordFileBytes = 4096;

/// The controlling terminal with echo off for as long as this lives.
class QuietTerminal {
 public:
  QuietTerminal() : x_descriptor(::open("/dev/tty", O_RDWR | O_CLOEXEC)) {
    if (x_descriptor < 0 || tcgetattr(x_descriptor, &x_saved) != 0) {
      bad_input("a password is needed and there is no terminal to ask on; give --password-file FILE");
    }
    termios quiet = x_saved;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(x_descriptor, TCSAFLUSH, &quiet);
  }
  ~QuietTerminal() {
    tcsetattr(x_descriptor, TCSAFLUSH, &x_saved);
    ::close(x_descriptor);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

  [[nodiscard]] std::string ask(const std::string& prompt) const {
    say(prompt);
    std::string line;
    std::array<char, 1> byte{};
    while (line.size() < kMaxPasswordFileBytes && ::read(x_descriptor, byte.data(), 1) == 1 && byte[0] != '\n') {
      line.push_back(byte[0]);
    }
    say("\n");
    return line;
  }

 private:
  void say(const std::string& text) const {
    if (::write(x_descriptor, text.data(), text.size()) < 0) bad_input("the terminal cannot be written to");
  }

  int x_descriptor;
  termios x_saved{};
};

std::string from_file(const std::string& file) {
  const auto contents = chain::read_file(file, kMaxPasswordFileBytes);
  if (!contents) bad_input(contents.error().message);
  const auto end = std::ranges::find(*contents, std::uint8_t{'\n'});
  std::string password(contents->begin(), end);
  if (password.ends_with('\r')) password.pop_back();
  return password;
}

}  // namespace

std::string read_password(const std::string& file, Ask ask) {
  if (!file.empty()) return from_file(file);
  const QuietTerminal terminal;
  std::string password = terminal.ask("Password: ");
  if (ask == Ask::kTwice && terminal.ask("The same again: ") != password) bad_input("the two passwords differ");
  return password;
}

}  // namespace tally::cli
