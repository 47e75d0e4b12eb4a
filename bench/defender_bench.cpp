// What it costs a poster to answer for a federated average: seconds and anonymous memory for one answer, from a batch
// directory that was just opened. The goal at K = 1,000 and D = 10M is at most 1 s and 200 MB.
//
//   open      the directory: K row files are mapped, and the records read
//   respond   the first response of a game: the whole fold of one parameter over all clients
//   reveal    the first step of a descent: the digests of next_model's leaves
//   request   a leaf of one client's row: that file is hashed
//
// Every answer is tried with the chain's own functions. The row files are hard links to kDistinctRows files, so that
// the large batch takes 400 MB of disk instead of 40 GB; it runs where TALLY_BENCH_LARGE is set.
#include <benchmark/benchmark.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "bench/machine.h"
#include "chain_adapter/data/batch_store.h"
#include "chain_adapter/data/manifest.h"
#include "deterministic_math/bytecode/codec.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/programs/program_library.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/step/one_step.h"
#include "sequencer/defender/stored_batch.h"

namespace tally {
namespace {

namespace fs = std::filesystem;
using math::ObjectId;
using math::ObjectKind;

constexpr std::uint64_t kDistinctRows = 8;
constexpr proof::Address kPoster{.bytes = {1}};
constexpr proof::Address kChallenger{.bytes = {2}};

/// A batch whose `total` and disputed entry of `next_model` are right; nobody looks at the rest.
class Scene final : public math::RowSource {
 public:
  Scene(std::uint64_t clients, std::uint64_t parameters)
      : x_values(proof::batch_values({clients, parameters}, proof::kFirstBatch, {})),
        x_entry(parameters / 3),
        x_folder("defender_bench") {
    x_program = math::compile(math::find_library_program("fedavg")->text, {}).value();
    make_rows();
    make_records();
    make_tables();
    make_header();
  }

  [[nodiscard]] std::unique_ptr<sequencer::StoredBatch> open() const {
    const auto directory = chain::find_batch(x_folder.path(), x_posted.batch);
    TALLY_ASSERT(directory.has_value());
    auto opened = sequencer::StoredBatch::open(x_task, x_bytecode, x_posted, *directory);
    TALLY_ASSERT(opened.has_value());
    return *std::move(opened);
  }
  [[nodiscard]] std::uint64_t entry() const { return x_entry; }
  [[nodiscard]] ObjectId object(const std::string& name) const {
    const auto& names = x_program.names.objects;
    return static_cast<ObjectId>(std::ranges::find(names, name) - names.begin());
  }
  [[nodiscard]] std::uint16_t item(const std::string& table) const {
    return static_cast<std::uint16_t>(math::owner_item(x_program.program, object(table)).value());
  }
  [[nodiscard]] proof::GameStart start() const {
    return {.batch = x_posted.batch, .poster = kPoster, .challenger = kChallenger, .clock_s = 1000};
  }
  [[nodiscard]] const proof::Posted& posted() const { return x_posted; }

  [[nodiscard]] std::span<const std::byte> view(ObjectId, std::uint64_t record, std::uint64_t first, std::size_t count,
                                                std::span<std::byte>) override {
    return std::span(x_rows[record % kDistinctRows]).subspan(first * 4, count * 4);
  }

 private:
  [[nodiscard]] std::uint64_t clients() const { return x_values.dims[0]; }
  [[nodiscard]] chain::BatchPaths paths() const { return chain::BatchPaths(x_folder.path() / "batch"); }
  [[nodiscard]] const math::Object& object_of(const std::string& name) const {
    return x_program.program.objects[object(name)];
  }

  static void write(const fs::path& path, math::Bytes bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    TALLY_ASSERT(file.good());
  }

  void make_rows() {
    std::mt19937 random(1);
    std::uniform_int_distribution<std::int32_t> values(-1'000'000, 1'000'000);
    for (std::uint64_t row = 0; row < kDistinctRows; ++row) {
      std::vector<std::byte>& bytes = x_rows[row];
      bytes.resize(x_values.dims[1] * 4);
      for (std::uint64_t d = 0; d < x_values.dims[1]; ++d) {
        math::write_element(bytes, math::ElementType::kI32, d, values(random));
      }
      write(paths().row("updates", row), math::unsigned_bytes(bytes));
    }
    for (std::uint64_t k = kDistinctRows; k < clients(); ++k) {
      fs::create_hard_link(paths().row("updates", k % kDistinctRows), paths().row("updates", k));
    }
  }

