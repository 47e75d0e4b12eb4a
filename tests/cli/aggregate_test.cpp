// What `tally aggregate` makes, and that `tally verify` accepts it.
#include <sys/stat.h>

#include <functional>
#include <limits>
#include <numeric>
#include <span>

#include "tests/cli/tally.h"

namespace tally::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using math::FloatType;

/// Column d of all updates.
Values column(const std::vector<Values>& updates, std::size_t d) {
  Values values;
  for (const Values& update : updates) values.push_back(update[d]);
  return values;
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double trimmed(Values values, std::size_t cut) {
  std::ranges::sort(values);
  return mean(std::span(values).subspan(cut, values.size() - 2 * cut));
}

double squared_distance(const Values& a, const Values& b) {
  return std::transform_reduce(a.begin(), a.end(), b.begin(), 0.0, std::plus<>(),
                               [](double x, double y) { return (x - y) * (x - y); });
}

/// The definition of Krum: smallest sum of squared distances to the K - f - 2 nearest others.
std::size_t krum_winner(const std::vector<Values>& updates, std::size_t f) {
  std::size_t winner = 0;
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < updates.size(); ++i) {
    Values distances;
    for (std::size_t j = 0; j < updates.size(); ++j) {
      if (j != i) distances.push_back(squared_distance(updates[i], updates[j]));
    }
    std::ranges::sort(distances);
    const std::size_t near = updates.size() - f - 2;
    const double score = mean(std::span(distances).first(near));
    if (score >= best) continue;
    best = score;
    winner = i;
  }
  return winner;
}

struct Rule {
  std::string name;
  Words flags;
  std::function<double(const std::vector<Values>&, std::size_t d)> result;  // on a state of zeros
};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = {
      {"fedavg", {"--examples", "3"}, [](const auto& u, std::size_t d) { return mean(column(u, d)); }},
      {"fedavg_weights", {"--examples", "32767"}, [](const auto& u, std::size_t d) { return mean(column(u, d)); }},
      {"median", {}, [](const auto& u, std::size_t d) { return trimmed(column(u, d), u.size() / 2 - 1); }},
      {"trimmed_mean", {"--param", "cut=2"}, [](const auto& u, std::size_t d) { return trimmed(column(u, d), 2); }},
      {"norm_clip",
       {"--param", "bound=35184372088832"},
       [](const auto& u, std::size_t d) { return mean(column(u, d)); }},
      {"krum", {"--param", "f=2"}, [](const auto& u, std::size_t d) { return u[krum_winner(u, 2)][d]; }},
  };
  return all;
}

std::vector<Values> all_updates(int parameters) {
  std::vector<Values> updates;
  for (int k = 0; k < kClients; ++k) updates.push_back(update(k, parameters));
  return updates;
}

Values expected_model(const Rule& rule, const std::vector<Values>& updates) {
  Values model;
  for (std::size_t d = 0; d < updates.front().size(); ++d) model.push_back(rule.result(updates, d));
  return model;
}

std::string data_of_npy(const std::string& file, std::size_t bytes) { return file.substr(file.size() - bytes); }

TEST(Aggregate, plain_programs_of_the_library_give_their_rule_and_verify) {
  const Folder folder;
  const std::string updates = write_updates(folder);
  for (const Rule& rule : rules()) {
    const std::string batch = (folder / rule.name).string();
    Words words = {"aggregate", "--program", rule.name, "--updates", updates, "--out", batch};
    words.insert(words.end(), rule.flags.begin(), rule.flags.end());
    const Finished made = tally(words);
    ASSERT_EQ(made.exit_code, kFine) << made.err;
    EXPECT_NE(made.out.find("aggregated 8 updates (9.6 kB) by " + rule.name), std::string::npos) << made.out;
    const std::string expected = stored(expected_model(rule, all_updates(300)), FloatType::kF32);
    EXPECT_TRUE(data_of_npy(read_text(fs::path(batch) / "model.npy"), expected.size()) == expected) << rule.name;
    const Finished verified = tally({"verify", batch});
    EXPECT_EQ(verified.exit_code, kFine) << verified.out;
    EXPECT_TRUE(verified.out.starts_with("valid: ")) << verified.out;
  }
}

