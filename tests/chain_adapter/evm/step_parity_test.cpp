// The one-step verifier of the contracts against that of C++, on random cases: programs (proved, and with changed
// bodies that no validator saw), transitions, accumulators and witnesses, right and corrupted. Equal values, or the
// same reason. TALLY_STEP_CASES: how many.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain_adapter/evm/abi.h"
#include "deterministic_math/bytecode/codec.h"
#include "fraud_proof/step/one_step.h"
#include "tests/support/anvil.h"
#include "tests/support/committed_memory.h"
#include "tests/support/mutate_program.h"
#include "tests/support/random_program.h"
#include "tests/support/wanted_count.h"

namespace tally::chain {
namespace {

namespace json = boost::json;

using proof::Transition;
using test::CommittedMemory;
using test::pick;
using test::RandomBatch;
using test::Rng;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kCasesInWorld = 25;
constexpr std::size_t kWorldsInCall = 8;
constexpr std::array<std::uint32_t, 3> kLeafSizes = {64, 128, 1024};

std::uint64_t number_of_cases() { return test::wanted_count("TALLY_STEP_CASES", 2'000); }

/// A random program, in every other world with a changed body, on random data that is committed.
struct World {
  explicit World(Rng& rng)
      : program(test::random_program(rng, {.max_items = 6})),
        data(program, rng, {.style = static_cast<test::ValueStyle>(pick(rng, 0, 1)), .max_dim = pick(rng, 2, 40)}),
        changed(pick(rng, 0, 1) == 0) {
    static_cast<void>(test::compute_tables(program, data));
    for (std::uint64_t i = changed ? pick(rng, 1, 3) : 0; i > 0; --i) test::mutate_body(program, rng);
    committed.emplace(program, data.values(), data.inputs(), kLeafSizes[pick(rng, 0, kLeafSizes.size() - 1)]);
  }

  math::Program program;
  RandomBatch data;
  bool changed;
  std::optional<CommittedMemory> committed;
};

enum class What : std::uint8_t { kRun = 0, kOpenResults = 1 };

struct Case {
  What what = What::kRun;
  Transition transition{};
  math::Accumulators before{};
  Bytes witness{};
};

void write_values(math::ByteWriter& out, const math::Accumulators& accumulators, const math::ResultValues& results) {
  for (const math::i128 value : accumulators) out.i128be(value);
  for (const math::i128 value : results) out.i128be(value);
}

/// The contract's answer in the form of the harness.
Bytes expected_answer(const proof::CommittedBatch& batch, const Case& tried) {
  math::ByteWriter out;
  const auto refused = [&](proof::Reason reason) {
    out.u8(0);
    out.raw(selector_of(std::string(to_string(reason)) + "()"));
    return out.take();
  };
  out = {};
  if (tried.what == What::kOpenResults) {
    const auto results = proof::open_results(batch, tried.transition.item, tried.transition.entry, tried.witness);
    if (!results) return refused(results.error().reason);
    out.u8(1);
    out.u8(0);
    write_values(out, {}, *results);
    return out.take();
  }
  const auto end = proof::run_transition(batch, tried.transition, tried.before, tried.witness);
  if (!end) return refused(end.error().reason);
  out.u8(1);
  out.u8(static_cast<std::uint8_t>(end->kind));
  write_values(out, end->accumulators, end->results);
  return out.take();
}

/// What the harness reads: the batch, then the case.
Bytes encode_case(const proof::CommittedBatch& batch, const proof::Address& program, const Case& tried) {
  math::ByteWriter out;
  out.raw(program.bytes);
  out.raw(batch.header.records_root.bytes);
  out.raw(batch.header.prev_state_root.digest.bytes);
  out.raw(batch.header.tables_root.bytes);
  out.u32be(batch.leaf_bytes);
  out.u64be(batch.values.batch);
  out.i128be(batch.values.seed_high);
  out.i128be(batch.values.seed_low);
  out.u8(static_cast<std::uint8_t>(batch.values.dims.size()));
  for (const std::uint64_t dim : batch.values.dims) out.u64be(dim);
  out.u8(static_cast<std::uint8_t>(tried.what));
  out.u16be(tried.transition.item);
  out.u64be(tried.transition.entry);
  out.u64be(tried.transition.number);
  for (const math::i128 value : tried.before) out.i128be(value);
  out.raw(tried.witness);
  return out.take();
}

math::Accumulators random_accumulators(const World& world, std::uint16_t item, Rng& rng) {
  math::Accumulators before = math::initial_accumulators(world.program.items[item]);
  if (pick(rng, 0, 2) == 0) return before;
  const auto style = static_cast<test::ValueStyle>(pick(rng, 0, 1));
  for (std::size_t j = 0; j < world.program.items[item].body->init.size(); ++j)
    before[j] = test::pick_value(rng, math::type_range(math::ElementType::kI128), style);
  return before;
}

void corrupt(Bytes& witness, Rng& rng) {
  switch (pick(rng, 0, 5)) {
    case 0:
      witness.resize(pick(rng, 0, witness.size()));
      break;
    case 1:
      witness.push_back(static_cast<std::uint8_t>(rng()));
      break;
    case 2:  // the first head
      if (!witness.empty()) witness[pick(rng, 0, std::min<std::size_t>(witness.size() - 1, 15))] ^= 1;
      break;
    default:
      if (!witness.empty()) witness[pick(rng, 0, witness.size() - 1)] ^= static_cast<std::uint8_t>(pick(rng, 1, 255));
      break;
  }
}

Case random_case(World& world, Rng& rng) {
  const proof::CommittedBatch& batch = world.committed->batch();
  Case tried;
  Transition& at = tried.transition;
  at.item = static_cast<std::uint16_t>(pick(rng, 0, world.program.items.size() - 1));
  const math::Item& item = world.program.items[at.item];
  const std::uint64_t entries = math::element_count(item.extents, batch.values);
  at.entry = pick(rng, 0, entries == 0 ? 0 : entries - 1);
  const auto count = transitions(batch, at.item, at.entry);
  if (!count) return tried;
  at.number = pick(rng, 0, *count - 1);
  tried.before = random_accumulators(world, at.item, rng);
  const bool is_right = pick(rng, 0, 1) == 0;
  if (pick(rng, 0, 4) == 0) {
    tried.what = What::kOpenResults;
    tried.witness = make_result_openings(batch, at.item, at.entry, *world.committed);
  } else {
    tried.witness = make_witness(batch, at, tried.before, *world.committed);
  }
  if (is_right) return tried;
  switch (pick(rng, 0, 7)) {
    case 0:
      at.entry += pick(rng, 1, 3);
      break;
    case 1:
      at.number += pick(rng, 1, 3);
      break;
    case 2:
      at.item += static_cast<std::uint16_t>(pick(rng, 1, 3));
      break;
    default:
      corrupt(tried.witness, rng);
      break;
  }
  return tried;
}

/// An address for a program that no contract has.
proof::Address place_of(std::size_t world) {
  proof::Address address;
  address.bytes[0] = 0x77;
  address.bytes[18] = static_cast<std::uint8_t>(world >> 8);
  address.bytes[19] = static_cast<std::uint8_t>(world);
  return address;
}

/// The harness on a node, whose calls may bring programs along.
class Harness {
 public:
  Harness() : x_address(x_anvil.deploy(test::test_contract("StepHarness"))) {}

  Bytes call(std::string_view function, const std::vector<Bytes>& cases, json::object programs = {}) {
    AbiWriter arguments;
    arguments.list_of_bytes(cases);
    const Bytes data = arguments.call(selector_of(function));
    return test::bytes_of(x_anvil.rpc().call(
        "eth_call", {json::object{{"to", math::to_hex(x_address.bytes)}, {"data", math::to_hex(data)}}, "latest",
                     std::move(programs)}));
  }

 private:
  test::Anvil x_anvil;
  proof::Address x_address;
};

TEST(StepParity, pitfall_7_contracts_and_cpp_give_equal_values_and_reasons) {
  Harness harness;
  Rng rng(20'261'121);
  std::uint64_t done = 0;
  std::uint64_t taken = 0;
  std::map<std::string, std::uint64_t> reasons;
  while (done < number_of_cases()) {
    std::vector<std::unique_ptr<World>> worlds;
    std::vector<Case> tried;
    std::vector<Bytes> encoded;
    std::vector<Bytes> expected;
    json::object programs;
    for (std::size_t w = 0; w < kWorldsInCall; ++w) {
      worlds.push_back(std::make_unique<World>(rng));
      World& world = *worlds.back();
      Bytes code{0};
      std::ranges::copy(math::encode_program(world.program), std::back_inserter(code));
      programs[math::to_hex(place_of(w).bytes)] = json::object{{"code", math::to_hex(code)}};
      for (std::size_t i = 0; i < kCasesInWorld; ++i) {
        tried.push_back(random_case(world, rng));
        expected.push_back(expected_answer(world.committed->batch(), tried.back()));
        encoded.push_back(encode_case(world.committed->batch(), place_of(w), tried.back()));
      }
    }
    const Bytes answer = harness.call("steps(bytes[])", encoded, std::move(programs));
    const auto answers = AbiReader(answer).list_of_bytes();
    ASSERT_TRUE(answers.has_value());
    ASSERT_EQ(answers->size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      math::ByteReader reader((*answers)[i]);
      const std::uint64_t gas = reader.u64be();
      ASSERT_EQ(math::to_hex(reader.raw(reader.remaining())), math::to_hex(expected[i]))
          << "case " << done + i << ", item " << tried[i].transition.item << ", entry " << tried[i].transition.entry
          << ", transition " << tried[i].transition.number << ", gas " << gas;
      if (expected[i][0] == 1)
        ++taken;
      else
        ++reasons[math::to_hex(math::Bytes(expected[i]).subspan(1))];
    }
    done += expected.size();
  }
  EXPECT_GT(taken, done / 4);
  EXPECT_GT(reasons.size(), 8U) << "the openings' reasons, NoSuchEntry and NoBody should all appear";
  std::cout << done << " cases, " << taken << " accepted, " << reasons.size() << " reasons\n";
}

/// A program says how many bytes it has.
void set_size(Bytes& program) {
  constexpr std::size_t kSizeAt = 4;
  if (program.size() < kSizeAt + 2) return;
  program[kSizeAt] = static_cast<std::uint8_t>(program.size() >> 8U);
  program[kSizeAt + 1] = static_cast<std::uint8_t>(program.size());
}

/// With so many objects, of which the first `there` are there, and nothing behind them.
Bytes program_with_objects(std::uint16_t objects, std::size_t there) {
  math::Program program;
  program.dims.push_back({});
  program.objects.resize(there);
  for (math::Object& object : program.objects) object.extents = {};
  Bytes bytes = math::encode_program(program);
  constexpr std::size_t kObjectsAt = 8;
  bytes[kObjectsAt] = static_cast<std::uint8_t>(objects >> 8U);
  bytes[kObjectsAt + 1] = static_cast<std::uint8_t>(objects);
  return bytes;
}

TEST(StepParity, contracts_take_no_bytecode_that_lacks_what_it_counts) {
  Harness harness;
  std::vector<Bytes> programs;
  for (const std::uint16_t objects : std::initializer_list<std::uint16_t>{0, 1, 2, 5, 64, 300, 1138}) {
    for (const std::size_t there : {0U, 1U, 3U}) programs.push_back(program_with_objects(objects, there));
  }
  const Bytes answer = harness.call("forms(bytes[])", programs);
  const auto found = AbiReader(answer).bytes();
  ASSERT_TRUE(found.has_value());
  for (std::size_t i = 0; i < programs.size(); ++i)
    EXPECT_EQ((*found)[i] == 1, math::decode_program(programs[i]).has_value()) << math::to_hex(programs[i]);
  EXPECT_EQ(std::ranges::count(*found, 1), 2) << "with none, and with one";
}

TEST(StepParity, contracts_take_exactly_the_bytecode_that_decodes) {
  Harness harness;
  Rng rng(6);
  std::uint64_t well_formed = 0;
  std::uint64_t all = 0;
  while (all < number_of_cases() / 4) {
    std::vector<Bytes> programs;
    std::vector<bool> expected;
    for (int i = 0; i < 50; ++i) {
      math::Program program = test::random_program(rng, {.max_items = 5});
      for (std::uint64_t changes = pick(rng, 0, 3); changes > 0; --changes) test::mutate_program(program, rng);
      Bytes bytes = math::encode_program(program);
      const std::uint64_t kind = pick(rng, 0, 3);
      if (kind == 0) bytes[pick(rng, 0, bytes.size() - 1)] ^= static_cast<std::uint8_t>(1U << pick(rng, 0, 7));
      if (kind == 1) bytes[pick(rng, 0, bytes.size() - 1)] = static_cast<std::uint8_t>(rng());
      if (kind == 2 && pick(rng, 0, 9) == 0) {
        bytes.resize(pick(rng, 0, bytes.size()));
        if (pick(rng, 0, 1) == 0) set_size(bytes);
      }
      expected.push_back(math::decode_program(bytes).has_value());
      programs.push_back(std::move(bytes));
    }
    const Bytes answer = harness.call("forms(bytes[])", programs);
    const auto found = AbiReader(answer).bytes();
    ASSERT_TRUE(found.has_value());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ((*found)[i] == 1, expected[i]) << "program " << all + i << ": " << math::to_hex(programs[i]);
      if (expected[i]) ++well_formed;
    }
    all += expected.size();
  }
  EXPECT_GT(well_formed, all / 5);
  EXPECT_LT(well_formed, all * 4 / 5);
}

}  // namespace
}  // namespace tally::chain
