#include "fraud_proof/step/opening.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "deterministic_math/bytecode/cost.h"
#include "deterministic_math/bytecode/visibility.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/step/one_step.h"
#include "tests/support/committed_memory.h"
#include "tests/support/memory_world.h"
#include "tests/support/random_program.h"

namespace tally::proof {
namespace {

using math::ObjectKind;
using test::CommittedMemory;
using test::RandomBatch;
using test::Rng;

// Every kind of object, two tables with a scan, a loop, gathers through fields and tables, `where`, several results.
constexpr const char* kText = R"(
program openings
dim K in 20..20
dim D = 40
dim G = 5
record who: i64 in 0..4
record weight: i64 in 1..100
row updates: i32[D]
row masks: i8[D]
state model: i32[D]
state scale: i64[G] in 0..1000
advice middle[d in D]: i32 { require middle[d] <= model[d] + (1 << 40) }
table total: i64 {
  fold k in K { n = n + weight[k] * scale[who[k]] } from n = 0
  return n
}
table groups[g in G]: i64, seen: i32 {
  fold k in K where who[k] == g { n = n + weight[k]  c = c + 1 } from n = 0, c = 0
  return n, c
}
table next_model[d in D]: i32 {
  fold k in K { s = s + updates[k, d] * masks[k, D - 1 - d] * weight[k] } from s = 0
  return clamp(model[d] + middle[D - 1 - d] + div_round(s, max(total, 1)), i32)
}
table running[d in D]: i128 in -(1 << 60)..(1 << 60) { return running[d - 1] + next_model[d] + next_model[D - 1 - d] + total }
loop t in 3 {
  table walk[g in G]: i64 in 0..1000000 { return min(walk[t - 1, mod(g + 1, G)] + seen[g] + groups[g], 1000000) }
}
next model = next_model
)";

using Witness = std::vector<std::uint8_t>;

/// Where an opening stands in a witness, and what each of its bytes should be refused for when it is changed.
struct Placed {
  OpeningKey key;
  std::size_t first = 0;
  std::size_t size = 0;
};

struct World {
  World() { static_cast<void>(test::compute_tables(program, data)); }

  [[nodiscard]] math::ObjectId object(const std::string& name) const {
    const auto found = std::ranges::find(compiled.names.objects, name);
    EXPECT_NE(found, compiled.names.objects.end()) << name;
    return static_cast<math::ObjectId>(found - compiled.names.objects.begin());
  }
  /// A step or finish of the item that `table` belongs to.
  [[nodiscard]] Transition transition(const std::string& table, std::uint64_t entry, std::uint64_t number) const {
    return {static_cast<std::uint16_t>(math::owner_item(program, object(table)).value()), entry, number};
  }

  Rng rng{11};
  math::CompiledProgram compiled = test::compile_text(kText);
  math::Program program = compiled.program;
  RandomBatch data{program, rng};
};

class Opening : public testing::Test {
 protected:
  Opening() : x_committed(x_world.program, x_world.data.values(), x_world.data.inputs(), 64) {}

  [[nodiscard]] const CommittedBatch& batch() const { return x_committed.batch(); }

  Witness witness(const Transition& transition) { return make_witness(batch(), transition, {}, x_committed); }

  /// Nothing: it runs.
  [[nodiscard]] std::optional<Reason> refusal(const Transition& transition, const Witness& bytes) const {
    const auto end = run_transition(batch(), transition, {}, bytes);
    return end ? std::nullopt : std::optional(end.error().reason);
  }

  [[nodiscard]] ObjectKind kind(math::ObjectId object) const { return x_world.program.objects[object].kind; }

