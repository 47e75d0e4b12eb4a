// The validator's bound on the gas of a section (deterministic_math/bytecode/cost.h) against whole transactions on a
// node: never below them, and not far above them where a section is as dear as it can be. TALLY_BOUND_PROGRAMS: of how
// many random programs; where it is many, all sections of the library are tried.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "deterministic_math/bytecode/opcodes.h"
#include "deterministic_math/bytecode/validator.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "tests/support/anvil.h"
#include "tests/support/dear_programs.h"
#include "tests/support/library_shapes.h"
#include "tests/support/memory_world.h"
#include "tests/support/proof_cost.h"
#include "tests/support/random_program.h"
#include "tests/support/wanted_count.h"

namespace tally::chain {
namespace {

using math::Program;
using test::pick;
using test::ProofCase;
using test::ProofCost;
using test::Rng;
using Outcome = verifier::GasNode::Outcome;
using Dims = std::vector<std::uint64_t>;

std::uint64_t percent(std::uint64_t part, std::uint64_t whole) { return 100 * part / whole; }

class GasBound : public ::testing::Test {
 protected:
  /// Anywhere within the declared bounds, small and large alike.
  Dims random_dims(const Program& program) {
    Dims dims;
    for (const math::Dim& dim : program.dims) {
      const std::uint64_t span = (dim.hi - dim.lo) >> pick(rng, 0, 28);
      dims.push_back(std::min(std::max<std::uint64_t>(dim.lo + pick(rng, 0, span), 1), dim.hi));
    }
    return dims;
  }

  /// What an honest challenger may agree with, at the ends of the proved ranges or anywhere.
  math::Accumulators random_accumulators(const math::Body& body) {
    math::Accumulators values{};
    const auto style = static_cast<test::ValueStyle>(pick(rng, 0, 1));
    for (std::size_t j = 0; j < body.accumulators.size(); ++j)
      values[j] = test::pick_value(rng, body.accumulators[j], style);
    return values;
  }

  /// With corrupted witnesses, and the right one.
  void try_section(const ProofCase& tried) {
    ProofCost cost(tried, bench->chain, bench->node);
    for (std::uint64_t i = cost.witness().empty() ? 0 : pick(rng, 0, 1); i > 0; --i) {
      std::vector<std::uint8_t> corrupted = cost.witness();
      corrupted[pick(rng, 0, corrupted.size() - 1)] ^= static_cast<std::uint8_t>(pick(rng, 1, 255));
      const Outcome refused = cost.prove(corrupted);
      EXPECT_FALSE(refused.taken);
      expect_below(cost.bound(), refused.gas);
    }
    const Outcome valid = cost.prove(cost.witness());
    expect_below(cost.bound(), valid.gas);
    ++sections;
    if (valid.taken) ++proved;
    most_percent = std::max(most_percent, percent(valid.gas, cost.bound().gas));
  }

  static void expect_below(const math::SectionCost& bound, std::uint64_t gas) {
    EXPECT_LE(gas, bound.gas) << bound.instructions << " instructions, " << bound.openings << " openings of "
                              << bound.opening_bytes << " bytes";
  }

  /// The sections of one item in so many, at a random entry and fold index.
  void try_program(const Program& program, const Dims& dims, std::uint32_t leaf_bytes, std::uint64_t of_items = 1) {
    const math::BatchValues values{.dims = dims};
    for (std::uint16_t item = 0; item < program.items.size(); ++item) {
      const std::uint64_t entries = element_count(program.items[item].extents, values);
      if (!program.items[item].body || entries == 0 || pick(rng, 1, of_items) != 1) continue;
      const std::uint64_t steps = math::fold_length(program, values, item);
      Dims numbers{steps};
      if (steps > 0) numbers.push_back(pick(rng, 0, steps - 1));
      for (const std::uint64_t number : numbers) {
        try_section({.program = program,
                     .dims = dims,
                     .leaf_bytes = leaf_bytes,
                     .transition = {item, pick(rng, 0, entries - 1), number},
                     .before = random_accumulators(*program.items[item].body)});
      }
    }
  }

