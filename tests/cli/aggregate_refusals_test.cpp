// Every mistake a user can make with `tally aggregate`: the exit code, and the message that says what to mend.
#include <chrono>
#include <limits>

#include "tests/cli/tally.h"

namespace tally::cli {
namespace {

namespace fs = std::filesystem;

class AggregateRefusals : public ::testing::Test {
 protected:
  /// Runs `tally aggregate --updates … --out …` with more flags, and asserts that nothing was made.
  void refused(const Words& flags, const std::string& message, int exit_code = kBadInput) {
    Words words = {"aggregate", "--out", (x_folder / "batch").string()};
    if (std::ranges::find(flags, "--updates") == flags.end()) {
      words.insert(words.end(), {"--updates", (x_folder / "updates").string()});
    }
    words.insert(words.end(), flags.begin(), flags.end());
    expect_refusal(tally(words), exit_code, message);
    EXPECT_FALSE(fs::exists(x_folder / "batch"));
    for (const std::string& name : names_in(x_folder.path())) EXPECT_FALSE(name.starts_with('.')) << name;
  }

  /// The path of a file or folder of this test.
  [[nodiscard]] std::string path(const std::string& name) const { return (x_folder / name).string(); }
  std::string put(const std::string& name, const std::string& content) const {
    fs::create_directories((x_folder / name).parent_path());
    return x_folder.put(name, content).string();
  }

