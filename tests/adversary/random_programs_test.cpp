// The main property over random programs: a batch of random data is valid, and judged so; with anything in its tables
// changed, or data or roots that nothing is behind, the watchtower wins on chain. The directories have neither names
// nor texts, as programs of strangers need not.
//
// TALLY_FORGERIES (./dev soak) gives the number of changes, ten for each.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "chain_adapter/chain/open_disputes.h"
#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/keys/development_keys.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/settlement/posting.h"
#include "tests/support/dispute_world.h"
#include "tests/support/memory_folder.h"
#include "tests/support/posted_batch.h"
#include "tests/support/settlement_world.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_batch.h"
#include "tests/support/wanted_count.h"
#include "verifier/challenger/played_batch.h"

namespace tally::test {
namespace {

namespace fs = std::filesystem;
using math::ObjectId;
using math::ObjectKind;

constexpr std::uint64_t kMembers = 4;

std::vector<std::uint8_t> bytes_of(std::span<const std::byte> data) {
  std::vector<std::uint8_t> bytes(data.size());
  std::ranges::transform(data, bytes.begin(), [](std::byte byte) { return static_cast<std::uint8_t>(byte); });
  return bytes;
}

/// Whether every entry is its fold, and advice within its range.
bool is_true(const math::Program& program, RandomBatch& data) {
  const math::Evaluation evaluation{program, data.values(), data.inputs()};
  for (std::size_t index = 0; index < program.items.size(); ++index) {
    const math::Item& item = program.items[index];
    for (std::uint64_t entry = 0; entry < math::element_count(item.extents, data.values()); ++entry) {
      const auto value = [&](ObjectId id) {
        return math::read_element(data.inputs().tables[id], program.objects[id].type, entry);
      };
      if (item.kind == math::ItemKind::kAdvice &&
          !program.objects[item.results[0]].range.contains(value(item.results[0])))
        return false;
      if (!item.body) continue;
      const auto right = math::evaluate_entry(evaluation, index, entry);
      if (!right) return false;
      for (std::size_t c = 0; item.kind == math::ItemKind::kTable && c < item.results.size(); ++c) {
        if (value(item.results[c]) != (*right)[c]) return false;
      }
    }
  }
  return true;
}

/// A task with a random program; throws where the chain takes none such.
class RandomTrials {
 public:
  explicit RandomTrials(std::uint64_t seed)
      : x_rng(seed), x_watcher(chain::development_key(0)), x_folder(memory_folder()), x_world(options(x_rng, seed)) {
    x_world.chain().give(x_watcher.address(), {static_cast<math::u128>(100'000) * 1'000'000'000'000'000'000});
    x_world.chain().mine(2);
    static_cast<void>(x_world.send(x_world.other(), proof::SealSeed{.task = x_world.task()}));
    const math::Dim& dim = x_world.program().dims.front();
    if (dim.lo > kMembers) throw std::runtime_error("too many records");
    x_records = pick(x_rng, dim.lo, std::min(dim.hi, kMembers));
  }

  [[nodiscard]] bool has_keepers() const {
    return std::holds_alternative<proof::KeeperQuorum>(x_world.settings().availability);
  }
  [[nodiscard]] std::uint64_t records() const { return x_records; }
  /// Batches lost although the poster answered all that was asked.
  [[nodiscard]] std::uint64_t disproved() const { return x_disproved; }

  enum class Outcome : std::uint8_t { kTrue, kLost, kWrong, kNone };

  /// A valid batch, or one in which something is changed; each seed another. kNone: an entry is FAIL, or it is posted.
  [[nodiscard]] Outcome run(std::uint64_t seed, bool forged) {
    bool holds = true;
    const auto change = [&](RandomBatch& data) {
      if (forged) alter(data);
      holds = is_true(x_world.program(), data);
    };
    std::optional<WorldBatch> batch;
    try {
      batch.emplace(x_world.make_batch({.records = x_records, .random_seed = seed, .alter = change}));
    } catch (const std::runtime_error&) {
      return Outcome::kNone;
    }
    std::set<ObjectId> garbage;
    if (forged && holds) garbage = change_roots(*batch);
    if (has_keepers()) sign_as_keepers(*batch);
    const auto posted = x_world.post(*batch);
    if (!posted) return posted.error().reason == proof::Reason::kBatchExists ? Outcome::kNone : Outcome::kWrong;
    const auto event = std::get<proof::Posted>(posted->events.front());
    write(*batch, event.batch, garbage);
    return play(event, holds && garbage.empty(), garbage.empty() && pick(x_rng, 0, 3) > 0);
  }

 private:
  static SettlementWorldOptions options(Rng& rng, std::uint64_t seed) {
    SettlementWorldOptions options{
        .program = random_program(rng, {.max_items = 6, .max_records = 8, .max_parameters = 12}),
        .dims = {},
        .members = kMembers,
        .random_seed = seed};
    for (std::size_t i = 1; i < options.program.dims.size(); ++i) {
      const math::Dim& dim = options.program.dims[i];
      const std::uint64_t least = dim.role == math::DimRole::kMembers ? std::max(dim.lo, kMembers) : dim.lo;
      options.dims.push_back(std::min(dim.hi, pick(rng, least, std::max<std::uint64_t>(least, 9))));
    }
    constexpr std::array<std::uint16_t, 5> kArities = {2, 3, 5, 32, 64};
    options.settings.arity = kArities[pick(rng, 0, kArities.size() - 1)];
    if (seed % 3 == 0) {
      proof::KeeperQuorum quorum{.threshold = 2};
      for (const proof::PrivateKey& keeper : keepers()) quorum.keepers.push_back(keeper.address());
      options.settings.availability = std::move(quorum);
    }
    return options;
  }

  [[nodiscard]] static std::vector<proof::PrivateKey> keepers() {
    std::vector<proof::PrivateKey> keys;
    for (std::uint8_t i = 0; i < 3; ++i) keys.push_back(small_key(static_cast<std::uint8_t>(40 + i)));
    std::ranges::sort(keys, {}, &proof::PrivateKey::address);
    return keys;
  }

  void sign_as_keepers(WorldBatch& batch) {
    const proof::TaskPreimage task = proof::read_task(x_world.state(), x_world.task()).value().preimage;
    const auto header = proof::make_header(task, x_world.program(), {.state = task.genesis_root}, batch.post(),
                                           x_world.poster().address());
    if (!header) return;  // the chain says why
    const proof::Digest message = proof::keeper_message(proof::batch_id(*header));
    const std::vector<proof::PrivateKey> all = keepers();
    for (const std::uint16_t i : {std::uint16_t{0}, std::uint16_t{2}}) {
      batch.post().keepers.push_back({.position = i, .signature = proof::sign(all[i], message.bytes)});
    }
  }

  /// Some bits of one byte of some table.
  void alter(RandomBatch& data) {
    std::vector<ObjectId> tables = proof::table_objects(x_world.program());
    std::erase_if(tables, [&](ObjectId id) { return data.table(id).empty(); });
    if (tables.empty()) return;
    std::vector<std::byte>& bytes = data.table(tables[pick(x_rng, 0, tables.size() - 1)]);
    bytes[pick(x_rng, 0, bytes.size() - 1)] ^= static_cast<std::byte>(pick(x_rng, 1, 255));
  }

  /// Of one table that is not empty, if there is one; where there are keepers, not of their inputs.
  [[nodiscard]] std::set<ObjectId> change_roots(WorldBatch& batch) {
    const std::vector<ObjectId> tables = proof::table_objects(x_world.program());
    for (std::size_t i = 0; i < tables.size(); ++i) {
      if (batch.data().table(tables[i]).empty()) continue;
      if (has_keepers() && x_world.program().objects[tables[i]].kind == ObjectKind::kAdvice) continue;
      batch.post().table_roots[i].bytes[pick(x_rng, 0, 31)] ^= 1;
      return {tables[i]};
    }
    return {};
  }

  [[nodiscard]] fs::path directory(const proof::BatchId& id) const { return x_folder.path() / "data" / to_hex(id); }

  /// As a poster would, without names; what nothing is behind is left out.
  void write(WorldBatch& batch, const proof::BatchId& id, const std::set<ObjectId>& garbage) {
    const chain::BatchPaths paths(directory(id));
    const math::Program& program = x_world.program();
    for (const std::string_view part : {"rows", "state", "tables"}) fs::create_directories(directory(id) / part);
    std::vector<std::uint8_t> records;
    for (std::uint32_t k = 0; k < x_records; ++k) {
      const auto leaf = batch.committed().leaf({.object = math::kMemberObject, .record = k, .leaf = 0});
      records.insert(records.end(), leaf.bytes.begin(), leaf.bytes.end());
    }
    write_bytes(paths.file(chain::kRecordsFile), records);
    for (ObjectId object = 0; object < program.objects.size(); ++object) {
      const std::string name = "object_" + std::to_string(object);
      const std::vector<std::uint8_t> bytes = bytes_of(batch.data().table(object));
      if (program.objects[object].kind == ObjectKind::kState) write_bytes(paths.state(name), bytes);
      if (program.objects[object].kind >= ObjectKind::kAdvice && !garbage.contains(object))
        write_bytes(paths.table(name), bytes);
      if (program.objects[object].kind != ObjectKind::kRow) continue;
      fs::create_directories(paths.row_folder(name));
      const std::size_t width = bytes.size() / std::max<std::uint64_t>(x_records, 1);
      for (std::uint64_t k = 0; k < x_records; ++k) {
        const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(k * width);
        write_bytes(paths.row(name, k), {first, first + static_cast<std::ptrdiff_t>(width)});
      }
    }
  }

  [[nodiscard]] verifier::WatchReport watch() {
    verifier::WatchSettings settings;
    settings.data = {x_folder.path() / "data"};
    settings.memory = x_folder.path() / "watchtower.sqlite";
    settings.pool = &x_pool;
    settings.tasks = {x_world.task()};
    return verifier::watch_once(x_world.chain(), x_watcher, settings);
  }

  /// What the poster's data say, in each game that waits for it.
  void answer(const proof::Posted& posted) {
    const auto task = proof::read_task(x_world.state(), x_world.task()).value();
    verifier::PlayedBatch data(
        {.posted = posted,
         .task = task.preimage,
         .bytecode = proof::read_program(x_world.state(), task.preimage.program_hash).value().bytecode},
        chain::BatchPaths(directory(posted.batch)), {}, {});
    chain::OpenDisputes open;
    for (const chain::LoggedEvent& logged : x_world.chain().events(0, 1'000'000)) open.apply(logged);
    for (const auto& [id, game] : open.games()) {
      if (game.batch != posted.batch || proof::to_move(game.phase) != proof::Side::kPoster) continue;
      const auto moved =
          x_world.send(x_world.poster(), proof::MakeMove{.header = posted.header,
                                                         .game = game,
                                                         .move = poster_answer(data, game, x_world.settings().arity)});
      if (!moved) throw std::logic_error(moved.error().message);
    }
  }

  [[nodiscard]] Outcome play(const proof::Posted& posted, bool holds, bool answers) {
    const auto status = [&] { return proof::batch_status(x_world.state(), x_world.task(), posted.batch).value(); };
    const proof::Wei before = x_world.chain().balance(x_watcher.address());
    for (int turn = 0; turn < 40 && status() == proof::BatchStatus::kPending; ++turn) {
      const verifier::WatchReport report = watch();
      if (holds) return sent(report.events) == 0 ? Outcome::kTrue : Outcome::kWrong;
      if (answers && status() == proof::BatchStatus::kPending) {
        answer(posted);
      } else {
        x_world.chain().advance(quick_settings().game_clock_s + 1);
      }
    }
    static_cast<void>(watch());  // takes what was won
    const bool won = status() == proof::BatchStatus::kInvalid && before < x_world.chain().balance(x_watcher.address());
    if (won && answers) ++x_disproved;
    return won ? Outcome::kLost : Outcome::kWrong;
  }

  Rng x_rng;
  proof::PrivateKey x_watcher;
  math::ThreadPool x_pool{1};
  TemporaryFolder x_folder;
  SettlementWorld x_world;
  std::uint64_t x_records = 0;
  std::uint64_t x_disproved = 0;
};

std::uint64_t number_of_changes() { return 10 * wanted_count("TALLY_FORGERIES", 10); }

TEST(RandomPrograms, have_forged_batches_lost_and_valid_ones_left_alone) {
  std::uint64_t lost = 0;
  std::uint64_t valid = 0;
  std::uint64_t programs = 0;
  std::uint64_t disproved = 0;
  std::uint64_t lost_with_keepers = 0;
  std::uint64_t lost_without_records = 0;
  for (std::uint64_t seed = 1; lost < number_of_changes() && seed < 100 * number_of_changes(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::optional<RandomTrials> trials;
    try {
      trials.emplace(seed);
    } catch (const std::runtime_error&) {
      continue;  // no task for this program
    }
    // Most random programs FAIL somewhere in most batches.
    const auto first = trials->run(seed, false);
    if (first == RandomTrials::Outcome::kNone) continue;
    ASSERT_EQ(first, RandomTrials::Outcome::kTrue);
    ++programs;
    for (std::uint64_t change = 0; change < 5; ++change) {
      const auto outcome = trials->run(1000 * seed + change, change > 0);
      ASSERT_NE(outcome, RandomTrials::Outcome::kWrong) << "change " << change;
      if (outcome == RandomTrials::Outcome::kLost) {
        ++lost;
        if (trials->has_keepers()) ++lost_with_keepers;
        if (trials->records() == 0) ++lost_without_records;
      }
      if (outcome == RandomTrials::Outcome::kTrue) ++valid;
    }
    disproved += trials->disproved();
  }
  EXPECT_GE(lost, number_of_changes());
  EXPECT_GE(disproved, lost / 3);
  EXPECT_GE(lost_with_keepers, lost / 5);
  EXPECT_GE(lost_without_records, lost / 20);
  std::printf("%lu programs, %lu batches lost, %lu of them by proof, %lu with keepers, %lu without records, %lu true\n",
              programs, lost, disproved, lost_with_keepers, lost_without_records, valid);
}

}  // namespace
}  // namespace tally::test
