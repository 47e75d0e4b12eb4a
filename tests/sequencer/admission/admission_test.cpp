#include "sequencer/admission/admission.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

#include "sequencer/admission/program_refusals.h"
#include "tests/sequencer/poster/chained_rounds.h"
#include "tests/support/temporary_folder.h"

namespace tally::sequencer {
namespace {

using test::ChainedRounds;
using test::TemporaryFolder;

// The last of a member's records with each kind counts; `refused_sum_of_rows` needs rows, which nobody asks for here.
constexpr const char* kLog = R"(
program log
dim K in 0..8
dim M in 1..8
dim D <= 64
record kind: i64 in 0..9
record kind_of: i64 in 0..9
row u: i32[D]
state least: i64 in 5..5
fn repeated(k) = k > 0 and member[k] == member[k - 1] and kind[k] == kind[k - 1]
advice order[i in K]: i32 in 0..7 hint perm(k in K: kind[k]) {
  require order[i] < K and (i == 0 or kind[order[i - 1]] * 8 + order[i - 1] < kind[order[i]] * 8 + order[i])
}
table first[k in K]: i8 in 0..1 { return order[0] == k }
table refused_kind[k in K]: i8 in 0..1, refused_kind_of_least: i8 in 0..1, refused_member_repeats: i8 in 0..1 {
  return kind[k] == 9, kind_of[k] < least, repeated(k)
}
table refused_first[k in K]: i8 in 0..1 { return first[k] == 1 and kind[k] == 8 }
table refused_sum_of_rows[k in K]: i8 in 0..1 { fold d in D { s = max(s, u[k, d] != 0) } from s = 0  return s }
table next_least: i64 in 5..5 { return least }
next least = next_least
)";

class Admitting : public testing::Test {
 protected:
  explicit Admitting(test::RoundOptions options = {.program = kLog, .dims = {8, 2}, .settings = test::quick_settings()})
      : x_rounds(x_folder.path() / "data", std::move(options)) {}

  proof::Record record(std::size_t member, std::vector<std::int64_t> fields, std::uint64_t nonce = 0) {
    std::vector<std::unique_ptr<ElementSource>> rows;
    rows.push_back(zero_elements(2));
    auto made = make_record({.program = world().task().program.program,
                             .task = world().prepared().preimage,
                             .place = {x_rounds.task(), 1, world().genesis().state},
                             .key = world().key(member),
                             .member = member,
                             .nonce = nonce,
                             .rows = rows,
                             .fields = std::move(fields)});
    return made.value();
  }

  std::vector<RefusedRecord> refused(const std::vector<proof::Record>& records,
                                     Signatures signatures = Signatures::kCheck) {
    const BatchInputs inputs = world().inputs(world().genesis());
    math::ThreadPool pool(2);
    const Admission admission{.task = world().task(),
                              .place = *inputs.place,
                              .seed = {},
                              .chain = x_rounds.chain().state(),
                              .states = inputs.states,
                              .pool = pool};
    return refused_records(admission, records, signatures).value();
  }

  void expect_one(const proof::Record& bad, AdmissionReason reason, const std::string& field, const std::string& text) {
    const auto found = refused({record(0, {1, 5}), bad});
    ASSERT_EQ(found.size(), 1U) << text;
    EXPECT_EQ(found[0].record, 1U);
    EXPECT_EQ(found[0].reason, reason);
    EXPECT_EQ(found[0].field, field);
    EXPECT_NE(found[0].message.find(text), std::string::npos) << found[0].message;
    x_seen.insert(reason);
  }

  [[nodiscard]] const test::RoundWorld& world() const { return x_rounds.world(); }

