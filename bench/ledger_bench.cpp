// An epoch of the contribution ledger, a million events of a hundred thousand members, from records in memory to a
// batch directory with all of its commitments on disk: states, records, tables. The goal is at most 10 s on two
// threads. Signatures are checked when records come in, not when the batch is built: their time is measured on a sample
// and scaled up, in signatures_s.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/ledger_parameters.h"
#include "bench/machine.h"
#include "chain_adapter/keys/development_keys.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/programs/program_library.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/signing/eip712.h"
#include "sequencer/batch/batch_builder.h"
#include "sequencer/task/new_task.h"

namespace tally {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kEvents = 1'000'000;
constexpr std::uint64_t kMembers = 100'000;
constexpr std::uint64_t kTokens = 20'000;
constexpr std::uint64_t kEventsOfMember = kEvents / kMembers;
constexpr std::size_t kSampledSignatures = 4'000;
constexpr unsigned kThreads = 2;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Addresses of no key, in no order.
proof::Address address_of(std::uint64_t member) {
  proof::Address address;
  std::mt19937_64 random(member);
  std::ranges::generate(address.bytes, [&] { return static_cast<std::uint8_t>(random()); });
  return address;
}

class Epoch {
 public:
  explicit Epoch(const std::filesystem::path& folder) : x_folder(folder), x_store(folder / "data"), x_pool(kThreads) {
    math::CompileOptions options;
    options.template_library = math::template_library();
    options.parameters = bench::ledger_parameters();
    x_program = math::compile(math::find_library_program("contribution_ledger")->text, options).value();
    x_task = sequencer::prepare_task(
                 {.program = x_program, .dims = {kMembers, kTokens}, .settings = {}, .salt = {}, .states = states()},
                 {.chain_id = 7, .contract = {}}, proof::Address{}, x_store, x_pool)
                 .value();
  }

  [[nodiscard]] sequencer::BuiltBatch build() {
    sequencer::BatchInputs inputs;
    inputs.program = &x_program;
    inputs.dims = {kEvents, kMembers, kTokens};
    inputs.place = sequencer::BatchPlace{.task = x_task.preimage, .state = x_task.preimage.genesis_root};
    inputs.states = states();
    for (std::uint64_t k = 0; k < kEvents; ++k) {
      sequencer::RecordInput& input = inputs.records.emplace_back();
      input.signed_record = record(k);
    }
    sequencer::BuildOptions options;
    options.target = x_folder / "batch";
    options.signatures = sequencer::Signatures::kChecked;
    options.replace = sequencer::Replace::kReplace;
    options.pool = &x_pool;
    auto built = sequencer::build_batch(std::move(inputs), options);
    TALLY_ASSERT(built.has_value());
    return *std::move(built);
  }

  /// What checking the signatures of all events takes.
  [[nodiscard]] double signature_seconds() {
    const proof::RecordContext context{.domain = proof::domain_separator(proof::tallystick_domain(7, {})),
                                       .task = x_task.id,
                                       .batch = proof::kFirstBatch,
                                       .state = x_task.preimage.genesis_root};
    std::vector<proof::Record> records;
    for (std::uint64_t k = 0; k < kSampledSignatures; ++k) {
      proof::sign_record(records.emplace_back(record(k)), context, chain::development_key(k % 8));
    }
    const Clock::time_point start = Clock::now();
    x_pool.run(records.size(), [&](std::size_t k) { TALLY_ASSERT(proof::check_signature(records[k], context)); });
    return seconds_since(start) * kEvents / kSampledSignatures;
  }

 private:
  /// Tokens of every tier belong to members all over; everybody is new.
  [[nodiscard]] std::vector<std::unique_ptr<sequencer::ElementSource>> states() const {
    const math::BatchValues values = proof::batch_values({0, kMembers, kTokens}, proof::kFirstBatch, {});
    std::vector<std::unique_ptr<sequencer::ElementSource>> sources;
    for (const math::ObjectId id : proof::objects_of(x_program.program, math::ObjectKind::kState)) {
      const math::Object& object = x_program.program.objects[id];
      const std::string& name = x_program.names.objects[id];
      const std::uint64_t count = math::element_count(object.extents, values);
      std::vector<std::byte> bytes(count * math::element_bytes(object.type));
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t value = name == "token_owner" ? i * 7919 % kMembers : name == "token_tier" ? i % 6 : 0;
        math::write_element(bytes, object.type, i, value);
      }
      sources.push_back(sequencer::stored_elements(name, std::move(bytes), math::element_bytes(object.type)));
    }
    return sources;
  }

  /// Each member's events follow each other, of all kinds of contributions.
  [[nodiscard]] proof::Record record(std::uint64_t k) const {
    proof::Record result;
    result.member = k / kEventsOfMember;
    result.nonce = k % kEventsOfMember;
    result.address = address_of(result.member);
    const std::map<std::string, std::uint64_t> known{{"kind", 1 + k % 5},
                                                     {"epoch", 1},
                                                     {"timestamp", 1 + result.nonce * 8000 + result.member % 4000},
                                                     {"update_0", 1 + k},
                                                     {"amount", 37 * k % 10'000},
                                                     {"about", k * 31 % kMembers},
                                                     {"severity", 1},
                                                     {"tier", 1}};
    for (const math::ObjectId id : proof::objects_of(x_program.program, math::ObjectKind::kField)) {
      const auto found = known.find(x_program.names.objects[id]);
      result.fields.push_back(found == known.end() ? 0 : static_cast<std::int64_t>(found->second));
    }
    return result;
  }

  std::filesystem::path x_folder;
  chain::BatchStore x_store;
  math::ThreadPool x_pool;
  math::CompiledProgram x_program;
  sequencer::PreparedTask x_task;
};

void contribution_ledger_committed(benchmark::State& state) {
  const WorkFolder folder("ledger_bench");
  Epoch epoch(folder.path());
  for (auto _ : state) {
    const sequencer::BuiltBatch built = epoch.build();
    state.SetIterationTime(built.times.wall);
    state.counters["fold_s"] = built.times.fold;
    state.counters["hash_s"] = built.times.hash;
    state.counters["write_s"] = built.times.write;
  }
  state.counters["signatures_s"] = epoch.signature_seconds();
}
BENCHMARK(contribution_ledger_committed)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace tally
