// The main property of DESIGN section 6 at small scale: flip any byte that matters anywhere in a valid batch and commit
// to that, and an honest watchtower wins on chain; leave it valid, and it never moves. On a real chain, through the
// watchtower and the defender as processes run them, a new watchtower for each turn.
//
// TALLY_MUTATIONS says how many tens of changes are made to each program (./dev soak); a few by default.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "tests/support/dispute_world.h"
#include "tests/support/everything_program.h"
#include "tests/support/test_batch.h"
#include "tests/support/wanted_count.h"

namespace tally::verifier {
namespace {

namespace fs = std::filesystem;
using test::DisputedBatch;
using test::DisputeWorld;
using test::told;

struct Mutation {
  std::string name;
  test::Cheat cheat{};
  /// Changes what the watchtower is given.
  std::function<void(const DisputedBatch&)> withhold{};
};

class Mutator {
 public:
  Mutator(const math::CompiledProgram& program, std::uint64_t seed) : x_program(program), x_random(seed) {}

  [[nodiscard]] Mutation any() {
    Mutation mutation;
    switch (below(6)) {
      case 0:
      case 1:
        mutation = element_of_a_table();
        break;
      case 2:
        mutation = byte_of_the_records();
        break;
      case 3:
        mutation = records_out_of_order();
        break;
      case 4:
        mutation = byte_of("rows");
        break;
      default:
        mutation = byte_of("state");
        break;
    }
    if (!mutation.withhold && below(3) == 0) mutation.withhold = withhold_tables();
    return mutation;
  }

  [[nodiscard]] Mutation none() {
    Mutation mutation{.name = "nothing"};
    if (below(2) == 0) mutation.withhold = withhold_tables();
    return mutation;
  }

 private:
  [[nodiscard]] std::uint64_t below(std::uint64_t count) {
    return std::uniform_int_distribution<std::uint64_t>(0, count - 1)(x_random);
  }

  /// Some bits of one byte.
  [[nodiscard]] static test::Cheat flip(const fs::path& file, std::uint64_t place, std::uint64_t bits) {
    return [=](const fs::path& directory) {
      const std::vector<std::uint8_t> bytes = test::read_bytes(directory / file);
      const std::size_t at = place % bytes.size();
      test::write_byte(directory / file, at, static_cast<std::uint8_t>(bytes[at] ^ (1 + bits % 255)));
    };
  }

  [[nodiscard]] Mutation element_of_a_table() {
    const std::vector<math::ObjectId> tables = proof::table_objects(x_program.program);
    const std::string name = x_program.names.objects[tables[below(tables.size())]];
    const fs::path file = fs::path("tables") / (name + ".bin");
    return {.name = "a byte of " + name, .cheat = flip(file, x_random(), x_random())};
  }
  [[nodiscard]] Mutation byte_of_the_records() {
    return {.name = "a byte of the records", .cheat = flip("records.bin", x_random(), x_random())};
  }
  [[nodiscard]] Mutation records_out_of_order() {
    const bool doubled = below(2) == 0;
    const std::size_t width = proof::record_shape(x_program.program).record_bytes();
    return {.name = doubled ? "a record doubled" : "two records exchanged", .cheat = [=](const fs::path& directory) {
              std::vector<std::uint8_t> records = test::read_bytes(directory / "records.bin");
              const auto second = records.begin() + static_cast<std::ptrdiff_t>(width);
              if (doubled) {
                std::copy_n(records.begin(), width, second);
              } else {
                std::swap_ranges(records.begin(), second, second);
              }
              test::write_bytes(directory / "records.bin", records);
            }};
  }
  /// Of the data behind a commitment that stays, wherever there is a copy: nobody can open it.
  [[nodiscard]] Mutation byte_of(const std::string& folder) {
    const std::uint64_t which = x_random();
    const std::uint64_t place = x_random();
    const std::uint64_t bits = x_random();
    return {.name = "a byte in " + folder, .withhold = [=](const DisputedBatch& batch) {
              std::vector<fs::path> files;
              for (const fs::directory_entry& entry : fs::recursive_directory_iterator(batch.poster / folder)) {
                if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), batch.poster));
              }
              std::ranges::sort(files);
              const test::Cheat damage = flip(files.at(which % files.size()), place, bits);
              damage(batch.poster);
              damage(batch.watcher);
            }};
  }
  [[nodiscard]] std::function<void(const DisputedBatch&)> withhold_tables() {
    const math::Program& program = x_program.program;
    std::vector<std::string> withheld;
    for (const math::ObjectId id : proof::objects_of(program, math::ObjectKind::kComputed)) {
      if (below(2) == 0) withheld.push_back(x_program.names.objects[id]);
    }
    return [withheld](const DisputedBatch& batch) {
      for (const std::string& table : withheld) fs::remove(chain::BatchPaths(batch.watcher).table(table));
    };
  }

  const math::CompiledProgram& x_program;
  std::mt19937_64 x_random;
};

struct Case {
  std::string program;
  std::vector<std::uint64_t> dims;
};

class MainProperty : public testing::TestWithParam<Case> {};

TEST_P(MainProperty, every_change_that_matters_loses_and_a_valid_batch_is_left_alone) {
  const std::uint64_t seed = 20'261'121;
  std::size_t lost = 0;
  std::map<proof::LossCause, std::size_t> causes;
  // A chain for some mutations at a time: each run looks at every open batch.
  constexpr std::uint64_t kPerWorld = 10;
  const std::uint64_t mutations = kPerWorld * test::wanted_count("TALLY_MUTATIONS", test::on_evm() ? 2 : 9);
  for (std::uint64_t first = 0; first < mutations; first += kPerWorld) {
    DisputeWorld world({.program = GetParam().program, .dims = GetParam().dims, .members = 3, .change = {}});
    Mutator mutator(world.program(), seed + first);
    for (std::uint64_t number = first; number < first + kPerWorld; ++number) {
      const bool valid = number % 5 == 4;
      const Mutation mutation = valid ? mutator.none() : mutator.any();
      SCOPED_TRACE(mutation.name + ", number " + std::to_string(number));
      const DisputedBatch batch = world.post(mutation.cheat, number + 1);
      if (mutation.withhold) mutation.withhold(batch);
      const proof::Wei before = world.watcher_owns();
      const std::vector<WatchEvent> events = valid ? world.play() : world.play_to_the_end(batch);
      if (valid) {
        ASSERT_EQ(world.status(batch), proof::BatchStatus::kPending) << told(events);
        ASSERT_EQ(world.watcher_owns(), before) << told(events);
        ASSERT_EQ(test::sent(events), 0U) << told(events);
        continue;
      }
      ASSERT_EQ(world.status(batch), proof::BatchStatus::kInvalid) << told(events);
      ASSERT_GT(world.watcher_owns(), before) << told(events);
      ++causes[world.cause_of_loss(batch).value()];
      ++lost;
    }
  }
  EXPECT_EQ(lost, mutations * 4 / 5);
  EXPECT_GE(causes.size(), 4U);
}

INSTANTIATE_TEST_SUITE_P(Programs, MainProperty,
                         testing::Values(Case{.program = "fedavg", .dims = {40}},
                                         Case{.program = "median", .dims = {9}},
                                         Case{.program = std::string(test::kEverything), .dims = {9}}),
                         [](const auto& one) {
                           return one.param.program.size() > 20 ? std::string("everything") : one.param.program;
                         });

}  // namespace
}  // namespace tally::verifier
