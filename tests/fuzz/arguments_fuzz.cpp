// Any words behind `tally` choose a command or are refused with a sentence, the same each time; nothing is run. A line
// of the input is a word; one that begins with a byte of 0x80 or more stands for the name of a command or a flag.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "deterministic_math/numbers/assert.h"

namespace {

using namespace tally;

constexpr std::size_t kMostWords = 40;
constexpr unsigned char kFirstIndex = 0x80;

void collect_names(const CLI::App& app, std::vector<std::string>& names) {
  for (const CLI::Option* option : app.get_options()) names.push_back(option->get_name());
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
    collect_names(*command, names);
  }
}

struct Program {
  Program() {
    cli::add_commands(app, session);
    collect_names(app, names);
    std::ranges::sort(names);
    const auto repeated = std::ranges::unique(names);
    names.erase(repeated.begin(), repeated.end());
  }

  /// The words that were refused say why; of those accepted, a command was chosen.
  std::string outcome(const std::vector<std::string>& words) {
    std::vector<const char*> arguments{cli::kProgramName};
    for (const std::string& word : words) arguments.push_back(word.c_str());
    session = {};
    try {
      app.parse(static_cast<int>(arguments.size()), arguments.data());
    } catch (const CLI::ParseError& error) {
      const std::string told = error.get_name() + ": " + error.what();
      TALLY_ASSERT(told.size() > error.get_name().size() + 2);
      return told;
    }
    TALLY_ASSERT(session.run != nullptr);
    return "runs";
  }

  cli::Session session;
  CLI::App app{cli::kAbout, cli::kProgramName};
  std::vector<std::string> names;
};

std::vector<std::string> words_of(const Program& program, std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty() && words.size() < kMostWords) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string word(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    std::erase(word, '\0');
    if (!word.empty() && static_cast<unsigned char>(word.front()) >= kFirstIndex) {
      const auto first = static_cast<std::size_t>(static_cast<unsigned char>(word.front()) - kFirstIndex);
      const std::size_t second = word.size() > 1 ? static_cast<unsigned char>(word[1]) : 0;
      word.replace(0, 2, program.names[(256 * first + second) % program.names.size()]);
    }
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Program program;
  const std::vector<std::string> words = words_of(program, std::string_view(reinterpret_cast<const char*>(data), size));
  const std::string first = program.outcome(words);
  TALLY_ASSERT(program.outcome(words) == first);
  return 0;
}
