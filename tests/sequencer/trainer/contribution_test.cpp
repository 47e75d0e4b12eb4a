#include "sequencer/trainer/contribution.h"

#include <gtest/gtest.h>

#include "tests/support/round_world.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_batch.h"

namespace tally::sequencer {
namespace {

using test::RoundWorld;
using test::TemporaryFolder;

struct Fixture {
  TemporaryFolder folder;
  RoundWorld world{folder.path() / "data"};
  proof::RecordShape shape{.rows = 1, .fields = 1};

  [[nodiscard]] RoundPlace place() const { return {world.prepared().id, 1, world.genesis().state}; }
  [[nodiscard]] std::vector<std::unique_ptr<ElementSource>> zeros(std::uint64_t size) const {
    std::vector<std::unique_ptr<ElementSource>> rows;
    rows.push_back(zero_elements(size));
    return rows;
  }
  [[nodiscard]] std::expected<proof::Record, std::string> make(const std::vector<std::unique_ptr<ElementSource>>& rows,
                                                               std::vector<std::int64_t> fields) const {
    return make_record({.program = world.task().program.program,
                        .task = world.prepared().preimage,
                        .place = place(),
                        .key = world.key(0),
                        .member = 3,
                        .nonce = 9,
                        .rows = rows,
                        .fields = std::move(fields)});
  }
};

TEST(Contribution, comes_back_from_its_file_as_it_was) {
  const Fixture f;
  const Contribution written{
      .place = f.place(), .out_of_range = math::OutOfRangePolicy::kClip, .record = f.make(f.zeros(5), {7}).value()};
  const auto path = record_file_of(f.folder.path() / "alice.npy");
  EXPECT_EQ(path.filename(), "alice.record");
  write_contribution(path, written);
  const auto read = read_contribution(path, f.shape);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, written);
  EXPECT_EQ(read->record.member, 3U);
  EXPECT_EQ(read->record.nonce, 9U);
}

TEST(Contribution, refuses_every_other_size_and_clip) {
  const Fixture f;
  const Contribution written{.place = f.place(), .record = f.make(f.zeros(5), {7}).value()};
  const std::vector<std::uint8_t> bytes = encode(written);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto refused = decode_contribution(math::Bytes(bytes).first(size), f.shape);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().reason, ContributionReason::kSize);
  }
  std::vector<std::uint8_t> longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(decode_contribution(longer, f.shape).error().reason, ContributionReason::kSize);
  std::vector<std::uint8_t> odd = bytes;
  odd[72] = 2;
  EXPECT_EQ(decode_contribution(odd, f.shape).error().reason, ContributionReason::kClip);
  EXPECT_EQ(read_contribution(f.folder.path() / "none.record", f.shape).error().reason, ContributionReason::kFile);
  test::write_bytes(f.folder.path() / "long.record", longer);
  EXPECT_EQ(read_contribution(f.folder.path() / "long.record", f.shape).error().reason, ContributionReason::kSize);
}

TEST(MakeRecord, names_what_does_not_fit_the_program) {
  const Fixture f;
  EXPECT_EQ(f.make(f.zeros(4), {7}).error(), "zeros: 4 elements, but row 0 has 5");
  EXPECT_EQ(f.make({}, {7}).error(), "0 rows and 1 fields, but the program has 1 and 1");
  EXPECT_EQ(f.make(f.zeros(5), {0}).error(), "field 0 is 0, outside 1..32767");
  std::vector<std::unique_ptr<ElementSource>> wide;
  wide.push_back(stored_elements("wide", std::vector<std::byte>(40), 8));
  EXPECT_EQ(f.make(wide, {7}).error(), "wide: integers of 8 bytes, but row 0 has 4");
}

TEST(MakeRecord, commits_to_rows_of_many_pieces_as_a_builder_does) {
  const TemporaryFolder folder;
  const RoundWorld world(folder.path() / "data", {.dims = {200'001}, .members = 1, .settings = {.leaf_bytes = 4096}});
  const auto built = world.build(world.inputs(world.genesis()));
  EXPECT_TRUE(built.has_value()) << built.error().message;
}

}  // namespace
}  // namespace tally::sequencer
