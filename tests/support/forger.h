// What a poster can make of a valid batch before it commits to it, in its post, and behind its commitments: any element
// of any table, any part of any record, rows and states, roots, links, order, count and shape, keepers' signatures.
//
// Each kind changes something that matters, or says that it may not (Forgery::may_be_true).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/trial_world.h"

namespace tally::test {

/// Of a development key that nobody has registered.
inline constexpr std::uint64_t kStrangersKey = 3'000'000;

enum class ForgeryKind : std::uint8_t {
  // Data that are committed to.
  kElement,      // some bits of one byte of a table
  kOffByOne,     // one element
  kOtherData,    // a table is all zeros, or what another table or a state is
  kAdviceRange,  // an advice element out of its range
  kWithheld,     // an element, in a table that only the poster has
  kRecordByte,   // any byte of any record: address, member, nonce, row commitment, field, signature
  kMember,       // another member's number
  kExchanged,    // two records in the wrong order
  kDoubled,      // a record in the place of the one behind it
  kAdded,        // a record twice, K is one more
  kDropped,      // a record is left out, K is one less
  kStranger,     // a record signed by nobody's key
  kReplayed,     // a record signed for another batch, state or task
  kSecondForm,   // the other valid form of a signature
  kColluder,     // a member signs other fields or rows, and the tables stay
  // Data behind commitments: nobody has what was committed to.
  kRowBehind,
  kStateBehind,
  kAdviceBehind,
  kRecordBehind,
  // The post alone.
  kGarbageRoot,     // of a table
  kGarbageRecords,  // the records' root
  kOtherLeaves,     // the root of the same data in leaves of another size
  kLonger,          // the root of one element more
  kShorter,         // the root of one element less
  kRootsExchanged,
  kCount,  // K
  kRootCount,
  kState,
  kParent,
  kTask,
  kBond,
  // Keepers' signatures of the valid batch.
  kKeeperSignature,  // one by another key, over something else, in its second form, or of any other bytes
  kKeeperOrder,      // out of order, twice, or of a keeper that is not there
  kKeeperCount,      // one less, one more, or none; one where the task has no keepers
  kKeeperReplayed,   // those of the valid batch, for another
};

[[nodiscard]] std::span<const ForgeryKind> all_forgery_kinds();
[[nodiscard]] std::string_view to_string(ForgeryKind kind);

class Forger {
 public:
  /// The world outlives what this makes.
  Forger(const TrialWorld& world, std::uint64_t seed);

  /// Absent where the batch has nothing of the kind.
  [[nodiscard]] std::optional<Forgery> make(ForgeryKind kind);

 private:
  using Made = std::optional<Forgery>;
  using Path = std::filesystem::path;

  [[nodiscard]] Made element();
  [[nodiscard]] Made off_by_one();
  [[nodiscard]] Made other_data();
  [[nodiscard]] Made advice_range();
  [[nodiscard]] Made withheld();
  [[nodiscard]] Made record_byte();
  [[nodiscard]] Made member();
  [[nodiscard]] Made exchanged();
  [[nodiscard]] Made doubled();
  [[nodiscard]] Made added();
  [[nodiscard]] Made dropped();
  [[nodiscard]] Made stranger();
  [[nodiscard]] Made replayed();
  [[nodiscard]] Made second_form();
  [[nodiscard]] Made colluder();
  [[nodiscard]] Made behind(const std::vector<Path>& files);
  [[nodiscard]] Made garbage_root();
  [[nodiscard]] Made garbage_records();
  [[nodiscard]] Made root_of(std::string name, std::size_t table, const math::Digest& root);
  [[nodiscard]] Made other_leaves();
  [[nodiscard]] Made longer();
  [[nodiscard]] Made shorter();
  [[nodiscard]] Made roots_exchanged();
  [[nodiscard]] Made count();
  [[nodiscard]] Made root_count();
  [[nodiscard]] Made state();
  [[nodiscard]] Made parent();
  [[nodiscard]] Made task();
  [[nodiscard]] Made bond();
  [[nodiscard]] Made keeper_signature();
  [[nodiscard]] Made keeper_order();
  [[nodiscard]] Made keeper_count();
  [[nodiscard]] Made keeper_replayed();

  [[nodiscard]] std::uint64_t below(std::uint64_t count);
  [[nodiscard]] std::uint64_t records() const { return x_world.values().dims.front(); }
  [[nodiscard]] const math::Program& program() const { return x_world.program().program; }
  /// The valid batch as the world's poster posts it.
  [[nodiscard]] proof::BatchId valid_id() const;
  [[nodiscard]] Path file_of(math::ObjectId id) const;
  [[nodiscard]] std::vector<std::uint8_t> data_of(math::ObjectId id) const;
  [[nodiscard]] std::vector<math::ObjectId> tables(bool only_computed = false) const;  // that are not empty
  [[nodiscard]] std::vector<Path> row_files() const;
  [[nodiscard]] std::vector<Path> files_of(math::ObjectKind kind) const;
  /// Of a record that is changed, and signed again where the context says so.
  using Change = std::function<void(proof::Record&, const Path& directory)>;
  [[nodiscard]] Forgery changed_record(std::string name, std::uint64_t k, Change change) const;
  /// As K records of the valid batch in this order.
  [[nodiscard]] Forgery reordered(std::string name, std::vector<std::uint64_t> order) const;

  const TrialWorld& x_world;
  chain::BatchPaths x_valid;
  std::mt19937_64 x_random;
};

/// n - s, with the other v: the same signer by the mathematics of the curve, and no signature by Ethereum's rules.
void take_second_form(proof::Signature& signature);

}  // namespace tally::test
