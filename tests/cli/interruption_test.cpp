// Signals in the middle of work: what is left on disk.
#include <csignal>
#include <thread>

#include "tests/cli/tally.h"

namespace tally::cli {
namespace {

namespace fs = std::filesystem;

// Work of many seconds on little data, at the end of a batch that is otherwise quick.
constexpr const char* kSlow = R"(program slow
dim K in 1..100
dim D <= 1<<20
row updates: i32[D]
state model: i32[D]
table next_model[d in D]: i32 {
  fold k in K { s = s + mod(prf(updates[k, d], d, k), 1024) } from s = 0
  return clamp(s, i32)
}
next model = next_model
)";

class Interruption : public ::testing::Test {
 protected:
  Interruption() {
    fs::create_directory(x_folder / "updates");
    std::vector<float> values(1'000'000, 0.25F);
    const std::string file =
        sequencer::npy_file(sequencer::npy_dictionary("<f4", "(1000000,)"), sequencer::raw(values));
    for (const char* name : {"a", "b", "c", "d"}) x_folder.put("updates/" + std::string(name) + ".npy", file);
    for (const char* name : {"e", "f", "g", "h"}) x_folder.put("updates/" + std::string(name) + ".npy", file);
    x_program = x_folder.put("slow.tally", kSlow).string();
  }

  [[nodiscard]] Words aggregate(const std::string& program) const {
    return {"aggregate",
            "--program",
            program,
            "--updates",
            (x_folder / "updates").string(),
            "--threads",
            "1",
            "--out",
            (x_folder / "batch").string()};
  }

  /// Starts the slow batch, and returns when its temporary folder holds rows.
  [[nodiscard]] std::unique_ptr<test::Process> in_the_middle(const Words& words) const {
    auto process = std::make_unique<test::Process>(command(words));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    const fs::path row = temporary(process->id()) / "rows/updates/0.bin";
    std::error_code ignored;
    while (!fs::exists(row, ignored) && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(fs::exists(row)) << "the batch did not begin in time, or was complete too soon";
    return process;
  }

  [[nodiscard]] fs::path temporary(::pid_t process) const {
    return x_folder / (".batch.tmp-" + std::to_string(process));
  }

  const std::vector<std::string> x_inputs = {"slow.tally", "updates"};
  Folder x_folder;
  std::string x_program;
};

TEST_F(Interruption, ctrl_c_and_sigterm_leave_neither_a_batch_nor_a_temporary_folder) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const auto process = in_the_middle(aggregate(x_program));
    process->send(signal);
    const auto sent = std::chrono::steady_clock::now();
    const Finished finished = process->wait();
    expect_refusal(finished, kOutsideWorld, "stopped before the batch was complete");
    EXPECT_EQ(names_in(x_folder.path()), x_inputs);
    EXPECT_LT(std::chrono::steady_clock::now() - sent, std::chrono::seconds(2)) << "it must end at once";
  }
}

TEST_F(Interruption, an_old_batch_survives_an_interrupted_replacement) {
  ASSERT_EQ(tally(aggregate("median")).exit_code, kFine);
  const auto before = contents_of(x_folder / "batch");
  Words words = aggregate(x_program);
  words.emplace_back("--replace");
  const auto process = in_the_middle(words);
  process->send(SIGINT);
  EXPECT_EQ(process->wait().exit_code, kOutsideWorld);
  EXPECT_TRUE(contents_of(x_folder / "batch") == before);
  EXPECT_EQ(names_in(x_folder.path()), (std::vector<std::string>{"batch", "slow.tally", "updates"}));
}

TEST_F(Interruption, what_a_killed_run_leaves_is_removed_by_the_next) {
  const auto process = in_the_middle(aggregate(x_program));
  const fs::path left = temporary(process->id());
  process->send(SIGKILL);
  EXPECT_EQ(process->wait().signal, SIGKILL);
  EXPECT_FALSE(fs::exists(x_folder / "batch"));
  EXPECT_EQ(names_in(x_folder.path()), (std::vector<std::string>{left.filename().string(), "slow.tally", "updates"}));
  EXPECT_EQ(tally(aggregate("median")).exit_code, kFine);
  EXPECT_EQ(names_in(x_folder.path()), (std::vector<std::string>{"batch", "slow.tally", "updates"}));
  EXPECT_EQ(tally({"verify", (x_folder / "batch").string()}).exit_code, kFine);
}

TEST_F(Interruption, a_run_leaves_the_temporary_folder_of_another_that_lives) {
  const auto process = in_the_middle(aggregate(x_program));
  EXPECT_EQ(tally(aggregate("median")).exit_code, kFine);
  EXPECT_TRUE(fs::exists(temporary(process->id())));
  process->send(SIGINT);
  EXPECT_EQ(process->wait().exit_code, kOutsideWorld);
  EXPECT_EQ(names_in(x_folder.path()), (std::vector<std::string>{"batch", "slow.tally", "updates"}));
}

}  // namespace
}  // namespace tally::cli
