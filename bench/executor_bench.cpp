// The executor and the hints beside what they must keep up with, each pair in one run and with answers compared.
//
// FedAvg:  bytes of rows folded a second, beside plain reading of the same memory by as many threads.
// Median:  hints and check fold of every column, beside std::nth_element (and the largest below it: 32 values have two
// in
//          the middle) on every column; one thread each.
// Krum:    exact squared distances of all pairs, beside float squaredNorm() of differences by Eigen; one thread each.
#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <iterator>
#include <random>
#include <string>

#include "deterministic_math/executor/executor.h"
#include "deterministic_math/executor/fusion.h"
#include "deterministic_math/executor/task_pool.h"
#include "deterministic_math/language/compile.h"
#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/programs/program_library.h"

namespace tally::math {
namespace {

double seconds_of(const auto& function) {
  const auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Processor time, for what runs on one thread: other work on the machine takes none of it.
double cpu_seconds_of(const auto& function) {
  const std::clock_t start = std::clock();
  function();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

double best_cpu_seconds(int runs, const auto& function) {
  double best = cpu_seconds_of(function);
  for (int i = 1; i < runs; ++i) best = std::min(best, cpu_seconds_of(function));
  return best;
}

// One row object of i32 in memory, record after record.
class MemoryRows final : public RowSource {
 public:
  MemoryRows(std::size_t records, std::size_t length, Range range) : x_length(length), x_values(records * length) {
    std::mt19937_64 rng(7);
    std::uniform_int_distribution<std::int32_t> pick(static_cast<std::int32_t>(range.lo),
                                                     static_cast<std::int32_t>(range.hi));
    for (std::int32_t& value : x_values) value = pick(rng);
  }
  std::span<const std::byte> view(ObjectId, std::uint64_t record, std::uint64_t first, std::size_t count,
                                  std::span<std::byte>) override {
    return std::as_bytes(std::span(x_values).subspan(record * x_length + first, count));
  }
  [[nodiscard]] std::span<const std::int32_t> row(std::size_t record) const {
    return std::span(x_values).subspan(record * x_length, x_length);
  }
  [[nodiscard]] std::span<const std::int32_t> values() const { return x_values; }

 private:
  std::size_t x_length;
  std::vector<std::int32_t> x_values;
};

// A compiled rule with memory for its tables.
class Rule final : public EntrySink {
 public:
  Rule(const std::string& name, const std::map<std::string, i128>& parameters, MemoryRows& rows, std::size_t records,
       std::size_t length) {
    const auto text = find_library_program(name);
    TALLY_ASSERT(text.has_value());
    auto result = compile(text->text, {.file_name = name, .parameters = parameters, .template_library = {}});
    if (!result) std::fputs(result.error().listing.c_str(), stderr);
    TALLY_ASSERT(result.has_value());
    compiled = *std::move(result);
    values.dims = {records, length};
    const Program& program = compiled.program;
    inputs.fields.resize(program.objects.size());
    inputs.tables.resize(program.objects.size());
    x_tables.resize(program.objects.size());
    x_members.assign(records, 0);
    inputs.members = x_members;
    inputs.nonces = x_members;
    x_examples.resize(records);
    for (std::size_t k = 0; k < records; ++k) x_examples[k] = static_cast<std::int64_t>(1 + 37 * k % 1000);
    for (ObjectId id = kNonceObject + 1; id < program.objects.size(); ++id) {
      const Object& object = program.objects[id];
      if (object.kind == ObjectKind::kField) inputs.fields[id] = x_examples;
      if (object.kind == ObjectKind::kField || object.kind == ObjectKind::kRow) continue;
      x_tables[id].resize(element_count(object.extents, values) * element_bytes(object.type));
      inputs.tables[id] = x_tables[id];
    }
    inputs.rows = &rows;
  }

  void accept(const EntryBlock& block) override {
    for (std::uint8_t failed : block.failed) TALLY_ASSERT(failed == 0);
    for (std::size_t c = 0; c < block.columns.size(); ++c) {
      const ObjectId id = compiled.program.items[block.item].results[c];
      const std::size_t width = element_bytes(compiled.program.objects[id].type);
      std::memcpy(x_tables[id].data() + block.first * width, block.columns[c].data(), block.columns[c].size());
    }
  }

  [[nodiscard]] std::size_t item(const std::string& name) const {
    const auto& names = compiled.names.items;
    return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
  }

  void run(const std::string& name, TaskPool& pool) {
    const std::size_t number = item(name);
    run(number, {.first = 0, .count = element_count(compiled.program.items[number].extents, values)}, pool);
  }

  void run(std::size_t number, const EvaluateOptions& part, TaskPool& pool) {
    evaluate(compiled.program, values, inputs, number, part, pool, *this);
  }

  // Hints of i32 advice that share keys.
  void run_hints(const std::vector<std::string>& names, const EvaluateOptions& part, TaskPool& pool) {
    std::vector<const Hint*> hints;
    std::vector<std::span<std::byte>> outs;
    for (const std::string& name : names) {
      const auto hint = std::ranges::find(compiled.hints, item(name), &Hint::item);
      hints.push_back(&*hint);
      outs.push_back(std::span(x_tables[compiled.program.items[hint->item].results[0]])
                         .subspan(part.first * sizeof(std::int32_t), part.count * sizeof(std::int32_t)));
    }
    evaluate_hints(compiled.program, hints, values, inputs, part.first, part.count, pool, outs);
  }

  template <class T>
  [[nodiscard]] std::vector<T> table(const std::string& name) const {
    const std::vector<std::byte>& bytes = x_tables[compiled.program.items[item(name)].results[0]];
    std::vector<T> result(bytes.size() / sizeof(T));
    std::memcpy(result.data(), bytes.data(), bytes.size());
    return result;
  }

  CompiledProgram compiled;
  BatchValues values;
  Inputs inputs;

 private:
  std::vector<std::vector<std::byte>> x_tables;
  std::vector<std::uint64_t> x_members;
  std::vector<std::int64_t> x_examples;
};

constexpr Range kFull = type_range(ElementType::kI32);
constexpr std::size_t kLength = std::size_t{1} << 20;

void fedavg(benchmark::State& state) {
  constexpr std::size_t kRecords = 100;
  const auto threads = static_cast<unsigned>(state.range(0));
  MemoryRows rows(kRecords, kLength, kFull);
  Rule rule("fedavg", {}, rows, kRecords, kLength);
  ThreadPool pool(threads);
  rule.run("total", pool);
  std::vector<std::int64_t> sums(threads);
  const auto read = [&] {
    pool.run(threads, [&](std::size_t task) {
      const std::size_t share = rows.values().size() / threads;
      const std::int32_t* const values = rows.values().data() + task * share;
      std::uint32_t sum = 0;
      for (std::size_t i = 0; i < share; ++i) sum += static_cast<std::uint32_t>(values[i]);
      sums[task] = sum;
    });
    benchmark::DoNotOptimize(sums.data());
  };
  double read_s = 1e9;
  double fold_s = 1e9;
  for (auto _ : state) {
    read_s = std::min(read_s, seconds_of(read));
    const double seconds = seconds_of([&] { rule.run("next_model", pool); });
    fold_s = std::min(fold_s, seconds);
    state.SetIterationTime(seconds);
  }
  const std::vector<std::int32_t> model = rule.table<std::int32_t>("next_model");
  std::int64_t total = 0;
  for (std::size_t k = 0; k < kRecords; ++k) total += static_cast<std::int64_t>(1 + 37 * k % 1000);
  for (std::size_t d = 0; d < kLength; d += 1009) {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k < kRecords; ++k) {
      sum += std::int64_t{rows.row(k)[d]} * static_cast<std::int64_t>(1 + 37 * k % 1000);
    }
    // The mean is within 1 of floor(sum / total), and the rounding rule is tested elsewhere.
    TALLY_ASSERT(std::abs(static_cast<double>(model[d]) - static_cast<double>(sum) / static_cast<double>(total)) <=
                 0.5);
  }
  const double bytes = static_cast<double>(rows.values().size_bytes());
  state.counters["fold_GB/s"] = bytes / fold_s / 1e9;
  state.counters["read_GB/s"] = bytes / read_s / 1e9;
  state.counters["share_of_read"] = read_s / fold_s;
}
BENCHMARK(fedavg)->Arg(1)->Arg(2)->UseManualTime()->Unit(benchmark::kMillisecond);

void median(benchmark::State& state) {
  constexpr std::size_t kRecords = 32;
  MemoryRows rows(kRecords, kLength, kFull);
  Rule rule("median", {}, rows, kRecords, kLength);
  ThreadPool pool(1);
  std::vector<std::int32_t> lower(kLength);
  std::vector<std::int32_t> upper(kLength);
  const double nth_s = best_cpu_seconds(3, [&] {
    std::array<std::int32_t, kRecords> column{};
    for (std::size_t d = 0; d < kLength; ++d) {
      for (std::size_t k = 0; k < kRecords; ++k) column[k] = rows.row(k)[d];
      std::ranges::nth_element(column, column.begin() + kRecords / 2);
      upper[d] = column[kRecords / 2];
      lower[d] = *std::max_element(column.begin(), column.begin() + kRecords / 2);
    }
  });
  double hint_s = 1e9;
  double check_s = 1e9;
  for (auto _ : state) {
    // As a batch is built: fused items a part at a time, so that the check finds the rows in cache.
    double hints = 0;
    double check = 0;
    for (std::uint64_t first = 0; first < kLength; first += kFusedEntries) {
      const EvaluateOptions part{.first = first, .count = std::min<std::uint64_t>(kFusedEntries, kLength - first)};
      hints += cpu_seconds_of([&] { rule.run_hints({"lower", "upper"}, part, pool); });
      check += cpu_seconds_of([&] { rule.run(rule.item("next_model"), part, pool); });
    }
    if (hints + check < hint_s + check_s) {
      hint_s = hints;
      check_s = check;
    }
    state.SetIterationTime(hints + check);
  }
  TALLY_ASSERT(fused_end(rule.compiled, rule.item("lower")) == rule.compiled.program.items.size());
  TALLY_ASSERT(rule.table<std::int32_t>("lower") == lower && rule.table<std::int32_t>("upper") == upper);
  const double ns = 1e9 / static_cast<double>(kLength);
  state.counters["nth_ns"] = nth_s * ns;
  state.counters["hints_ns"] = hint_s * ns;
  state.counters["check_ns"] = check_s * ns;
  state.counters["times_nth"] = nth_s / (hint_s + check_s);
}
BENCHMARK(median)->UseManualTime()->Unit(benchmark::kMillisecond);

void krum(benchmark::State& state) {
  const auto records = static_cast<std::size_t>(state.range(0));
  MemoryRows rows(records, kLength, kFull);
  Rule rule("krum", {{"f", 1}}, rows, records, kLength);
  ThreadPool pool(1);
  Eigen::MatrixXf floats(kLength, records);
  for (std::size_t k = 0; k < records; ++k) {
    for (std::size_t d = 0; d < kLength; ++d) {
      floats(static_cast<Eigen::Index>(d), static_cast<Eigen::Index>(k)) = static_cast<float>(rows.row(k)[d]);
    }
  }
  // A sample of the pairs, each with all of the rows' columns, in the order of a plain loop over pairs.
  std::size_t pairs = 0;
  double sum = 0;
  const double eigen_s = cpu_seconds_of([&] {
    for (Eigen::Index i = 0; i < floats.cols(); i += 10) {
      for (Eigen::Index j = i + 1; j < floats.cols(); ++j) {
        sum += static_cast<double>((floats.col(i) - floats.col(j)).squaredNorm());
        ++pairs;
      }
    }
  });
  benchmark::DoNotOptimize(sum);
  double exact_s = 1e9;
  for (auto _ : state) {
    const double seconds = cpu_seconds_of([&] { rule.run("distance", pool); });
    exact_s = std::min(exact_s, seconds);
    state.SetIterationTime(seconds);
  }
  const std::vector<i128> distance = rule.table<i128>("distance");
  for (const auto& [i, j] : {std::pair<std::size_t, std::size_t>{0, 1}, {3, records - 1}, {records - 2, records - 1}}) {
    u128 exact = 0;
    for (std::size_t d = 0; d < kLength; ++d) {
      const std::int64_t difference = std::int64_t{rows.row(i)[d]} - rows.row(j)[d];
      exact += static_cast<u128>(static_cast<i128>(difference) * difference);
    }
    TALLY_ASSERT(distance[i * records + j] == static_cast<i128>(exact));
  }
  const double exact_pair = exact_s / (static_cast<double>(records * (records - 1)) / 2);
  state.counters["eigen_us_pair"] = eigen_s / static_cast<double>(pairs) * 1e6;
  state.counters["exact_us_pair"] = exact_pair * 1e6;
  state.counters["share_of_eigen"] = eigen_s / static_cast<double>(pairs) / exact_pair;
}
BENCHMARK(krum)->Arg(100)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace tally::math