  /// A section that is as dear as its bound says.
  void expect_tight(const std::string& name, const ProofCase& tried) {
    ProofCost cost(tried, bench->chain, bench->node);
    const Outcome valid = cost.prove(cost.witness());
    EXPECT_TRUE(valid.taken) << name;
    std::cout << name << ": " << valid.gas << " gas, bound " << cost.bound().gas << " ("
              << percent(cost.bound().gas, valid.gas) << " %)\n";
    EXPECT_LE(valid.gas, cost.bound().gas) << name;
    EXPECT_LE(cost.bound().gas, 2 * valid.gas) << name;
  }

  std::uint64_t gas_of(const Program& program) {
    ProofCost cost({.program = program, .dims = test::dear_dims(program), .leaf_bytes = 64}, bench->chain, bench->node);
    return cost.prove(cost.witness()).gas;
  }

  /// A node takes the longer for a block the more it has.
  void begin_anew() { bench = std::make_unique<Bench>(); }

  struct Bench {
    test::Anvil anvil{test::History::kLatest};
    verifier::GasNode node{anvil.rpc()};
    verifier::LabChain chain{node};
  };
  std::unique_ptr<Bench> bench = std::make_unique<Bench>();
  Rng rng{20'261'122};
  std::uint64_t sections = 0;
  std::uint64_t proved = 0;
  std::uint64_t most_percent = 0;
};

std::uint64_t wanted_programs() { return test::wanted_count("TALLY_BOUND_PROGRAMS", 60); }

TEST_F(GasBound, is_never_below_what_random_programs_take) {
  for (std::uint64_t i = wanted_programs(); i > 0; --i) {
    const Program program = test::random_program(rng, {.max_items = 6});
    const Dims dims = random_dims(program);
    const auto leaf_bytes = static_cast<std::uint32_t>(math::kMinLeafBytes << pick(rng, 0, 6));
    Dims most = dims;
    most.front() = program.dims.front().hi;
    if (proof::reads_seed(program) || std::ranges::count(dims, 0) > 0) continue;
    if (!validate_for_task(program, {.dims = most, .leaf_bytes = leaf_bytes}, ~std::uint64_t{0})) continue;
    try_program(program, dims, leaf_bytes);
    if (i % 50 == 0) begin_anew();
  }
  std::cout << sections << " sections, " << proved << " proved, at most " << most_percent << " % of the bound\n";
  EXPECT_GT(proved, sections / 2);
}

TEST_F(GasBound, is_never_below_what_the_library_takes) {
  for (const math::LibraryProgram& rule : math::library_programs()) {
    const math::CompiledProgram compiled =
        test::compile_library_program(std::string(rule.name), test::parameters_of(rule));
    if (proof::reads_seed(compiled.program)) continue;
    try_program(compiled.program, test::dims_of(compiled, {.records = 20, .length = 10'000}), 1024,
                wanted_programs() > 100 ? 1 : 5);
  }
  std::cout << sections << " sections, " << proved << " proved, at most " << most_percent << " % of the bound\n";
}

TEST_F(GasBound, prices_each_opcode_at_what_it_takes_and_at_most_twice_that) {
  for (const test::DearOpcode& dear : test::dear_opcodes()) {
    const std::uint64_t few = gas_of(test::repeated(dear, 50));
    const std::uint64_t many = gas_of(test::repeated(dear, 200));
    const std::uint64_t gas = (many - few) / 150;
    const math::OpInfo& info = math::opcode_info(dear.instruction.op);
    std::cout << info.mnemonic << ": " << gas << ", priced " << info.gas << '\n';
    EXPECT_LE(gas, info.gas) << info.mnemonic;
    EXPECT_LE(info.gas, 2 * gas) << info.mnemonic;
  }
}

TEST_F(GasBound, is_within_twice_of_what_the_dearest_sections_take) {
  for (const test::DearProgram& dear : test::dear_programs()) {
    expect_tight(dear.name, {.program = dear.program,
                             .dims = test::dear_dims(dear.program),
                             .leaf_bytes = dear.leaf_bytes,
                             .transition = dear.transition,
                             .before = dear.before});
  }
}

}  // namespace
}  // namespace tally::chain