  void make_records() {
    std::array<math::Digest, kDistinctRows> commitments;
    for (std::uint64_t row = 0; row < kDistinctRows; ++row) {
      commitments[row] = proof::table_commitment(
          proof::row_shape(object_of("updates"), x_values), proof::kDefaultLeafBytes,
          proof::tree_root_of_bytes(math::unsigned_bytes(x_rows[row]), proof::kDefaultLeafBytes));
    }
    std::vector<std::uint8_t> bytes;
    for (std::uint64_t k = 0; k < clients(); ++k) {
      proof::Record record{.member = k, .rows = {commitments[k % kDistinctRows]}, .fields = {1}};
      record.fields[0] += static_cast<std::int64_t>(k % 100);
      x_examples.push_back(record.fields[0]);
      const auto encoded = proof::encode(record);
      bytes.insert(bytes.end(), encoded.begin(), encoded.end());
    }
    write(paths().file(chain::kRecordsFile), bytes);
    math::ThreadPool pool(1);
    x_posted.header.records_root =
        proof::records_root(bytes, proof::record_shape(x_program.program).record_bytes(), pool);
  }

  void make_tables() {
    const math::Program& program = x_program.program;
    std::map<std::string, std::vector<std::byte>> tables;
    math::Inputs inputs;
    inputs.rows = this;
    inputs.fields.resize(program.objects.size());
    inputs.fields[object("examples")] = x_examples;
    inputs.tables.resize(program.objects.size());
    for (const char* const name : {"model", "total", "next_model"}) {
      tables[name].resize(proof::table_shape(object_of(name), x_values).data_bytes());
      inputs.tables[object(name)] = tables[name];
    }
    const math::Evaluation evaluation{.program = program, .values = x_values, .inputs = inputs};
    for (const auto& [name, entry] : {std::pair<std::string, std::uint64_t>{"total", 0}, {"next_model", x_entry}}) {
      const auto results = math::evaluate_entry(evaluation, item(name), entry);
      TALLY_ASSERT(results.has_value());
      math::write_element(tables[name], object_of(name).type, entry, results->front());
    }
    std::vector<math::Digest> commitments;
    for (const char* const name : {"model", "total", "next_model"}) {
      const bool is_state = object_of(name).kind == ObjectKind::kState;
      write(is_state ? paths().state(name) : paths().table(name), math::unsigned_bytes(tables[name]));
      const auto root = proof::tree_root_of_bytes(math::unsigned_bytes(tables[name]), proof::kDefaultLeafBytes);
      const auto commitment =
          proof::table_commitment(proof::table_shape(object_of(name), x_values), proof::kDefaultLeafBytes, root);
      if (is_state) {
        x_posted.state_commitments.push_back(commitment);
      } else {
        x_posted.table_roots.push_back(root);
        commitments.push_back(commitment);
      }
    }
    x_posted.header.tables_root = proof::tables_root(commitments);
    x_posted.header.prev_state_root = proof::state_root(x_posted.state_commitments);
    x_posted.header.next_state_root =
        proof::state_root(proof::next_state(program, x_posted.state_commitments, commitments));
  }

  void make_header() {
    x_bytecode.bytecode = math::encode_program(x_program.program);
    x_task.program_hash = math::sha256(x_bytecode.bytecode);
    x_task.dims = {x_values.dims[1]};
    x_posted.header.task = proof::task_id(x_task);
    x_posted.header.record_count = clients();
    x_posted.header.poster = kPoster;
    x_posted.batch = proof::batch_id(x_posted.header);
    write(paths().file(chain::kHeaderFile), proof::encode(x_posted.header));
    chain::Manifest manifest;
    manifest.shape = chain::manifest_shape(x_program, x_values.dims);
    manifest.header = x_posted.header;
    manifest.task = x_task;
    const std::string text = chain::write_manifest(manifest);
    write(paths().file(chain::kManifestFile), math::unsigned_bytes(text));
  }