  Folder x_folder;
};

TEST_F(AggregateRefusals, updates_that_are_not_there) {
  fs::create_directory(x_folder / "empty");
  put("other/readme.txt", "x");
  refused({"--program", "median", "--updates", path("missing")}, "missing: no such file");
  refused({"--program", "median", "--updates", path("missing.npy")}, "missing.npy: no such file");
  refused({"--program", "median", "--updates", path("empty")}, "empty: no .npy or .safetensors files in this folder");
  refused({"--program", "median", "--updates", path("other")}, "other: no .npy or .safetensors files in this folder");
  refused({"--program", "median", "--updates", path("other/readme.txt")},
          "readme.txt: the name ends neither in .npy nor in .safetensors");
}

TEST_F(AggregateRefusals, an_update_given_twice) {
  const std::string updates = write_updates(x_folder);
  refused({"--program", "median", "--updates", updates, updates + "/client3.npy"}, "client3.npy: given twice");
}

TEST_F(AggregateRefusals, updates_of_different_shapes) {
  put("mixed/a.npy", npy_of({1, 2}));
  put("mixed/b.npy", npy_of({1, 2, 3}));
  refused({"--program", "median", "--updates", path("mixed")},
          "b.npy: its tensors differ from those of " + path("mixed/a.npy") +
              " (3 and 2 parameters); all updates must have the same");
}

// Pitfall 35: NaN is an error that names file and index.
TEST_F(AggregateRefusals, nan_and_infinity_with_the_file_and_the_index) {
  const auto put_value = [&](float value) {
    std::vector<float> values(70'000, 0.5F);
    values[66'001] = value;
    put("bad/client1.npy", sequencer::npy_file(sequencer::npy_dictionary("<f4", "(70000,)"), sequencer::raw(values)));
    values[66'001] = 0;
    put("bad/client0.npy", sequencer::npy_file(sequencer::npy_dictionary("<f4", "(70000,)"), sequencer::raw(values)));
  };
  put_value(std::numeric_limits<float>::quiet_NaN());
  refused({"--program", "median", "--updates", path("bad")}, "bad/client1.npy: element 66001 is NaN");
  refused({"--program", "fedavg", "--examples", "1", "--clip", "--updates", path("bad")},
          "bad/client1.npy: element 66001 is NaN");
  put_value(-std::numeric_limits<float>::infinity());
  refused({"--program", "median", "--clip", "--updates", path("bad")}, "bad/client1.npy: element 66001 is -infinity");
  put_value(128.0F);
  refused({"--program", "median", "--updates", path("bad")},
          "bad/client1.npy: element 66001 is 128, out of range: fixed point with 24 fractional bits goes from -128 to "
          "127.99999994");
  put("nan/client0.npy", npy_of({1, 2}));
  put("nan/state.npy", sequencer::npy_file(sequencer::npy_dictionary("<f4", "(2,)"),
                                           sequencer::raw<float>({0, std::numeric_limits<float>::quiet_NaN()})));
  refused({"--program", "median", "--updates", path("nan/client0.npy"), "--state", path("nan/state.npy")},
          "nan/state.npy: element 1 is NaN");
}

TEST_F(AggregateRefusals, files_that_are_not_arrays_in_c_order_with_the_fix) {
  const std::string four = sequencer::raw<float>({1, 2, 3, 4});
  put("a/u.npy", sequencer::npy_file(sequencer::npy_dictionary("<f4", "(2, 2)", true), four));
  refused({"--program", "median", "--updates", path("a")},
          "a/u.npy: the array is in Fortran order: np.save(path, np.ascontiguousarray(a))");
  put("b/u.npy", sequencer::npy_file(sequencer::npy_dictionary(">f4", "(4,)"), four));
  refused({"--program", "median", "--updates", path("b")},
          "b/u.npy: the array is big-endian: np.save(path, a.astype('<f4'))");
  put("c/u.npy", sequencer::npy_file(sequencer::npy_dictionary("<f4", "(5,)"), four));
  refused({"--program", "median", "--updates", path("c")},
          "c/u.npy: the array needs 20 bytes of data and the file has 16");
  put("d/u.safetensors", sequencer::safetensors_file("{", four));
  refused({"--program", "median", "--updates", path("d")}, "d/u.safetensors: ");
  put("e/u.npy", "");
  refused({"--program", "median", "--updates", path("e")}, "e/u.npy: this is not a .npy file");
}

TEST_F(AggregateRefusals, programs_and_parameters) {
  write_updates(x_folder);
  refused({"--program", "mean"}, "mean: no such file; programs of the library are ");
  refused({"--program", "mean"}, ", fedavg, ");
  refused({"--program", "krum"}, ":7: error: the parameter `f` has no value; give one in 0..2046");
  refused({"--program", "krum", "--param", "f=9999"}, "the parameter `f` is 9999; it must lie in 0..2046");
  refused({"--program", "krum", "--param", "f=-1"}, "the parameter `f` is -1; it must lie in 0..2046");
  refused({"--program", "krum", "--param", "f=1", "--param", "f=2"}, "--param f=2: f is given twice");
  refused({"--program", "krum", "--param", "f"}, "--param f: expected NAME=INTEGER");
  refused({"--program", "krum", "--param", "f=1.5"}, "--param f=1.5: expected NAME=INTEGER");
  refused({"--program", "median", "--param", "cut=1"}, "error: the program has no parameter `cut`");
  refused({"--program", put("bad.tally", "program bad\ndim K in 1..9\ntable t: i8 { return 300 }\n")}, "bad.tally:3:");
}

// Pitfall 36: the rule says how many updates it needs.
TEST_F(AggregateRefusals, too_few_updates_for_the_rule) {
  write_updates(x_folder);
  refused({"--program", "krum", "--param", "f=3"}, "krum needs K in 9..4096 updates, and there are 8");
  refused({"--program", "trimmed_mean", "--param", "cut=4"},
          "trimmed_mean needs K in 9..65536 updates, and there are 8");
}

TEST_F(AggregateRefusals, dims) {
  write_updates(x_folder);
  refused({"--program", "median", "--dim", "Z=3"}, "--dim Z: the program has no such dim");
  refused({"--program", "median", "--dim", "D=3"}, "--dim D=3: the updates say 300");
  refused({"--program", "median", "--dim", "K=9"}, "--dim K=9: the updates say 8");
  refused({"--program", "median", "--dim", "D"}, "--dim D: expected NAME=VALUE");
  refused({"--program", "median", "--dim", "D=x"}, "--dim D=x: not a number from 0 to 2^28");
  const std::string program = put(
      "extra.tally",
      "program extra\ndim K in 1..9\ndim D <= 999\ndim N in 2..5\nrow u: i32[D]\ntable t[n in N]: i64 { return n }\n");
  refused({"--program", program}, "the program needs dim N: give --dim N=N");
  refused({"--program", program, "--dim", "N=6"}, "extra needs N in 2..5, and there are 6");
}

TEST_F(AggregateRefusals, fields) {
  write_updates(x_folder);
  refused({"--program", "fedavg"},
          "fedavg needs field examples of each update: give --examples CSV, or --examples N for all alike");
  refused({"--program", "fedavg", "--examples", "0"}, "examples 0: not within 1..32767");
  refused({"--program", "fedavg", "--examples", "40000"}, "examples 40000: not within 1..32767");
  refused({"--program", "fedavg", "--examples", path("none.csv")}, "none.csv: no such file");
  refused({"--program", "median", "--examples", "3"}, "median has no field examples");
  refused({"--program", "fedavg", "--examples", "3", "--field", "examples=3"},
          "--examples and --field examples=… say the same thing twice");
}

TEST_F(AggregateRefusals, lines_of_a_csv) {
  write_updates(x_folder);
  std::string good = "name,examples\n";
  for (int k = 0; k + 1 < kClients; ++k) good += "client" + std::to_string(k) + "," + std::to_string(k + 1) + "\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "no line is named 'client7.npy'"},
      {"client7\n", "line 9: name,examples is expected"},
      {"client7,many\n", "line 9: 'many' is not a whole number"},
      {"client7,0\n", "line 9: 0 is not in 1..32767"},
      {"client7,-4\n", "line 9: -4 is not in 1..32767"},
      {"client8,1\n", "line 9: no update is named 'client8'"},
      {"client0.npy,1\n", "line 9: 'client0.npy' has line 2 already"},
  };
  for (const auto& [last, message] : cases) {
    const std::string file = put("examples.csv", good + last);
    refused({"--program", "fedavg", "--examples", file}, file);
    refused({"--program", "fedavg", "--examples", file}, message);
  }
}

TEST_F(AggregateRefusals, settings) {
  write_updates(x_folder);
  for (const std::string size : {"0", "32", "100", "8192"}) {
    refused({"--program", "median", "--leaf-bytes", size},
            "leaf_bytes is " + size + ", not a power of two in 64..4096");
  }
  refused({"--program", "median", "--leaf-bytes", "x"}, "--leaf-bytes");
  refused({"--program", "median", "--frac-bits", "31"}, "--frac-bits: Value 31 not in range 0 to 30");
  refused({"--program", "median", "--threads", "5000"}, "--threads: Value 5000 not in range 0 to 1024");
  refused({"--program", "median", "--seed", "0x12"}, "--seed 0x12: expected 0x and 64 hex digits");
  refused({"--program", "median", "--seed", "0x" + std::string(64, '1')}, "a seed is given, but the program uses none");
  refused({"--program", "median", "--poster", "0x12"}, "--poster 0x12: an address has 40 hexadecimal digits after 0x");
}

TEST_F(AggregateRefusals, states) {
  write_updates(x_folder);
  put("state.npy", npy_of({1, 2}));
  refused({"--program", "median", "--state", path("none.npy")}, "none.npy: no such file");
  refused({"--program", "median", "--state", path("state.npy")},
          "state.npy: its tensors differ from those of the updates");
}

TEST_F(AggregateRefusals, advice_that_the_program_does_not_have) {
  write_updates(x_folder);
  refused({"--program", "median", "--advice", "lower"}, "--advice lower: expected NAME=VALUE");
  refused({"--program", "median", "--advice", "middle=" + path("updates/client0.npy")},
          "middle is not an advice table of this program");
  // Advice that is no median fails its own check.
  refused({"--program", "median", "--advice", "lower=" + path("updates/client0.npy")}, "next_model[");
}

TEST_F(AggregateRefusals, usage) {
  expect_refusal(tally({}), kBadInput, "A subcommand is required");
  expect_refusal(tally({"aggregate"}), kBadInput, "is required");
  expect_refusal(tally({"aggregat"}), kBadInput, "aggregat: no such command");
  refused({"--program", "median", "--unknown"}, "--unknown");
}

TEST_F(AggregateRefusals, a_target_that_cannot_be_made) {
  write_updates(x_folder);
  put("file", "x");
  const Words words = {"aggregate", "--program", "median", "--updates", path("updates"), "--out"};
  Words below = words;
  below.push_back(path("file/below/batch"));
  expect_refusal(tally(below), kOutsideWorld, path("file/below"));
  EXPECT_EQ(names_in(x_folder.path()), (std::vector<std::string>{"file", "updates"}));
}

TEST_F(AggregateRefusals, a_write_that_fails_leaves_nothing_behind) {
  const std::string updates = write_updates(x_folder, 40'000);  // rows and tables of 160 kB
  for (const std::uint64_t limit : {0U, 400U, 100'000U}) {
    const Finished finished =
        tally({"aggregate", "--quiet", "--program", "median", "--updates", updates, "--out", path("batch")},
              {.max_file_bytes = limit});
    EXPECT_EQ(finished.signal, 0) << "ended by a signal";
    EXPECT_EQ(finished.exit_code, kOutsideWorld) << finished.err;
    EXPECT_EQ(names_in(x_folder.path()), (std::vector<std::string>{"updates"}));
    if (limit != 0) {  // the captured message is under the limit too
      EXPECT_NE(finished.err.find("batch"), std::string::npos) << finished.err;
      EXPECT_NE(finished.err.find("File too large"), std::string::npos) << finished.err;
    }
  }
}

}  // namespace
}  // namespace tally::cli
