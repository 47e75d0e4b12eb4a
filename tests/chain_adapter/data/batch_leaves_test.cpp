#include "chain_adapter/data/batch_leaves.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "chain_adapter/data/batch_tables.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/step/one_step.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_batch.h"

namespace tally::chain {
namespace {

using math::ObjectId;
using math::ObjectKind;

/// A median batch of three records of 100 numbers, and what its poster knows.
class BatchLeavesTest : public testing::Test {
 protected:
  BatchLeavesTest() {
    const auto built = test::build(x_test.inputs(), x_folder.path() / "batch");
    EXPECT_TRUE(built.has_value());
    const auto text = test::read_bytes(x_paths.file(kManifestFile));
    x_manifest = parse_manifest({reinterpret_cast<const char*>(text.data()), text.size()}).value();
    open();
  }

  void open() { x_files.emplace(open_batch_files(x_test.program(), x_values, x_paths).value()); }

  [[nodiscard]] const math::Program& program() const { return x_test.program().program; }
  [[nodiscard]] proof::CommittedBatch batch() const { return {program(), x_manifest.header, 64, x_values}; }

  /// As the chain keeps them, from the files as they were built.
  [[nodiscard]] BatchCommitments commitments() const {
    math::ThreadPool pool(1);
    std::vector<math::Digest> states;
    std::vector<math::Digest> roots;
    for (const auto& [id, file] : x_files->tables) {
      const auto bytes = file.bytes();
      const math::Digest root = proof::tree_root_of_bytes(math::unsigned_bytes(bytes), 64);
      if (program().objects[id].kind == ObjectKind::kState) {
        states.push_back(commit_table(proof::table_shape(program().objects[id], x_values), 64, bytes, pool));
      } else {
        roots.push_back(root);
      }
    }
    return posted_commitments(batch(), states, roots);
  }

  [[nodiscard]] std::vector<proof::OpeningKey> all_leaves() const {
    std::vector<proof::OpeningKey> keys;
    for (std::size_t id = 0; id < program().objects.size(); ++id) {
      for (std::uint32_t record = 0; record < 3; ++record) {
        for (std::uint64_t leaf = 0; leaf < 16; ++leaf) {
          const proof::OpeningKey key{static_cast<ObjectId>(id), record, leaf};
          if (proof::has_leaf(batch(), key)) keys.push_back(key);
        }
      }
    }
    return keys;
  }

  void expect_opens_everything(BatchLeaves& leaves) const {
    const proof::CommittedBatch committed = batch();
    for (const proof::OpeningKey& key : all_leaves()) {
      proof::OpeningWriter writer(committed, leaves);
      writer.open(key);
      const auto bytes = writer.take();
      proof::OpeningReader reader(committed, bytes);
      const auto opened = reader.open(key);
      ASSERT_TRUE(opened.has_value()) << opened.error().message;
      EXPECT_TRUE(reader.finish().has_value());
    }
  }

  test::TemporaryFolder x_folder;
  test::TestBatch x_test{"median", {.dims = {3, 100}}};
  BatchPaths x_paths{x_folder.path() / "batch"};
  math::BatchValues x_values = proof::batch_values({3, 100}, 1, {});
  Manifest x_manifest;
  std::optional<BatchFiles> x_files;
};

TEST_F(BatchLeavesTest, opens_every_leaf_whatever_trees_it_may_keep) {
  const proof::CommittedBatch committed = batch();
  for (const std::size_t kept : {std::size_t{0}, std::size_t{700}, BatchLeaves::kTreeBytes}) {
    BatchLeaves leaves(committed, *x_files, commitments(), kept);
    expect_opens_everything(leaves);
    expect_opens_everything(leaves);
  }
}

TEST_F(BatchLeavesTest, lists_the_digests_of_a_tables_leaves) {
  const proof::CommittedBatch committed = batch();
  BatchLeaves leaves(committed, *x_files, commitments());
  for (const ObjectId table : proof::table_objects(program())) {
    const auto bytes = x_files->tables.at(table).bytes();
    proof::LeafDigests expected(bytes.size(), 64);
    expected.hash_block(0, math::unsigned_bytes(bytes));
    EXPECT_TRUE(std::ranges::equal(leaves.leaf_digests(table), expected.digests()));
  }
}

TEST_F(BatchLeavesTest, makes_witnesses_from_files) {
  const proof::CommittedBatch committed = batch();
  BatchLeaves leaves(committed, *x_files, commitments());
  const RecordColumns columns = record_columns(program(), math::unsigned_bytes(x_files->records.bytes()));
  PlainRows rows(x_files->rows, first_row(program()));
  const math::Inputs inputs = batch_inputs(program(), columns, x_files->tables, rows);
  const math::Evaluation evaluation{program(), x_values, inputs};
  for (std::uint16_t item = 0; item < program().items.size(); ++item) {
    if (!program().items[item].body) continue;
    const std::uint64_t entry = math::element_count(program().items[item].extents, x_values) - 1;
    math::Accumulators state = math::initial_accumulators(program().items[item]);
    const std::uint64_t length = math::fold_length(program(), x_values, item);
    for (std::uint64_t number = 0; number <= length; ++number) {
      const proof::Transition transition{item, entry, number};
      const auto witness = proof::make_witness(committed, transition, state, leaves);
      const auto end = proof::run_transition(committed, transition, state, witness);
      ASSERT_TRUE(end.has_value()) << end.error().message;
      if (number < length) math::run_steps(evaluation, item, entry, number, number + 1, state);
      EXPECT_EQ(number < length ? end->accumulators : math::Accumulators{},
                number < length ? state : math::Accumulators{});
    }
    const auto openings = proof::make_result_openings(committed, item, entry, leaves);
    EXPECT_TRUE(proof::open_results(committed, item, entry, openings).has_value());
  }
}

TEST_F(BatchLeavesTest, makes_no_opening_of_data_that_is_not_what_was_committed) {
  const BatchCommitments posted = commitments();
  const proof::CommittedBatch committed = batch();
  const auto& names = x_test.program().names.objects;
  const auto object = [&](const std::string& name) {
    return static_cast<ObjectId>(std::ranges::find(names, name) - names.begin());
  };
  const std::vector<std::pair<std::filesystem::path, proof::OpeningKey>> damages = {
      {x_paths.file(kRecordsFile), {math::kMemberObject, 1, 0}},
      {x_paths.row("updates", 2), {object("updates"), 2, 0}},
      {x_paths.state("model"), {object("model"), 0, 0}},
      {x_paths.table("next_model"), {object("next_model"), 0, 0}},
  };
  for (const auto& [path, key] : damages) {
    const std::vector<std::uint8_t> before = test::read_bytes(path);
    test::write_byte(path, before.size() - 1, static_cast<std::uint8_t>(before.back() ^ 1));
    open();
    BatchLeaves leaves(committed, *x_files, posted);
    EXPECT_THROW(static_cast<void>(leaves.leaf(key)), std::runtime_error) << path;
    test::write_bytes(path, before);
  }
  open();
  BatchLeaves leaves(committed, *x_files, posted);
  expect_opens_everything(leaves);
}

}  // namespace
}  // namespace tally::chain