TEST(Aggregate, reads_and_writes_every_element_type_of_npy_files) {
  struct Case {
    std::string descr;
    std::function<std::string(const Values&)> store;
  };
  const std::vector<Case> cases = {
      {"<f2", [](const Values& v) { return stored(v, FloatType::kF16); }},
      {"<f4", [](const Values& v) { return stored(v, FloatType::kF32); }},
      {"<f8", [](const Values& v) { return stored(v, FloatType::kF64); }},
      {"<i4", stored_fixed},
  };
  for (const Case& c : cases) {
    const Folder folder;
    fs::create_directory(folder / "updates");
    for (int k = 0; k < kClients; ++k) {
      const std::string dictionary = sequencer::npy_dictionary(c.descr, "(10, 30)");
      folder.put("updates/" + std::to_string(k) + ".npy", sequencer::npy_file(dictionary, c.store(update(k, 300))));
    }
    const std::string batch = make_batch(folder);
    const std::string model = read_text(fs::path(batch) / "model.npy");
    EXPECT_NE(model.find("'descr': '" + c.descr + "', 'fortran_order': False, 'shape': (10, 30)"), std::string::npos);
    const std::string expected = c.store(expected_model(rules()[2], all_updates(300)));
    EXPECT_TRUE(data_of_npy(model, expected.size()) == expected) << c.descr;
    EXPECT_EQ(tally({"verify", batch}).exit_code, kFine);
  }
}

/// Tensors in a file, out of the order of their names.
const std::vector<std::pair<std::string, FloatType>> kTensors = {{"z", FloatType::kBf16},
                                                                 {"layer.0.weight", FloatType::kF32},
                                                                 {"layer.0.bias", FloatType::kF16},
                                                                 {"head", FloatType::kF64}};
constexpr std::size_t kTensorElements = 12;

std::string_view dtype(FloatType type) {
  constexpr std::array<std::string_view, 4> kNames = {"F16", "BF16", "F32", "F64"};
  return kNames.at(static_cast<std::size_t>(type));
}

/// A file with the tensors above and `fixed`, an I32 one. Tensor t of update k holds update(k + 10 t).
std::string safetensors_of(int k) {
  json::object header;
  header["__metadata__"] = {{"format", "pt"}};
  std::string data;
  const auto add = [&](const std::string& name, std::string_view type, const std::string& bytes) {
    header[name] = {{"dtype", type}, {"shape", {3, 4}}, {"data_offsets", {data.size(), data.size() + bytes.size()}}};
    data += bytes;
  };
  int t = 0;
  for (const auto& [name, type] : kTensors) {
    add(name, dtype(type), stored(update(k + 10 * t++, static_cast<int>(kTensorElements)), type));
  }
  add("fixed", "I32", stored_fixed(update(k, static_cast<int>(kTensorElements))));
  return sequencer::safetensors_file(json::serialize(header), data);
}

