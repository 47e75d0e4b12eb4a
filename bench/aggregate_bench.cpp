// Aggregation and verification of real files, end to end.
//
//   aggregate   K = 100 updates of D = 1M floats. `limit` is (hash + fold) over bytes / two-thread leaf-hash speed,
//               measured beside it; the goal is at most 1.35.
//   verify      the same batch. `ratio` is its time over that of aggregating without writing; the goal is at most 1.2.
//   memory      K = 100, D = 10M: the largest resident anonymous memory, sampled; the goal is at most 3 models + 200
//   MB.
//               Writes 8 GB, so it runs only where TALLY_BENCH_LARGE is set.
//
// Files go to a folder of their own in TALLY_BENCH_DIR, or else in the current folder, and are removed.
#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bench/machine.h"
#include "chain_adapter/keys/development_keys.h"
#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/programs/program_library.h"
#include "fraud_proof/hashing/leaf_hasher.h"
#include "sequencer/batch/batch_builder.h"
#include "sequencer/batch/model_encoder.h"
#include "sequencer/batch/update_source.h"
#include "sequencer/trainer/model_writer.h"
#include "verifier/replay/verify_batch.h"

namespace tally {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr unsigned kThreads = 2;
constexpr std::size_t kRecords = 100;

/// Update files, keys and the program of one federated average.
class Scene {
 public:
  Scene(std::uint64_t parameters, const fs::path& folder) : x_parameters(parameters), x_folder(folder) {
    math::CompileOptions options;
    options.template_library = math::template_library();
    x_program = math::compile(math::find_library_program("fedavg")->text, options).value();
    std::mt19937 random(1);
    std::uniform_real_distribution<float> weights(-1.0F, 1.0F);
    std::vector<float> values(parameters);
    for (std::size_t k = 0; k < kRecords; ++k) {
      for (float& value : values) value = weights(random);
      sequencer::write_npy(update(k), {.name = {}, .shape = {parameters}, .values = values});
      x_keys.push_back(chain::development_key(k));
    }
  }

  [[nodiscard]] fs::path batch() const { return x_folder / "batch"; }

  [[nodiscard]] sequencer::BuiltBatch build(math::TaskPool& pool) const {
    sequencer::BuildOptions options;
    options.target = batch();
    options.replace = sequencer::Replace::kReplace;
    options.pool = &pool;
    options.encode_model = sequencer::model_encoder();
    auto built = sequencer::build_batch(inputs(), options);
    TALLY_ASSERT(built.has_value());
    return *std::move(built);
  }

  [[nodiscard]] verifier::VerifyReport verify(math::TaskPool& pool) const {
    verifier::VerifyOptions options;
    options.pool = &pool;
    options.encode_model = sequencer::model_encoder();
    verifier::VerifyReport report = verifier::verify_batch(batch(), options);
    TALLY_ASSERT(report.findings.empty());
    return report;
  }

 private:
  [[nodiscard]] fs::path update(std::size_t k) const { return x_folder / (std::to_string(k) + ".npy"); }

  [[nodiscard]] sequencer::BatchInputs inputs() const {
    sequencer::BatchInputs inputs;
    inputs.program = &x_program;
    inputs.dims = {kRecords, x_parameters};
    inputs.states.push_back(sequencer::zero_elements(x_parameters));
    for (std::size_t k = 0; k < kRecords; ++k) {
      auto file = sequencer::UpdateFile::open(update(k)).value();
      if (k == 0) inputs.layout = file.layout();
      sequencer::RecordInput record;
      record.key = &x_keys[k];
      record.source = update(k).string();
      record.rows.push_back(std::make_unique<sequencer::UpdateSource>(std::move(file), math::QuantiseOptions{}));
      record.fields = {static_cast<std::int64_t>(100 + k)};
      inputs.records.push_back(std::move(record));
    }
    return inputs;
  }

