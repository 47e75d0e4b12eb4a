#include "cli/development_node.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "cli/exit_code.h"

namespace tally::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "Listening on ";
constexpr std::chrono::seconds kPatience(20);
constexpr std::chrono::milliseconds kPoll(20);
constexpr int kExitNotStarted = 127;  // as shells report it
constexpr ::pid_t kNone = -1;
constexpr std::size_t kEndOfLog = 2'000;

std::string environment(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here changes it
  return value == nullptr ? std::string() : std::string(value);
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The last lines of what a node said, as the end of a sentence.
std::string end_of(std::string said) {
  while (said.ends_with('\n')) said.pop_back();
  if (said.empty()) return ", and said nothing";
  if (said.size() > kEndOfLog) said = "…" + said.substr(said.find_first_of('\n', said.size() - kEndOfLog) + 1);
  return ", and said:\n" + said;
}

}  // namespace

fs::path anvil_program() {
  if (const std::string chosen = environment("TALLY_ANVIL"); !chosen.empty()) {
    if (!fs::exists(chosen)) bad_input("TALLY_ANVIL=" + chosen + ": no such file");
    return chosen;
  }
  std::istringstream folders(environment("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path program = fs::path(folder) / "anvil";
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  bad_input(
      "there is no anvil, a node for development, which this needs: npm install @foundry-rs/anvil (or foundry's own "
      "installer), and put it on the PATH or name it in TALLY_ANVIL");
}

DevelopmentNode::DevelopmentNode(const fs::path& folder, std::uint64_t start_s, NodeLeaves leaves)
    : x_state(folder / "anvil.json") {
  const fs::path log = folder / "anvil.log";
  std::vector<std::string> words = {anvil_program().string(),
                                    "--port",
                                    "0",
                                    "--accounts",
                                    "1",
                                    "--timestamp",
                                    std::to_string(start_s),
                                    "--base-fee",
                                    "0",
                                    "--disable-min-priority-fee"};
  if (leaves == NodeLeaves::kItsChain) {
    words.insert(words.end(), {"--dump-state", x_state.string()});
  } else {  // Many blocks take long where their states are kept.
    words.insert(words.end(), {"--prune-history", "100"});
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  x_id = ::fork();
  if (x_id < 0) throw std::system_error(errno, std::generic_category(), "cannot start anvil");
  if (x_id == 0) {  // only calls that are safe between fork and exec
    ::setsid();
    ::sigset_t none;  // what this program keeps for itself would stay blocked
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execv(argv.front(), argv.data());
    ::_exit(kExitNotStarted);
  }
  try {
    x_url = wait_for_url(log);
  } catch (...) {
    end();
    throw;
  }
}

DevelopmentNode::~DevelopmentNode() { end(); }

std::string DevelopmentNode::wait_for_url(const fs::path& log) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  std::string how = "does not start within " + std::to_string(kPatience.count()) + " s";
  while (std::chrono::steady_clock::now() < end) {
    int status = 0;
    const bool ended = ::waitpid(x_id, &status, WNOHANG) == x_id;
    const std::string said = text_of(log);
    const std::size_t place = said.find(kListening);
    const std::size_t line_end = place == std::string::npos ? place : said.find('\n', place);
    if (line_end != std::string::npos && !ended) {
      const std::size_t address = place + kListening.size();
      return "http://" + said.substr(address, line_end - address);
    }
    if (ended) {
      x_id = kNone;
      how = WIFEXITED(status) && WEXITSTATUS(status) == kExitNotStarted ? "cannot be run" : "ended at once";
      break;
    }
    std::this_thread::sleep_for(kPoll);
  }
  throw std::runtime_error("the node " + anvil_program().string() + " " + how + end_of(text_of(log)));
}

void DevelopmentNode::end() {
  if (x_id == kNone) return;
  ::kill(x_id, SIGTERM);
  int status = 0;
  while (::waitpid(x_id, &status, 0) < 0 && errno == EINTR) continue;
}

}  // namespace tally::cli
