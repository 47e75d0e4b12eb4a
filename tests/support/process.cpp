#include "tests/support/process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

namespace tally::test {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kExitNotStarted = 127;  // as shells report it

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 65536> piece{};
  ::off_t offset = 0;
  while (true) {
    const ::ssize_t count = ::pread(descriptor, piece.data(), piece.size(), offset);
    if (count < 0) fail("cannot read captured output");
    if (count == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
    offset += count;
  }
}

/// What happens between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* argv, const ProcessOptions& options, int out, int err) {
  ::setsid();
  if (options.ends_with == EndsWith::kStarter) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (!options.folder.empty() && ::chdir(options.folder.c_str()) != 0) ::_exit(kExitNotStarted);
  const auto limit = [](int resource, const std::optional<std::uint64_t>& most) {
    if (!most) return;
    const ::rlimit limits{.rlim_cur = *most, .rlim_max = *most};
    if (::setrlimit(resource, &limits) != 0) ::_exit(kExitNotStarted);
  };
  limit(RLIMIT_FSIZE, options.max_file_bytes);
  limit(RLIMIT_DATA, options.max_data_bytes);
  ::execv(argv[0], argv);
  ::_exit(kExitNotStarted);
}

}  // namespace

Process::Process(const std::vector<std::string>& argv, ProcessOptions options)
    : x_options(std::move(options)),
      x_out(::memfd_create("stdout", MFD_CLOEXEC)),
      x_err(::memfd_create("stderr", MFD_CLOEXEC)) {
  if (x_out < 0 || x_err < 0) fail("cannot make a file in memory");
  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  x_id = ::fork();
  if (x_id < 0) fail("cannot fork");
  if (x_id == 0) become(pointers.data(), x_options, x_out, x_err);
}

Process::~Process() {
  if (x_id > 0) {
    ::kill(x_id, SIGKILL);
    ::waitpid(x_id, nullptr, 0);
  }
  ::close(x_out);
  ::close(x_err);
}

void Process::send(int signal) const {
  if (::kill(x_id, signal) != 0) fail("cannot send a signal");
}

bool Process::waits_until(const std::function<bool()>& condition) const {
  const auto deadline = Clock::now() + x_options.timeout;
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

std::string Process::output() const { return read_all(x_out); }

bool Process::ended_within(std::chrono::milliseconds time, int& status) {
  const auto deadline = Clock::now() + time;
  while (true) {
    const ::pid_t ended = ::waitpid(x_id, &status, WNOHANG);
    if (ended < 0) fail("cannot wait for a process");
    if (ended == x_id) return true;
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Finished Process::wait() {
  Finished finished;
  int status = 0;
  if (!ended_within(x_options.timeout, status)) {
    finished.timed_out = true;
    send(SIGKILL);
    if (::waitpid(x_id, &status, 0) < 0) fail("cannot wait for a process");
  }
  x_id = -1;
  if (WIFEXITED(status)) finished.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) finished.signal = WTERMSIG(status);
  finished.out = read_all(x_out);
  finished.err = read_all(x_err);
  return finished;
}

}  // namespace tally::test