  std::uint64_t x_parameters;
  fs::path x_folder;
  math::CompiledProgram x_program;
  std::vector<proof::PrivateKey> x_keys;
};

/// Bytes a second of leaf hashing alone, on all threads of the pool, from memory.
double leaf_hash_speed(math::TaskPool& pool) {
  constexpr std::size_t kLeaf = 1024;
  constexpr std::size_t kPiece = std::size_t{1} << 18;
  constexpr std::size_t kPieces = 1024;
  const std::vector<std::uint8_t> data(kPiece * kPieces, 7);
  std::vector<math::Digest> digests(data.size() / kLeaf);
  double best = 0;
  for (int run = 0; run < 3; ++run) {
    const Clock::time_point start = Clock::now();
    pool.run(kPieces, [&](std::size_t piece) {
      proof::LeafHasher::best().hash_leaves(std::span(data).subspan(piece * kPiece, kPiece), kLeaf,
                                            std::span(digests).subspan(piece * kPiece / kLeaf, kPiece / kLeaf));
    });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, static_cast<double>(data.size()) / seconds);
  }
  return best;
}

void aggregate(benchmark::State& state) {
  const WorkFolder folder("aggregate_bench");
  const Scene scene(static_cast<std::uint64_t>(state.range(0)), folder.path());
  math::ThreadPool pool(kThreads);
  sequencer::BuildTimes times;
  double bytes = 0;
  double best_s = 1e9;
  double best_speed = 0;
  for (auto unused : state) {
    const sequencer::BuiltBatch built = scene.build(pool);
    bytes = static_cast<double>(built.row_bytes);
    best_speed = std::max(best_speed, leaf_hash_speed(pool));
    const double seconds = built.times.hash + built.times.fold;
    if (seconds < best_s) {
      best_s = seconds;
      times = built.times;
    }
  }
  state.counters["limit"] = best_s / (bytes / best_speed);
  state.counters["leaf_hash_GB/s"] = best_speed / 1e9;
  state.counters["read_s"] = times.read;
  state.counters["quantise_s"] = times.quantise;
  state.counters["hash_s"] = times.hash;
  state.counters["fold_s"] = times.fold;
  state.counters["write_s"] = times.write;
  state.counters["wall_s"] = times.wall;
}

void verify(benchmark::State& state) {
  const WorkFolder folder("aggregate_bench");
  const Scene scene(static_cast<std::uint64_t>(state.range(0)), folder.path());
  math::ThreadPool pool(kThreads);
  double aggregating = 1e9;
  double verifying = 1e9;
  for (auto unused : state) {
    const sequencer::BuildTimes built = scene.build(pool).times;
    aggregating = std::min(aggregating, built.wall - built.write);
    const verifier::VerifyTimes verified = scene.verify(pool).times;
    verifying = std::min(verifying, verified.wall);
    state.counters["hash_s"] = verified.hash;
    state.counters["fold_s"] = verified.fold;
  }
  state.counters["aggregate_s"] = aggregating;
  state.counters["verify_s"] = verifying;
  state.counters["ratio"] = verifying / aggregating;
}

void memory(benchmark::State& state) {
  if (std::getenv("TALLY_BENCH_LARGE") == nullptr) {
    state.SkipWithError("writes 8 GB; set TALLY_BENCH_LARGE to run it");
    return;
  }
  const WorkFolder folder("aggregate_bench");
  const auto parameters = static_cast<std::uint64_t>(state.range(0));
  const Scene scene(parameters, folder.path());
  math::ThreadPool pool(kThreads);
  const double before = static_cast<double>(anonymous_bytes()) * 1e-6;
  for (auto unused : state) {
    {
      const PeakMemory peak;
      benchmark::DoNotOptimize(scene.build(pool));
      state.counters["aggregate_MB"] = peak.megabytes();
    }
    const PeakMemory peak;
    benchmark::DoNotOptimize(scene.verify(pool));
    state.counters["verify_MB"] = peak.megabytes();
  }
  state.counters["before_MB"] = before;
  state.counters["allowed_MB"] = 3 * 4e-6 * static_cast<double>(parameters) + 200;
}

BENCHMARK(aggregate)->Arg(1'000'000)->Iterations(6)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(verify)->Arg(1'000'000)->Iterations(6)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(memory)->Arg(10'000'000)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tally