  /// A second reading of the format, that trusts the bytes.
  [[nodiscard]] std::vector<Placed> parse(const Witness& bytes) const {
    std::vector<Placed> openings;
    std::vector<math::ObjectId> tables;
    for (std::size_t at = 0; at < bytes.size();) {
      math::ByteReader reader(math::Bytes(bytes).subspan(at));
      Placed placed{{reader.u16be(), reader.u32be(), reader.u64be()}, at, 0};
      const std::size_t leaf = reader.u16be();
      const bool record = placed.key.object == math::kMemberObject;
      const std::uint64_t leaves = leaf_layout(batch(), placed.key.object).leaves();
      placed.size = math::kOpeningHeadBytes + leaf +
                    32 * inclusion_path_length({record ? placed.key.record : placed.key.leaf, leaves});
      if (kind(placed.key.object) >= ObjectKind::kState && std::ranges::count(tables, placed.key.object) == 0) {
        tables.push_back(placed.key.object);
        const auto ids = kind(placed.key.object) == ObjectKind::kState ? objects_of(x_world.program, ObjectKind::kState)
                                                                       : table_objects(x_world.program);
        const auto place = std::ranges::find(ids, placed.key.object) - ids.begin();
        placed.size += 32 * inclusion_path_length({static_cast<std::uint64_t>(place), ids.size()});
      }
      at += placed.size;
      EXPECT_LE(at, bytes.size());
      openings.push_back(placed);
    }
    return openings;
  }

  [[nodiscard]] Reason reason_of_change(const Placed& placed, std::size_t offset) const {
    if (offset < 14) return Reason::kOpeningUnexpected;
    if (offset < math::kOpeningHeadBytes) return Reason::kOpeningSize;
    switch (kind(placed.key.object)) {
      case ObjectKind::kMember:
      case ObjectKind::kNonce:
      case ObjectKind::kField:
        return Reason::kOpeningRecord;
      case ObjectKind::kRow:
        return Reason::kOpeningRow;
      case ObjectKind::kState:
        return Reason::kOpeningState;
      case ObjectKind::kAdvice:
      case ObjectKind::kComputed:
        return Reason::kOpeningTable;
    }
    return Reason::kMalformed;
  }

  /// Steps and finishes that between them open every kind of leaf.
  [[nodiscard]] std::vector<Transition> transitions_to_attack() const {
    return {
        x_world.transition("middle", 7, 0),       x_world.transition("total", 0, 13),
        x_world.transition("groups", 3, 4),       x_world.transition("next_model", 37, 19),
        x_world.transition("next_model", 2, 20),  x_world.transition("running", 0, 0),
        x_world.transition("running", 39, 0),     x_world.transition("walk", 0, 0),
        x_world.transition("walk", 2 * 5 + 4, 0),
    };
  }

