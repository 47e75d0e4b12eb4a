#include "verifier/lab/five_tables.h"

#include "deterministic_math/bytecode/codec.h"
#include "deterministic_math/language/compile.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/hashing/leaf_hasher.h"
#include "fraud_proof/settlement/posting.h"
#include "verifier/lab/sparse_tree.h"

namespace tally::verifier {

namespace {

using namespace tally::proof;

constexpr std::string_view kText = R"(program five_tables
dim K in 1..65536
dim D <= 1<<28
record examples: i64 in 1..32767
row    updates: i32[D]
state  model: i32[D]
advice middle[d in D]: i32 in 0..1000
table  a[d in D]: i64 { fold k in K { s = s + updates[k, d] * examples[k] } from s = 0 return s }
table  b[d in D]: i64 { return a[d] + middle[d] }
table  c[d in D]: i64 { return b[d] + 1 }
table  next_model[d in D]: i32 { return clamp(c[d], i32) }
next model = next_model
)";

const math::Program& program() {
  static const math::Program kProgram = [] {
    auto compiled = math::compile(kText, {});
    TALLY_ASSERT(compiled.has_value());
    return std::move(compiled->program);
  }();
  return kProgram;
}

std::uint8_t made_up_byte(std::uint64_t place) { return static_cast<std::uint8_t>(1 + place * 37 % 255); }

Digest made_up_digest(std::uint64_t number) {
  Digest digest;
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) digest.bytes[i] = made_up_byte(11 * number + i);
  return digest;
}

/// Of a tree over `leaf`, and over as many others as it has.
Digest root_of(const OpenedLeaf& opened, const LeafPosition& position) {
  return inclusion_root(position, LeafHasher::best().hash_leaf(opened.bytes), opened.path);
}

}  // namespace

std::vector<Record> made_up_records() {
  constexpr std::uint64_t kFirst = 0x4040'4040'4040'4040;
  std::vector<Record> records(kTablesRecords);
  for (std::uint64_t k = 0; k < records.size(); ++k) {
    Record& record = records[k];
    for (std::size_t i = 0; i < record.address.bytes.size(); ++i) {
      record.address.bytes[i] = i < 8 ? static_cast<std::uint8_t>((kFirst + k) >> (56 - 8 * i)) : made_up_byte(k + i);
    }
    for (std::size_t i = 0; i < record.signature.bytes.size(); ++i) record.signature.bytes[i] = made_up_byte(k + 2 * i);
    record.member = k;
    record.nonce = k;
    record.rows = {made_up_digest(k)};
    record.fields = {static_cast<std::int64_t>(1 + k * 37 % 1000)};
  }
  return records;
}

TablesData::TablesData(std::span<const Record> records) {
  std::vector<Digest> leaves;
  for (const Record& record : records) {
    x_records.push_back(encode(record));
    leaves.push_back(LeafHasher::best().hash_leaf(x_records.back()));
  }
  x_record_tree = MerkleTree(leaves);
  const BatchHeader header{.record_count = records.size()};
  const CommittedBatch shape{program(), header, kDefaultLeafBytes, {.dims = {records.size(), kTablesParameters}}};
  const LeafLayout layout = leaf_layout(shape, kTablesAdvice);
  const std::uint64_t leaf = leaf_of(shape, kTablesAdvice, kTablesElement).leaf;
  ZeroNodes zeros(layout);
  x_advice = {.bytes = std::vector<std::uint8_t>(layout.size_of(leaf), made_up_byte(3)),
              .path = SparseTree(zeros, {}).path(leaf)};
  for (const math::ObjectId table : table_objects(program())) {
    x_roots.push_back(table == kTablesAdvice ? root_of(x_advice, {.index = leaf, .count = layout.leaves()})
                                             : made_up_digest(table));
    x_tables.push_back(
        table_commitment(table_shape(program().objects[table], shape.values), kDefaultLeafBytes, x_roots.back()));
  }
}

OpenedLeaf TablesData::leaf(const OpeningKey& key) {
  if (key.object == math::kMemberObject) return {x_records[key.record], x_record_tree.inclusion_path(key.record)};
  TALLY_ASSERT(key.object == kTablesAdvice);
  return x_advice;
}

FiveTables::FiveTables(LabChain& chain, const TaskSettings& settings) : x_chain(chain), x_settings(settings) {
  const Digest root = made_up_digest(1);
  const Sent created = chain.send(kLabCreator, CreateTask{.salt = chain.next_salt(),
                                                          .bytecode = math::encode_program(program()),
                                                          .dims = {kTablesParameters},
                                                          .settings = settings,
                                                          .genesis_roots = {root}});
  x_task = std::get<TaskCreated>(created.effects.events.front()).task;
  x_genesis = model_with(root);
}

FiveTables::Posted FiveTables::send(Post post, std::span<const PrivateKey> keepers) {
  const auto task = read_task(x_chain.state(), x_task);
  const ParentLink parent = post.parent
                                ? ParentLink{batch_id(*post.parent), post.parent->number, post.parent->next_state_root}
                                : ParentLink{.state = task->preimage.genesis_root};
  const auto header = make_header(task->preimage, program(), parent, post, kLabPoster);
  TALLY_ASSERT(header.has_value());
  for (const PrivateKey& keeper : keepers)
    post.keepers.push_back({.position = static_cast<std::uint16_t>(post.keepers.size()),
                            .signature = sign(keeper, keeper_message(batch_id(*header)).bytes)});
  const Sent sent = x_chain.send(kLabPoster, x_settings.sequencer_bond, post);
  return {.header = *header, .gas = sent.gas};
}

std::vector<Digest> FiveTables::model_with(const Digest& root) const {
  const math::BatchValues values{.dims = {kTablesRecords, kTablesParameters}};
  const math::ObjectId model = objects_of(program(), math::ObjectKind::kState).front();
  return {table_commitment(table_shape(program().objects[model], values), x_settings.leaf_bytes, root)};
}

FiveTables::Posted FiveTables::post(const std::optional<BatchHeader>& parent, std::span<const PrivateKey> keepers) {
  std::vector<Digest> roots;
  for (std::uint64_t i = 0; i < table_objects(program()).size(); ++i) roots.push_back(made_up_digest(20 + i));
  return send({.task = x_task,
               .parent = parent,
               .state_commitments = parent ? model_with(roots.back()) : x_genesis,
               .record_count = kTablesRecords,
               .records_root = made_up_digest(++x_posts),
               .table_roots = roots},
              keepers);
}

FiveTables::Posted FiveTables::post(TablesData& data) {
  return send({.task = x_task,
               .state_commitments = x_genesis,
               .record_count = kTablesRecords,
               .records_root = data.records_root(),
               .table_roots = data.roots()},
              {});
}

}  // namespace tally::verifier
