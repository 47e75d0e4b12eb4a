// What proving one transition costs on a node, as a transaction to the settlement: the game is played to that
// transition over a made-up batch, in which the poster claims what is asked for.
#pragma once

#include <functional>
#include <memory>

#include "deterministic_math/bytecode/cost.h"
#include "fraud_proof/step/one_step.h"
#include "verifier/lab/gas_node.h"
#include "verifier/lab/made_up_batch.h"

namespace tally::test {

struct ProofCase {
  const math::Program& program;  // reads no seed, and is valid
  std::vector<std::uint64_t> dims;
  std::uint32_t leaf_bytes = 64;
  proof::Transition transition{};
  /// What both sides agree on before it; of transition 0 it is the program's.
  math::Accumulators before{};
};

class ProofCost {
 public:
  /// Posts the batch, and plays a game over it until the move is due that proves the transition.
  ProofCost(const ProofCase& tried, verifier::LabChain& chain, verifier::GasNode& node);

  [[nodiscard]] const std::vector<std::uint8_t>& witness() const { return x_witness; }
  /// What the node says to a proof with these bytes. One that is taken ends the game.
  [[nodiscard]] verifier::GasNode::Outcome prove(const std::vector<std::uint8_t>& witness);
  /// The validator's bound, of the section that runs.
  [[nodiscard]] const math::SectionCost& bound() const { return x_bound; }

 private:
  [[nodiscard]] bool is_step() const;
  void run_and_commit();
  [[nodiscard]] proof::Move next_move();

  ProofCase x_case;
  verifier::LabChain& x_chain;
  verifier::GasNode& x_node;
  proof::Address x_challenger;
  verifier::MadeUpBatch x_batch;
  math::Accumulators x_false_end{};  // of a step
  proof::BatchHeader x_header;
  proof::Game x_game;
  std::vector<std::uint8_t> x_witness;
  math::SectionCost x_bound;
};

}  // namespace tally::test