  World x_world;
  CommittedMemory x_committed;
};

TEST_F(Opening, opens_what_the_loads_need_and_nothing_else) {
  const auto keys = [&](const Transition& transition) {
    std::vector<OpeningKey> found;
    for (const Placed& placed : parse(witness(transition))) found.push_back(placed.key);
    return found;
  };
  const auto object = [&](const std::string& name) { return x_world.object(name); };
  // 64-byte leaves hold 16 numbers of 32 bits. The record of both rows is opened once, before the first row's leaf.
  EXPECT_EQ(keys(x_world.transition("next_model", 37, 19)),
            (std::vector<OpeningKey>{{0, 19, 0}, {object("updates"), 19, 2}, {object("masks"), 19, 0}}));
  EXPECT_EQ(keys(x_world.transition("total", 0, 13)), (std::vector<OpeningKey>{{0, 13, 0}, {object("scale"), 0, 0}}));
  // A scan's first entry reads 0 without an opening; two leaves of one table are two openings.
  EXPECT_EQ(
      keys(x_world.transition("running", 0, 0)),
      (std::vector<OpeningKey>{{object("next_model"), 0, 0}, {object("next_model"), 0, 2}, {object("total"), 0, 0}}));
  EXPECT_EQ(keys(x_world.transition("running", 39, 0)).front(), (OpeningKey{object("running"), 0, 9}));
}

TEST_F(Opening, refuses_any_changed_byte_for_what_it_is) {
  std::vector<Reason> seen;
  for (const Transition& transition : transitions_to_attack()) {
    const Witness honest = witness(transition);
    ASSERT_EQ(refusal(transition, honest), std::nullopt);
    for (const Placed& placed : parse(honest)) {
      for (std::size_t offset = 0; offset < placed.size; ++offset) {
        for (const std::uint8_t flip : std::array<std::uint8_t, 2>{0x01, 0x80}) {
          Witness bytes = honest;
          bytes[placed.first + offset] ^= flip;
          const auto reason = refusal(transition, bytes);
          ASSERT_EQ(reason, reason_of_change(placed, offset)) << "item " << transition.item << " offset " << offset;
          seen.push_back(*reason);
        }
      }
    }
  }
  for (const Reason reason : {Reason::kOpeningUnexpected, Reason::kOpeningSize, Reason::kOpeningRecord,
                              Reason::kOpeningRow, Reason::kOpeningTable, Reason::kOpeningState}) {
    EXPECT_TRUE(std::ranges::count(seen, reason) > 0) << to_string(reason);
  }
}

TEST_F(Opening, refuses_bytes_that_end_early_or_late) {
  for (const Transition& transition : transitions_to_attack()) {
    const Witness honest = witness(transition);
    for (std::size_t size = 0; size < honest.size(); ++size) {
      const Witness bytes(honest.begin(), honest.begin() + static_cast<std::ptrdiff_t>(size));
      ASSERT_EQ(refusal(transition, bytes), Reason::kOpeningMissing) << size;
    }
    for (const std::uint8_t extra : std::array<std::uint8_t, 2>{0, 255}) {
      Witness bytes = honest;
      bytes.push_back(extra);
      EXPECT_EQ(refusal(transition, bytes), Reason::kOpeningTrailing);
    }
    Witness twice = honest;
    twice.insert(twice.end(), honest.begin(), honest.end());
    EXPECT_EQ(refusal(transition, twice), honest.empty() ? std::nullopt : std::optional(Reason::kOpeningTrailing));
  }
}

TEST_F(Opening, refuses_openings_that_are_left_out_repeated_or_in_another_order) {
  for (const Transition& transition : transitions_to_attack()) {
    const Witness honest = witness(transition);
    const auto openings = parse(honest);
    const auto bytes_of = [&](const Placed& placed) {
      const auto first = honest.begin() + static_cast<std::ptrdiff_t>(placed.first);
      return Witness(first, first + static_cast<std::ptrdiff_t>(placed.size));
    };
    const auto join = [&](const std::vector<Placed>& order) {
      Witness bytes;
      for (const Placed& placed : order) {
        const Witness part = bytes_of(placed);
        bytes.insert(bytes.end(), part.begin(), part.end());
      }
      return bytes;
    };
    for (std::size_t i = 0; i < openings.size(); ++i) {
      const bool last = i + 1 == openings.size();
      const auto at = static_cast<std::ptrdiff_t>(i);
      std::vector<Placed> without = openings;
      without.erase(without.begin() + at);
      EXPECT_EQ(refusal(transition, join(without)), last ? Reason::kOpeningMissing : Reason::kOpeningUnexpected);
      std::vector<Placed> repeated = openings;
      repeated.insert(repeated.begin() + at, openings[i]);
      EXPECT_EQ(refusal(transition, join(repeated)), last ? Reason::kOpeningTrailing : Reason::kOpeningUnexpected);
      if (last) continue;
      std::vector<Placed> swapped = openings;
      std::swap(swapped[i], swapped[i + 1]);
      EXPECT_EQ(refusal(transition, join(swapped)), Reason::kOpeningUnexpected);
    }
  }
}

TEST_F(Opening, refuses_leaves_of_another_size) {
  for (const Transition& transition : transitions_to_attack()) {
    const Witness honest = witness(transition);
    for (const Placed& placed : parse(honest)) {
      const auto size_at = static_cast<std::ptrdiff_t>(placed.first + 14);
      const std::size_t size = math::ByteReader(math::Bytes(honest).subspan(placed.first + 14)).u16be();
      for (const std::size_t other : {std::size_t{0}, size - 1, size + 1, 2 * size}) {
        Witness bytes = honest;
        bytes[placed.first + 14] = static_cast<std::uint8_t>(other >> 8);
        bytes[placed.first + 15] = static_cast<std::uint8_t>(other);
        const auto leaf = bytes.begin() + size_at + 2;
        if (other < size) bytes.erase(leaf, leaf + static_cast<std::ptrdiff_t>(size - other));
        if (other > size) bytes.insert(leaf, other - size, 0);
        EXPECT_EQ(refusal(transition, bytes), Reason::kOpeningSize);
      }
    }
  }
}

TEST_F(Opening, refuses_an_honest_opening_of_another_place) {
  // The value of another record, row or table, however true, is no value of this one.
  const Witness of_18 = witness(x_world.transition("next_model", 37, 18));
  EXPECT_EQ(refusal(x_world.transition("next_model", 37, 19), of_18), Reason::kOpeningUnexpected);
  Witness renamed = of_18;
  for (const Placed& placed : parse(of_18)) renamed[placed.first + 5] = 19;
  EXPECT_EQ(refusal(x_world.transition("next_model", 37, 19), renamed), Reason::kOpeningRecord);
}

TEST_F(Opening, holds_later_leaves_of_a_table_to_its_first_root) {
  const Transition transition = x_world.transition("running", 0, 0);
  const Witness honest = witness(transition);
  const auto openings = parse(honest);
  ASSERT_EQ(openings[0].key.object, openings[1].key.object);
  // The second opening carries no upper path, so a leaf of any other tree would have to be told apart by its root.
  Witness bytes = honest;
  for (std::size_t i = 0; i < 4; ++i) bytes[openings[1].first + math::kOpeningHeadBytes + i] ^= 0xff;
  EXPECT_EQ(refusal(transition, bytes), Reason::kOpeningTable);
}

TEST_F(Opening, refuses_keys_that_name_no_leaf) {
  const std::uint32_t records = 20;
  const auto has = [&](const OpeningKey& key) {
    OpeningReader reader(batch(), {});
    const auto opened = reader.open(key);
    EXPECT_FALSE(opened.has_value());
    EXPECT_EQ(has_leaf(batch(), key), opened.error().reason == Reason::kOpeningMissing);
    EXPECT_EQ(has_leaf(batch(), key), opened.error().reason != Reason::kNoSuchEntry);
    return has_leaf(batch(), key);
  };
  EXPECT_TRUE(has({0, records - 1, 0}));
  EXPECT_FALSE(has({0, records, 0}));
  EXPECT_FALSE(has({0, 0, 1}));
  EXPECT_FALSE(has({math::kNonceObject, 0, 0}));
  EXPECT_FALSE(has({2, 0, 0}));  // a field has no leaf of its own
  EXPECT_TRUE(has({4, records - 1, 2}));
  EXPECT_FALSE(has({4, records, 2}));
  EXPECT_FALSE(has({4, 0, 3}));
  EXPECT_TRUE(has({6, 0, 2}));
  EXPECT_FALSE(has({6, 1, 2}));
  EXPECT_FALSE(has({6, 0, 3}));
  EXPECT_FALSE(has({static_cast<math::ObjectId>(x_world.program.objects.size()), 0, 0}));
  EXPECT_FALSE(has({0xffff, 0xffffffff, ~std::uint64_t{0}}));
}

TEST_F(Opening, opens_every_leaf_of_a_batch_alone) {
  std::size_t leaves = 0;
  for (std::size_t id = 0; id < x_world.program.objects.size(); ++id) {
    const auto object = static_cast<math::ObjectId>(id);
    for (std::uint32_t record = 0; record < 20; ++record) {
      for (std::uint64_t leaf = 0; leaf < 20; ++leaf) {
        const OpeningKey key{object, record, leaf};
        if (!has_leaf(batch(), key)) continue;
        OpeningWriter writer(batch(), x_committed);
        writer.open(key);
        const Witness bytes = writer.take();
        OpeningReader reader(batch(), bytes);
        const auto opened = reader.open(key);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        EXPECT_TRUE(std::ranges::equal(*opened, x_committed.leaf(key).bytes));
        EXPECT_TRUE(reader.finish().has_value());
        ++leaves;
      }
    }
  }
  // Records, rows (3 leaves of updates and 1 of masks each), states (3 + 1), then the tables.
  EXPECT_EQ(leaves, 20U + 20 * 4 + 4 + 3 + 1 + 1 + 1 + 3 + 10 + 2);
}

TEST_F(Opening, is_refused_under_another_header) {
  for (const Transition& transition : transitions_to_attack()) {
    const Witness honest = witness(transition);
    BatchHeader& header = x_committed.header();
    for (Digest* root : {&header.records_root, &header.prev_state_root.digest, &header.tables_root}) {
      root->bytes[31] ^= 1;
    }
    EXPECT_NE(refusal(transition, honest), std::nullopt);
    for (Digest* root : {&header.records_root, &header.prev_state_root.digest, &header.tables_root}) {
      root->bytes[31] ^= 1;
    }
    EXPECT_EQ(refusal(transition, honest), std::nullopt);
  }
}

}  // namespace
}  // namespace tally::proof