  math::BatchValues x_values;
  std::uint64_t x_entry;
  WorkFolder x_folder;
  math::CompiledProgram x_program;
  std::array<std::vector<std::byte>, kDistinctRows> x_rows;
  std::vector<std::int64_t> x_examples;
  proof::TaskPreimage x_task;
  proof::ProgramRecord x_bytecode;
  proof::Posted x_posted;
};

/// Made once for each size.
Scene& scene_of(const benchmark::State& state) {
  static std::map<std::pair<std::int64_t, std::int64_t>, std::unique_ptr<Scene>> scenes;
  auto& scene = scenes[{state.range(0), state.range(1)}];
  if (!scene) {
    scene =
        std::make_unique<Scene>(static_cast<std::uint64_t>(state.range(0)), static_cast<std::uint64_t>(state.range(1)));
  }
  return *scene;
}

bool is_left_out(benchmark::State& state) {
  if (state.range(1) <= 1'000'000 || std::getenv("TALLY_BENCH_LARGE") != nullptr) return false;
  state.SkipWithError("writes 400 MB; set TALLY_BENCH_LARGE to run it");
  return true;
}

void expect_accepted(const sequencer::StoredBatch& stored, const proof::Game& game, const proof::Move& move) {
  const proof::MoveContext context{
      .batch = stored.batch(), .arity = stored.settings().arity, .sender = kPoster, .now_s = game.moved_at_s};
  TALLY_ASSERT(proof::apply_move(context, game, move).has_value());
}

/// Times `answer_once(scene, stored)` on a batch that was just opened, and checks with `check` what it gave.
template <class AnswerOnce, class Check>
void run(benchmark::State& state, AnswerOnce answer_once, Check check) {
  const Scene& scene = scene_of(state);
  const std::uint64_t before = anonymous_bytes();
  double megabytes = 0;
  for (auto unused : state) {
    state.PauseTiming();
    auto stored = scene.open();
    {
      const PeakMemory peak;
      state.ResumeTiming();
      auto answered = answer_once(scene, *stored);
      state.PauseTiming();
      check(scene, *stored, answered);
      megabytes = std::max(megabytes, peak.megabytes());
    }
    stored.reset();
    state.ResumeTiming();
  }
  state.counters["extra_MB"] = megabytes - static_cast<double>(before) * 1e-6;
}

void open(benchmark::State& state) {
  if (is_left_out(state)) return;
  const Scene& scene = scene_of(state);
  for (auto unused : state) benchmark::DoNotOptimize(scene.open());
}

/// Answers `game` and asserts that the chain takes it.
void answer_game(benchmark::State& state, const proof::Game& game) {
  run(
      state,
      [&](const Scene&, sequencer::StoredBatch& stored) {
        if (game.phase == proof::Phase::kRespond) stored.check_inputs(game.item);
        return *sequencer::answer(stored.data(), game, stored.settings().arity);
      },
      [&](const Scene&, const sequencer::StoredBatch& stored, const sequencer::Answer& answer) {
        TALLY_ASSERT(answer.agrees);
        expect_accepted(stored, game, answer.move);
      });
}

void respond(benchmark::State& state) {
  if (is_left_out(state)) return;
  const Scene& scene = scene_of(state);
  const auto stored = scene.open();
  const std::uint16_t item = scene.item("next_model");
  const auto openings = proof::make_result_openings(stored->batch(), item, scene.entry(), stored->data().leaves);
  answer_game(state, proof::open_game(stored->batch(), scene.start(), item, scene.entry(), openings).value());
}

void reveal(benchmark::State& state) {
  if (is_left_out(state)) return;
  const Scene& scene = scene_of(state);
  const auto stored = scene.open();
  const std::array tables = {scene.object("next_model")};
  const std::array roots = {scene.posted().table_roots.back()};
  const auto bytes = proof::make_roots(stored->batch(), tables, roots, stored->data().leaves.table_commitments());
  answer_game(state,
              proof::open_descent(stored->batch(), scene.start(), scene.item("next_model"), tables, bytes).value());
}

void request(benchmark::State& state) {
  if (is_left_out(state)) return;
  const auto leaf = [](const Scene& scene) {
    return proof::OpeningKey{.object = scene.object("updates"), .record = 5, .leaf = 17};
  };
  run(
      state,
      [&](const Scene& scene, sequencer::StoredBatch& stored) { return sequencer::answer(stored.data(), leaf(scene)); },
      [&](const Scene& scene, const sequencer::StoredBatch& stored, const std::vector<std::uint8_t>& openings) {
        proof::OpeningReader reader(stored.batch(), openings);
        TALLY_ASSERT(reader.open(leaf(scene)).has_value() && reader.finish().has_value());
      });
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->Args({100, 100'000})->Args({1'000, 10'000'000})->Iterations(3)->UseRealTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK(open)->Apply(sizes);
BENCHMARK(respond)->Apply(sizes);
BENCHMARK(reveal)->Apply(sizes);
BENCHMARK(request)->Apply(sizes);

}  // namespace
}  // namespace tally
