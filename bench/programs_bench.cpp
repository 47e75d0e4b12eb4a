// Every rule of the library, whole, at 100 records and 2^20 parameters, and a ledger epoch of a million events of a
// hundred thousand members, on two threads: hints, folds and checks, without commitments. Each is shown beside:
//
//   times_fedavg    the fold of FedAvg, which reads every row once
//   oracle_s        the exact oracle of the tests, integers without bounds in plain loops; it is timed at few
//                   parameters, where it must give the same model, and scaled up
//   interpreter_s   the scalar interpreter, which a sample of entries of every item must equal, scaled up
//   models_held     the most memory that the run holds beyond records, states and tables, in models: at most 3
//
// The last lines are the table of docs/programs.md.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <string>

#include "bench/ledger_parameters.h"
#include "bench/machine.h"
#include "deterministic_math/executor/executor.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/programs/program_library.h"
#include "tests/support/rule_oracles.h"

namespace tally::math {
namespace {

constexpr std::uint64_t kRecords = 100;
constexpr std::uint64_t kLength = std::uint64_t{1} << 20;
constexpr std::uint64_t kEvents = 1'000'000;
constexpr std::uint64_t kMembers = 100'000;
constexpr unsigned kThreads = 2;
constexpr std::size_t kSampledEntries = 2;  // of each item
constexpr std::uint64_t kOracleLength = 256;
constexpr double kModelsAllowed = 3;  // that a rule may hold beside its own tables

double seconds_of(const auto& function) {
  const auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Rows of small numbers with long tails, as updates are.
const std::vector<std::int32_t>& row_values() {
  static const std::vector<std::int32_t> values = [] {
    std::vector<std::int32_t> result(kRecords * kLength);
    std::mt19937_64 random(7);
    for (std::int32_t& value : result) {
      const std::uint64_t bits = random();
      value = static_cast<std::int32_t>(bits) >> (bits >> 32U) % 16U;
    }
    return result;
  }();
  return values;
}

class SharedRows final : public RowSource {
 public:
  std::span<const std::byte> view(ObjectId, std::uint64_t record, std::uint64_t first, std::size_t count,
                                  std::span<std::byte>) override {
    return std::as_bytes(std::span(row_values()).subspan(record * kLength + first, count));
  }
};

// Small numbers in the field's range; events of the first epoch, of all kinds and in order of time.
std::vector<std::int64_t> field_values(const std::string& name, Range range, std::uint64_t records) {
  std::vector<std::int64_t> values(records);
  for (std::uint64_t k = 0; k < records; ++k) {
    std::uint64_t value = 37 * k % 1000;
    if (name == "epoch") value = 1;
    if (name == "timestamp") value = k % 80'000;
    if (name == "kind") value = k % 8;
    values[k] = static_cast<std::int64_t>(std::clamp<i128>(value, range.lo, range.hi));
  }
  return values;
}

// A compiled program and memory for all that it loads and stores.
class Batch final : public EntrySink {
 public:
  Batch(const std::string& name, const std::map<std::string, i128>& parameters, std::uint64_t records = kRecords,
        std::uint64_t length = kLength)
      : x_compiled(*compile(find_library_program(name)->text,
                            {.file_name = name, .parameters = parameters, .template_library = template_library()})),
        x_members(records),
        x_pool(kThreads) {
    const std::uint64_t other = records == kEvents ? kMembers : length;
    for (const Dim& dim : x_compiled.program.dims) {
      const std::uint64_t wanted = dim.role == DimRole::kRecords   ? records
                                   : dim.role == DimRole::kMembers ? kMembers
                                                                   : other;
      x_values.dims.push_back(std::clamp(wanted, dim.lo, dim.hi));
    }
    x_values.batch = 1;
    for (std::uint64_t k = 0; k < records; ++k) {
      // Of rules one each, of the ledger ten that follow each other.
      x_members[k] = records == kEvents ? k * kMembers / kEvents : k * 7919 % kMembers;
      x_nonces.push_back(k);
    }
    const std::vector<Object>& objects = x_compiled.program.objects;
    x_inputs.fields.resize(objects.size());
    x_inputs.tables.resize(objects.size());
    x_inputs.members = x_members;
    x_inputs.nonces = x_nonces;
    x_inputs.rows = &x_rows;
    x_tables.resize(objects.size());
    x_fields.resize(objects.size());
    for (ObjectId id = kNonceObject + 1; id < objects.size(); ++id) {
      const Object& object = objects[id];
      if (object.kind == ObjectKind::kField) {
        x_fields[id] = field_values(x_compiled.names.objects[id], object.range, records);
        x_inputs.fields[id] = x_fields[id];
      }
      if (object.kind < ObjectKind::kState) continue;
      const std::uint64_t count = element_count(object.extents, x_values);
      x_tables[id].resize(count * element_bytes(object.type));
      x_inputs.tables[id] = x_tables[id];
      // Members' states in rules are shares, and full; all others start at 0.
      if (object.kind == ObjectKind::kState && count == kMembers && records == kRecords) {
        for (std::uint64_t m = 0; m < count; ++m) write_element(x_tables[id], object.type, m, object.range.hi);
      }
    }
  }

  void accept(const EntryBlock& block) override {
    for (const std::uint8_t failed : block.failed) TALLY_ASSERT(failed == 0);
    for (std::size_t c = 0; c < block.columns.size(); ++c) {
      const ObjectId id = x_compiled.program.items[block.item].results[c];
      const std::size_t width = element_bytes(x_compiled.program.objects[id].type);
      std::memcpy(x_tables[id].data() + block.first * width, block.columns[c].data(), block.columns[c].size());
    }
  }

  /// Every item, in order, and in a loop round by round.
  void run() {
    const Program& program = x_compiled.program;
    for (std::size_t first = 0; first < program.items.size();) {
      std::size_t end = first + 1;
      const LoopId loop = program.items[first].loop;
      if (loop == kOutside) {
        run_entries(first, 0, element_count(program.items[first].extents, x_values));
        first = end;
        continue;
      }
      while (end < program.items.size() && program.items[end].loop == loop) ++end;
      for (std::uint64_t t = 0; t < extent_value(program.loops[loop].extent, x_values); ++t) {
        for (std::size_t item = first; item < end; ++item) {
          const std::uint64_t inner = extent_value(program.items[item].extents[1], x_values);
          run_entries(item, t * inner, inner);
        }
      }
      first = end;
    }
  }

  /// A sample of the entries of each item equals the interpreter's. Seconds that the interpreter would take for all.
  [[nodiscard]] double compare_with_interpreter() const {
    double all_s = 0;
    std::mt19937_64 random(3);
    for (std::size_t index = 0; index < x_compiled.program.items.size(); ++index) {
      const Item& item = x_compiled.program.items[index];
      if (!item.body) continue;
      const std::uint64_t entries = element_count(item.extents, x_values);
      const double seconds = seconds_of([&] {
        for (std::size_t i = 0; i < kSampledEntries; ++i) compare_entry(index, random() % entries);
      });
      all_s += seconds * static_cast<double>(entries) / kSampledEntries;
    }
    return all_s;
  }

  /// Of a rule that has run, as its oracle takes it.
  [[nodiscard]] test::Case rule_case() const {
    test::Case result;
    result.records = kRecords;
    result.length = table("next_model").size();
    result.model.resize(result.length);
    result.slots = kMembers;
    for (std::uint64_t k = 0; k < kRecords; ++k) {
      const auto row = std::span(row_values()).subspan(k * kLength, result.length);
      result.updates.emplace_back(row.begin(), row.end());
      result.members.push_back(x_members[k]);
    }
    for (ObjectId id = 0; id < x_tables.size(); ++id) {
      const std::string& name = x_compiled.names.objects[id];
      if (name == "examples") result.examples.assign(x_fields[id].begin(), x_fields[id].end());
      const bool of_members = x_tables[id].size() / element_bytes(x_compiled.program.objects[id].type) == kMembers;
      if (x_compiled.program.objects[id].kind == ObjectKind::kState && of_members) result.states[name] = table(name);
    }
    return result;
  }

  [[nodiscard]] test::Values table(const std::string& name) const {
    const auto found = std::ranges::find(x_compiled.names.objects, name);
    const auto id = static_cast<std::size_t>(found - x_compiled.names.objects.begin());
    const ElementType type = x_compiled.program.objects.at(id).type;
    test::Values values(x_tables[id].size() / element_bytes(type));
    for (std::uint64_t i = 0; i < values.size(); ++i) values[i] = read_element(x_tables[id], type, i);
    return values;
  }

  /// Advice and computed tables.
  [[nodiscard]] double table_megabytes() const {
    std::size_t bytes = 0;
    for (ObjectId id = 0; id < x_tables.size(); ++id) {
      if (x_compiled.program.objects[id].kind >= ObjectKind::kAdvice) bytes += x_tables[id].size();
    }
    return static_cast<double>(bytes) * 1e-6;
  }

 private:
  void run_entries(std::size_t index, std::uint64_t first, std::uint64_t count) {
    const Program& program = x_compiled.program;
    const auto hint = std::ranges::find(x_compiled.hints, index, &Hint::item);
    if (hint != x_compiled.hints.end()) {
      const ObjectId id = program.items[index].results[0];
      const std::size_t width = element_bytes(program.objects[id].type);
      evaluate_hint(program, *hint, x_values, x_inputs, first, count, x_pool,
                    std::span(x_tables[id]).subspan(first * width, count * width));
    }
    if (!program.items[index].body) return;
    evaluate(program, x_values, x_inputs, index, {first, count, SelfLoads::kFill}, x_pool, *this);
  }

  void compare_entry(std::size_t index, std::uint64_t entry) const {
    const Program& program = x_compiled.program;
    const auto expected = evaluate_entry({program, x_values, x_inputs}, index, entry);
    TALLY_ASSERT(expected.has_value());
    const Item& item = program.items[index];
    if (item.kind != ItemKind::kTable) return;
    for (std::size_t c = 0; c < item.results.size(); ++c) {
      const ObjectId id = item.results[c];
      TALLY_ASSERT(read_element(x_tables[id], program.objects[id].type, entry) == (*expected)[c]);
    }
  }

  CompiledProgram x_compiled;
  BatchValues x_values;
  std::vector<std::uint64_t> x_members;
  std::vector<std::uint64_t> x_nonces;
  std::vector<std::vector<std::int64_t>> x_fields;
  std::vector<std::vector<std::byte>> x_tables;
  SharedRows x_rows;
  Inputs x_inputs;
  ThreadPool x_pool;
};

double fedavg_seconds() {
  static const double seconds = [] {
    Batch fedavg("fedavg", {});
    fedavg.run();  // makes the rows
    return seconds_of([&] { fedavg.run(); });
  }();
  return seconds;
}

struct Choice {
  const char* name;
  std::map<std::string, i128> parameters;
  std::uint64_t records = kRecords;
};

/// What the oracle of a rule would take for all parameters.
double oracle_seconds(const Choice& choice) {
  Batch batch(choice.name, choice.parameters, kRecords, kOracleLength);
  batch.run();
  const test::Case rule_case = batch.rule_case();
  test::Values model;
  const double seconds = seconds_of([&] { model = test::oracle_model(choice.name, rule_case, choice.parameters); });
  TALLY_ASSERT(model == batch.table("next_model"));
  return seconds * kLength / kOracleLength;
}

/// A row of the table in docs/programs.md.
struct Row {
  std::string name;
  double time_s = 0;
  double times_fedavg = 0;
  std::optional<double> oracle_s{};  // of rules
  double interpreter_s = 0;
  double tables_mb = 0;
  std::optional<double> models_held{};  // of rules
};

std::vector<Row>& rows() {
  static std::vector<Row> all;
  return all;
}

void program(benchmark::State& state, const Choice& choice) {
  const bool rule = choice.records == kRecords;
  const double fedavg_s = fedavg_seconds();
  Batch batch(choice.name, choice.parameters, choice.records);
  Row row{.name = choice.name};
  std::optional<std::uint64_t> held;
  for (auto _ : state) {
    held = peak_bytes_of([&] { row.time_s = seconds_of([&] { batch.run(); }); });
    state.SetIterationTime(row.time_s);
  }
  row.times_fedavg = row.time_s / fedavg_s;
  row.interpreter_s = batch.compare_with_interpreter();
  row.tables_mb = batch.table_megabytes();
  if (rule) row.oracle_s = oracle_seconds(choice);
  if (rule && held) row.models_held = static_cast<double>(*held) / (sizeof(std::int32_t) * kLength);
  TALLY_ASSERT(row.models_held.value_or(0) <= kModelsAllowed);

  state.counters["times_fedavg"] = row.times_fedavg;
  state.counters["interpreter_s"] = row.interpreter_s;
  state.counters["tables_MB"] = row.tables_mb;
  if (row.oracle_s) state.counters["oracle_s"] = *row.oracle_s;
  if (row.models_held) state.counters["models_held"] = *row.models_held;
  rows().push_back(std::move(row));
}

/// With `digits` behind the point below 10, and none above.
std::string number(double value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", value < 10 ? digits : 0, value);
  return text.data();
}

void print_table() {
  std::puts("\n| program | time, ms | times FedAvg | exact oracle, s | interpreter, s | tables, MB | models held |");
  std::puts("|---|---:|---:|---:|---:|---:|---:|");
  for (const Row& row : rows()) {
    const std::array<std::string, 7> cells{row.name,
                                           number(1e3 * row.time_s, 0),
                                           number(row.times_fedavg, 1),
                                           row.oracle_s ? number(*row.oracle_s, 1) : "",
                                           number(row.interpreter_s, 1),
                                           number(row.tables_mb, 1),
                                           row.models_held ? number(*row.models_held, 2) : ""};
    std::string line = "|";
    for (const std::string& cell : cells) line += " " + cell + " |";
    std::puts(line.c_str());
  }
}

constexpr i128 kUnit = i128{1} << 32;  // 1.0 in units of 2^-16 last places, for a model with 16 fraction bits

const std::vector<Choice>& choices() {
  static const std::vector<Choice> all{
      {"adaptive_clip", {{"start", 100 * kUnit}, {"rate", 858993459}, {"quantile", 5000}}},
      {"bucketing_krum", {{"size", 2}, {"f", 10}}},
      {"bucketing_median", {{"size", 2}}},
      {"bucketing_trimmed_mean", {{"size", 2}, {"cut", 10}}},
      {"bulyan", {{"f", 10}}},
      {"bulyan_one_shot", {{"f", 10}}},
      {"centred_clip", {{"bound", 100 * kUnit}, {"rounds", 3}}},
      {"contribution_ledger", bench::ledger_parameters(), kEvents},
      {"fedadagrad", {{"rate", kUnit / 10}, {"floor", kUnit / 1000}, {"keep_m", 0}}},
      {"fedadam", {{"rate", kUnit / 10}, {"floor", kUnit / 1000}, {"keep_m", 966367642}, {"keep_v", 1063004406}}},
      {"fedadam_corrected",
       {{"rate", kUnit / 10}, {"floor", kUnit / 1000}, {"keep_m", 966367642}, {"keep_v", 1063004406}}},
      {"fedavg", {}},
      {"fedavg_screened", {{"limit", 35}, {"newcomer", 1 << 29}, {"rise", 2}}},
      {"fedavg_trusted", {{"memory", 3}}},
      {"fedavg_weights", {}},
      {"fedavgm", {{"rate", i128{1} << 30}, {"momentum", 966367642}}},
      {"fedyogi", {{"rate", kUnit / 10}, {"floor", kUnit / 1000}, {"keep_m", 966367642}, {"keep_v", 1063004406}}},
      {"fltrust", {{"server", 0}}},
      {"geometric_median", {{"smoothing", 65536}, {"rounds", 3}}},
      {"krum", {{"f", 10}}},
      {"mean_near_median", {{"f", 10}}},
      {"median", {}},
      {"multi_krum", {{"f", 10}, {"keep", 50}}},
      {"multi_krum_weighted", {{"f", 10}, {"keep", 50}}},
      {"neighbour_mixing_krum", {{"f", 10}}},
      {"neighbour_mixing_median", {{"f", 10}}},
      {"neighbour_mixing_trimmed_mean", {{"f", 10}}},
      {"norm_clip", {{"bound", i128{1} << 30}}},
      {"sign_vote", {{"step", 65}}},
      {"trimmed_mean", {{"cut", 10}}},
      {"trimmed_mean_share", {{"share", 1000}}},
  };
  return all;
}

const bool kRegistered = [] {
  for (const Choice& choice : choices()) {
    benchmark::RegisterBenchmark(choice.name, program, choice)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(1);
  }
  return true;
}();

}  // namespace
}  // namespace tally::math

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  tally::math::print_table();
  return 0;
}