TEST(Aggregate, keeps_the_tensors_of_safetensors_files) {
  const Folder folder;
  fs::create_directory(folder / "updates");
  for (int k = 0; k < kClients; ++k) {
    folder.put("updates/" + std::to_string(k) + ".safetensors", safetensors_of(k));
  }
  const std::string batch = make_batch(folder);
  const std::string file = read_text(fs::path(batch) / "model.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof(length));
  const json::object header = json::parse(file.substr(8, length)).as_object();
  EXPECT_EQ(header.size(), kTensors.size() + 2);
  EXPECT_EQ(header.at("__metadata__"), json::value({{"format", "pt"}}));
  const auto tensor = [&](const std::string& name) {
    const json::array& offsets = header.at(name).at("data_offsets").as_array();
    const auto begin = offsets[0].to_number<std::size_t>();
    return file.substr(8 + length + begin, offsets[1].to_number<std::size_t>() - begin);
  };
  const auto median_of = [](int t) {
    std::vector<Values> updates;
    for (int k = 0; k < kClients; ++k) updates.push_back(update(k + 10 * t, static_cast<int>(kTensorElements)));
    return expected_model(rules()[2], updates);
  };
  int t = 0;
  for (const auto& [name, type] : kTensors) {
    EXPECT_EQ(header.at(name).at("dtype").as_string(), dtype(type));
    EXPECT_EQ(header.at(name).at("shape"), json::value({3, 4}));
    EXPECT_TRUE(tensor(name) == stored(median_of(t++), type)) << name;
  }
  EXPECT_TRUE(tensor("fixed") == stored_fixed(median_of(0)));
  EXPECT_EQ(tally({"verify", batch}).exit_code, kFine);
  // The model is an update file like any other, for the next round.
  const Finished next = tally({"aggregate", "--program", "median", "--updates", (folder / "updates").string(),
                               "--state", batch + "/model.safetensors", "--out", (folder / "next").string()});
  EXPECT_EQ(next.exit_code, kFine) << next.err;
}

TEST(Aggregate, weighs_updates_by_a_csv_of_examples) {
  const Folder folder;
  write_updates(folder);
  // 1 + 2 + … with a sum of 32: no rounding.
  const std::vector<int> examples = {1, 2, 3, 4, 5, 6, 7, 4};
  std::string csv = "name,examples\n";
  for (int k = kClients; k-- > 0;) {  // lines in another order than the files, by stem and by name
    csv += "client" + std::to_string(k) + (k % 2 == 0 ? ".npy," : ",");
    csv += std::to_string(examples[static_cast<std::size_t>(k)]) + "\n";
  }
  const std::string file = folder.put("examples.csv", csv).string();
  const std::string batch = make_batch(folder, {"--program", "fedavg", "--examples", file});
  Values model(300, 0);
  for (int k = 0; k < kClients; ++k) {
    const Values values = update(k, 300);
    for (std::size_t d = 0; d < 300; ++d) model[d] += values[d] * examples[static_cast<std::size_t>(k)] / 32;
  }
  const std::string expected = stored(model, FloatType::kF32);
  EXPECT_TRUE(data_of_npy(read_text(fs::path(batch) / "model.npy"), expected.size()) == expected);
  EXPECT_EQ(tally({"verify", batch}).exit_code, kFine);
  // The same by the general flag.
  fs::rename(batch, folder / "first");
  make_batch(folder, {"--program", "fedavg", "--field", "examples=" + file});
  EXPECT_EQ(contents_of(batch), contents_of(folder / "first"));
}

TEST(Aggregate, starts_from_the_model_it_is_given) {
  const Folder folder;
  write_updates(folder);
  const Values start = update(21, 300);
  const std::string file = folder.put("start.npy", npy_of(start)).string();
  const std::string batch = make_batch(folder, {"--program", "median", "--state", file});
  Values model = expected_model(rules()[2], all_updates(300));
  for (std::size_t d = 0; d < model.size(); ++d) model[d] += start[d];
  const std::string expected = stored(model, FloatType::kF32);
  EXPECT_TRUE(data_of_npy(read_text(fs::path(batch) / "model.npy"), expected.size()) == expected);
  EXPECT_TRUE(read_text(fs::path(batch) / "state/model.bin") == stored_fixed(start));
  EXPECT_EQ(tally({"verify", batch}).exit_code, kFine);
}

TEST(Aggregate, any_number_of_threads_gives_the_same_bytes) {
  const Folder folder;
  const std::string updates = write_updates(folder, 40'000);
  for (const Words& rule : {Words{"trimmed_mean", "cut=3"}, Words{"krum", "f=1"}}) {
    std::map<std::string, std::string> first;
    for (const std::string threads : {"1", "2", "3"}) {
      const std::string batch = (folder / (rule[0] + threads)).string();
      const Finished made = tally({"aggregate", "--program", rule[0], "--param", rule[1], "--updates", updates, "--out",
                                   batch, "--threads", threads});
      ASSERT_EQ(made.exit_code, kFine) << made.err;
      const auto files = contents_of(batch);
      if (first.empty()) first = files;
      EXPECT_GT(files.size(), 14U);
      EXPECT_TRUE(files == first) << rule[0] << " with " << threads << " threads";
      EXPECT_EQ(tally({"verify", batch, "--threads", threads}).exit_code, kFine);
    }
  }
}

// Pitfall 33: the order in which updates arrive changes nothing.
TEST(Aggregate, the_order_of_the_arguments_changes_nothing) {
  const Folder folder;
  write_updates(folder);
  const std::string whole = make_batch(folder);
  Words reversed = {"aggregate", "--program", "median", "--out", (folder / "reversed").string(), "--updates"};
  for (int k = kClients; k-- > 0;) {
    reversed.push_back((folder / ("updates/client" + std::to_string(k) + ".npy")).string());
  }
  const Finished made = tally(reversed);
  ASSERT_EQ(made.exit_code, kFine) << made.err;
  EXPECT_EQ(contents_of(whole), contents_of(folder / "reversed"));
}

// Pitfall 39: updates of 48 MB and their fixed-point copies pass through memory that does not hold them.
TEST(Aggregate, holds_no_more_than_a_few_blocks_of_the_updates) {
  const Folder folder;
  constexpr std::uint64_t kMost = 36U << 20U;
  const std::string updates = write_updates(folder, 1'500'000);
  const std::string batch = (folder / "batch").string();
  for (const Words& words : {Words{"aggregate", "--program", "fedavg", "--examples", "7", "--updates", updates, "--out",
                                   batch, "--threads", "1"},
                             Words{"verify", batch, "--threads", "1"}}) {
    const Finished finished = tally(words, {.max_data_bytes = kMost});
    EXPECT_EQ(finished.exit_code, kFine) << finished.err;
  }
}

TEST(Aggregate, settings_reach_the_manifest_and_the_batch_verifies) {
  const Folder folder;
  const std::string poster = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
  const std::string batch = make_batch(
      folder, {"--program", "median", "--frac-bits", "12", "--leaf-bytes", "64", "--dim", "D=300", "--poster", poster});
  const json::value manifest = json::parse(read_text(fs::path(batch) / "manifest.json"));
  EXPECT_EQ(manifest.at("frac_bits"), 12);
  EXPECT_EQ(manifest.at("leaf_bytes"), 64);
  EXPECT_EQ(manifest.at("dims"), json::value({{"K", 8}, {"D", 300}}));
  std::string written(manifest.at("poster").as_string());
  std::ranges::transform(written, written.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
  EXPECT_EQ(written, "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf");
  const std::string row = read_text(fs::path(batch) / "rows/updates/0.bin");
  EXPECT_EQ(row.size(), 1200U);
  const std::string expected = stored(expected_model(rules()[2], all_updates(300)), FloatType::kF32);
  EXPECT_TRUE(data_of_npy(read_text(fs::path(batch) / "model.npy"), expected.size()) == expected);
  EXPECT_EQ(tally({"verify", batch}).exit_code, kFine);
  EXPECT_NE(make_batch(folder, {"--program", "median", "--replace"}), "");
  EXPECT_NE(json::parse(read_text(fs::path(batch) / "manifest.json")).at("batch_id"), manifest.at("batch_id"));
}

TEST(Aggregate, clips_what_is_out_of_range_only_when_asked) {
  const Folder folder;
  folder.put("big.npy", npy_of({1, 2}));
  const std::vector<float> values = {1e9F, -1e9F, 1};
  folder.put("big.npy", sequencer::npy_file(sequencer::npy_dictionary("<f4", "(3,)"), sequencer::raw(values)));
  const Words words = {"aggregate",
                       "--program",
                       "median",
                       "--updates",
                       (folder / "big.npy").string(),
                       "--out",
                       (folder / "batch").string()};
  expect_refusal(tally(words), kBadInput, "big.npy: element 0 is 1e+09, out of range");
  Words clipping = words;
  clipping.emplace_back("--clip");
  const Finished clipped = tally(clipping);
  EXPECT_EQ(clipped.exit_code, kFine);
  EXPECT_NE(clipped.out.find("clip   2 values were out of range\n"), std::string::npos) << clipped.out;
  EXPECT_EQ(read_text(folder / "batch/rows/updates/0.bin"), std::string("\xff\xff\xff\x7f\0\0\0\x80\0\0\0\x01", 12));
  clipping.insert(clipping.end(), {"--replace", "--json"});
  EXPECT_EQ(parsed(tally(clipping)).at("clipped"), 2);
}

constexpr const char* kLottery = R"(program lottery
dim K in 1..100
dim D <= 1000
dim N in 1..50
row updates: i32[D]
state model: i32[D]
table draw[n in N]: i64 {
  return mod(prf(seed[0], seed[1], n), K)
}
table next_model[d in D]: i32 {
  return updates[draw[0], d]
}
next model = next_model
)";

TEST(Aggregate, a_program_of_a_file_may_ask_for_a_seed_and_a_dim) {
  const Folder folder;
  const std::string program = folder.put("lottery.tally", kLottery).string();
  const Words first = {"--program", program, "--dim", "N=20", "--seed", "0x" + std::string(63, '0') + "1"};
  Words second = first;
  second.back().back() = '2';
  const std::string batch = make_batch(folder, first);
  EXPECT_EQ(tally({"verify", batch}).exit_code, kFine);
  const std::string draws = read_text(fs::path(batch) / "tables/draw.bin");
  EXPECT_EQ(draws.size(), 160U);
  second.emplace_back("--replace");
  make_batch(folder, second);
  EXPECT_EQ(tally({"verify", batch}).exit_code, kFine);
  EXPECT_NE(read_text(fs::path(batch) / "tables/draw.bin"), draws);
}

TEST(Aggregate, replaces_a_batch_only_when_asked_and_leaves_nothing_else_behind) {
  const Folder folder;
  const std::string batch = make_batch(folder);
  const auto before = contents_of(batch);
  const Words words = {
      "aggregate", "--program", "fedavg", "--examples", "1", "--updates", (folder / "updates").string(),
      "--out",     batch};
  expect_refusal(tally(words), kBadInput, batch + " holds a batch already; --replace would replace it");
  EXPECT_EQ(contents_of(batch), before);
  Words replacing = words;
  replacing.emplace_back("--replace");
  EXPECT_EQ(tally(replacing).exit_code, kFine);
  EXPECT_EQ(json::parse(read_text(fs::path(batch) / "manifest.json")).at("program").as_string(), "fedavg");
  EXPECT_EQ(tally({"verify", batch}).exit_code, kFine);
  EXPECT_EQ(names_in(folder.path()), (std::vector<std::string>{"batch", "updates"}));
}

TEST(Aggregate, never_replaces_what_is_no_batch) {
  const Folder folder;
  const std::string updates = write_updates(folder);
  static_cast<void>(make_batch(folder));
  fs::create_directory(folder / "photos");
  folder.put("photos/one.jpg", "x");
  folder.put("file", "x");
  folder.put("batch/notes.txt", "mine");
  fs::create_directory_symlink(folder / "photos", folder / "link");
  const auto before = contents_of(folder.path());
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"photos", "photos is a folder with other things than a batch in it"},
      {"updates", "updates is a folder with other things than a batch in it"},
      {"file", "file exists and is not a folder"},
      {"link", "link exists and is not a folder"},
      {"batch", "batch holds notes.txt, which is no part of a batch"},
  };
  for (const auto& [target, message] : cases) {
    expect_refusal(tally({"aggregate", "--program", "median", "--updates", updates, "--replace", "--out",
                          (folder / target).string()}),
                   kBadInput, message);
  }
  EXPECT_EQ(contents_of(folder.path()), before);
}

TEST(Aggregate, makes_missing_folders_above_the_target_and_takes_an_empty_one) {
  const Folder folder;
  const std::string updates = write_updates(folder);
  fs::create_directory(folder / "empty");
  for (const std::string target : {"a/b/c", "empty", "slash/"}) {
    const Finished made =
        tally({"aggregate", "--program", "median", "--updates", updates, "--out", (folder / target).string()});
    EXPECT_EQ(made.exit_code, kFine) << made.err;
    EXPECT_EQ(tally({"verify", (folder / target).string()}).exit_code, kFine);
  }
}

}  // namespace
}  // namespace tally::cli