  TemporaryFolder x_folder;
  ChainedRounds x_rounds;
  std::set<AdmissionReason> x_seen;
};

TEST_F(Admitting, admits_good_records_in_any_order) {
  EXPECT_TRUE(refused({record(2, {3, 6}), record(0, {1, 5}), record(1, {8, 9})}).empty());
  EXPECT_TRUE(refused({}).empty());
}

TEST_F(Admitting, names_each_reason_with_the_field_at_fault) {
  proof::Record beyond = record(1, {3, 5});
  beyond.fields[0] = 10;
  expect_one(beyond, AdmissionReason::kFieldRange, "kind", "kind is 10, outside 0..9");
  proof::Record stranger = record(1, {3, 5});
  stranger.address = world().poster().address();
  expect_one(stranger, AdmissionReason::kNoSuchMember, "address", "belongs to no member");
  proof::Record borrowed = record(1, {3, 5});
  borrowed.member = 2;
  expect_one(borrowed, AdmissionReason::kOtherMember, "member", "member is 2, but ");
  proof::Record altered = record(1, {3, 5});
  altered.fields[1] = 6;
  expect_one(altered, AdmissionReason::kSignature, "signature", "sign");
  EXPECT_TRUE(refused({altered}, Signatures::kChecked).empty());
  expect_one(record(1, {9, 5}), AdmissionReason::kProgram, "kind", "kind 9 counts for nothing");
  x_rounds.send(world().key(2), {}, proof::RequestExit{.task = x_rounds.task(), .member = 2});
  expect_one(record(2, {3, 5}), AdmissionReason::kLeaving, "address", "signs for member 2 only until ");
  expect_one(record(0, {1, 6}), AdmissionReason::kDuplicate, "nonce", "has one with nonce 0 in the batch already");
  EXPECT_EQ(x_seen.size(), 7U);
  std::set<std::string_view> names;
  for (const AdmissionReason reason : x_seen) names.insert(name_of(reason));
  EXPECT_EQ(names.size(), 7U);
}

TEST_F(Admitting, gives_every_reason_of_the_program_by_the_name_of_its_table) {
  const auto found = refused({record(1, {8, 5}), record(0, {9, 2}), record(2, {9, 9}, 1), record(2, {9, 9}, 0)});
  std::multimap<std::size_t, std::string> names;
  for (const RefusedRecord& each : found) {
    EXPECT_EQ(each.reason, AdmissionReason::kProgram);
    names.emplace(each.record, each.name + " of " + each.field);
  }
  // `first` has the smallest kind: record 0. The second of member 2's is the one with nonce 1.
  const std::multimap<std::size_t, std::string> expected{{0, "refused_first of "},
                                                         {1, "refused_kind of kind"},
                                                         {1, "refused_kind_of_least of kind_of"},
                                                         {2, "refused_kind of kind"},
                                                         {2, "refused_member_repeats of member"},
                                                         {3, "refused_kind of kind"}};
  EXPECT_EQ(names, expected);
}

TEST_F(Admitting, does_not_count_what_the_settlement_refuses_beside_the_others) {
  proof::Record broken = record(2, {4, 5});
  broken.signature.bytes[3] ^= 1;
  const auto found = refused({broken, record(2, {4, 5}, 1)});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].record, 0U);
  EXPECT_EQ(found[0].reason, AdmissionReason::kSignature);
}

constexpr const char* kClock = R"(
program clock
dim K in 0..8
dim M in 1..8
dim D <= 64
row u: i32[D]
record kind: i64 in 0..9
record timestamp: i64 in 0..1000
state latest: i64 in 0..1000
table refused_kind[k in K]: i8 in 0..1 { return kind[k] == 9 }
table next_latest: i64 in 0..1000 { fold k in K { t = max(t, timestamp[k]) } from t = 0  return t }
next latest = next_latest
)";

class AdmittingByTime : public Admitting {
 protected:
  AdmittingByTime() : Admitting({.program = kClock, .dims = {8, 2}, .settings = test::quick_settings()}) {}
};

// Each signer's records alone, by nonce; equal times are in order; a refused one is not what the next is compared with.
TEST_F(AdmittingByTime, refuses_a_record_before_its_signers_last) {
  proof::Record broken = record(2, {1, 900}, 2);
  broken.signature.bytes[3] ^= 1;
  const auto found = refused({record(0, {1, 500}, 0), record(1, {1, 7}, 1), record(1, {1, 7}, 0), record(2, {1, 40}, 0),
                              record(2, {1, 39}, 1), broken, record(2, {9, 40}, 3), record(2, {1, 39}, 4)});
  std::multimap<std::size_t, std::string> names;
  for (const RefusedRecord& each : found) names.emplace(each.record, each.name + ": " + each.message);
  const std::multimap<std::size_t, std::string> expected{{4, "TimestampOrder: timestamp 39 is before the signer's 40"},
                                                         {5, names.find(5)->second},
                                                         {6, "refused_kind: kind 9 counts for nothing"},
                                                         {7, "TimestampOrder: timestamp 39 is before the signer's 40"}};
  EXPECT_EQ(names, expected);
  EXPECT_EQ(found[0].field, "timestamp");
  EXPECT_EQ(found[1].reason, AdmissionReason::kSignature);
}

TEST(ProgramRefusals, are_only_of_programs_that_declare_them) {
  const TemporaryFolder folder;
  EXPECT_TRUE(has_refusals(test::RoundWorld(folder.path() / "a", {.program = kLog, .dims = {8, 2}}).task().program));
  EXPECT_FALSE(has_refusals(test::RoundWorld(folder.path() / "b").task().program));
}

}  // namespace
}  // namespace tally::sequencer
