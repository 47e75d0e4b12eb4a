#include "tests/support/settlement_samples.h"

namespace tally::test {

using namespace tally::proof;

namespace {

Digest digest(std::uint8_t seed) { return math::sha256({&seed, 1}); }

Address address(std::uint8_t seed) {
  Address made;
  made.bytes.fill(seed);
  return made;
}

Salt salt(std::uint8_t seed) { return digest(seed).bytes; }

Signature signature(std::uint8_t seed) {
  Signature made;
  made.bytes.fill(seed);
  return made;
}

BatchHeader header() {
  return {.task = {digest(1)},
          .number = 7,
          .parent = {digest(2)},
          .record_count = 1'000,
          .records_root = digest(3),
          .prev_state_root = {digest(4)},
          .next_state_root = {digest(5)},
          .tables_root = digest(6),
          .poster = address(7)};
}

Game game() {
  Game made{.id = {digest(8)},
            .task = {digest(1)},
            .batch = {digest(9)},
            .poster = address(7),
            .delegate = address(10),
            .challenger = address(11),
            .bond = {12},
            .phase = Phase::kRespond,
            .poster_clock_s = 13,
            .challenger_clock_s = 14,
            .moved_at_s = 15,
            .item = 3,
            .entry = 16,
            .low = 0,
            .high = 101};
  made.at_low.front() = -17;
  made.results.front() = 18;
  return made;
}

TaskPreimage preimage() {
  return {.chain_id = 31'337,
          .contract = address(20),
          .creator = address(21),
          .salt = salt(22),
          .program_hash = digest(23),
          .dims = {2, 3},
          .params = {-1, 4},
          .settings = {.availability = KeeperQuorum{.threshold = 1, .keepers = {address(24)}}},
          .genesis_root = {digest(25)}};
}

std::vector<std::uint8_t> some_bytes() { return {1, 2, 3}; }

OpeningKey leaf() { return {.object = 4, .record = 5, .leaf = 6}; }

}  // namespace

std::vector<Transaction> sample_transactions() {
  const TaskId task{digest(1)};
  const BatchHeader shown = header();
  return {
      CreateTask{.salt = salt(30),
                 .bytecode = some_bytes(),
                 .dims = {1, 2},
                 .params = {-5, math::kI128Max},
                 .frac_bits = 16,
                 .settings = {.payout_unit = {31}},
                 .genesis_roots = {digest(32), digest(33)}},
      Fund{.task = task},
      Register{.task = task},
      BindKey{.task = task, .member = 34, .key = address(35), .signature = signature(36)},
      UnbindKey{.task = task, .member = 34, .key = address(35)},
      RequestExit{.task = task, .member = 34},
      WithdrawStake{.task = task, .member = 34},
      SealSeed{.task = task, .parent = {digest(2)}},
      Post{.task = task,
           .parent = shown,
           .state_commitments = {digest(37)},
           .record_count = 1'000,
           .records_root = digest(3),
           .table_roots = {digest(38), digest(39)},
           .delegate = address(10),
           .keepers = {{.position = 0, .signature = signature(40)}, {.position = 2, .signature = signature(41)}}},
      Post{.task = task, .record_count = 1},
      SkipInvalid{.task = task, .parent = {digest(2)}},
      Finalize{.header = shown},
      ReleaseBond{.header = shown},
      OpenGame{.header = shown, .item = 3, .entry = 16, .salt = salt(42), .openings = some_bytes()},
      OpenDescent{.header = shown, .item = 3, .tables = {4, 5}, .salt = salt(42), .roots = some_bytes()},
      MakeMove{.header = shown,
               .game = game(),
               .move = Reveal{.answers = {{.nodes = {digest(43)}, .leaf = {}}, {.nodes = {}, .leaf = some_bytes()}}}},
      MakeMove{.header = shown, .game = game(), .move = Descend{.children = {1, 2}}},
      MakeMove{.header = shown, .game = game(), .move = Choose{.item = 3, .entry = 16, .openings = some_bytes()}},
      MakeMove{.header = shown, .game = game(), .move = Respond{.claims = some_bytes()}},
      MakeMove{.header = shown, .game = game(), .move = Narrow{.segment = 4}},
      MakeMove{.header = shown, .game = game(), .move = Prove{.witness = some_bytes()}},
      MakeMove{.header = shown, .game = game(), .move = NarrowAndProve{.segment = 4, .witness = some_bytes()}},
      ClaimTimeout{.game = game()},
      RefundGame{.game = game()},
      Commit{.commitment = digest(44)},
      ShowProof{.header = shown, .proof = RecordOrderProof{.index = 45, .openings = some_bytes()}, .salt = salt(46)},
      ShowProof{.header = shown, .proof = RecordSignerProof{.index = 45, .openings = some_bytes()}, .salt = salt(46)},
      ShowProof{
          .header = shown, .proof = RecordSignatureProof{.index = 45, .openings = some_bytes()}, .salt = salt(46)},
      ShowProof{.header = shown,
                .proof = AdviceRangeProof{.object = 47, .element = 48, .openings = some_bytes()},
                .salt = salt(46)},
      RequestLeaf{.header = shown, .leaf = leaf()},
      AnswerRequest{.header = shown, .leaf = leaf(), .openings = some_bytes()},
      ClaimWithheld{.header = shown, .leaf = leaf()},
      ClaimPayout{
          .header = shown, .state_commitments = {digest(37)}, .object = 5, .member = 34, .openings = some_bytes()},
      Withdraw{},
  };
}

std::vector<Event> sample_events() {
  const TaskId task{digest(1)};
  const BatchId batch{digest(9)};
  return {
      TaskCreated{.task = task, .preimage = preimage(), .genesis_commitments = {digest(50)}},
      Funded{.task = task, .by = address(51), .amount = {52}},
      Registered{.task = task, .member = 34, .wallet = address(53), .stake = {54}},
      KeyBound{.task = task, .member = 34, .key = address(35)},
      KeyUnbound{.task = task, .member = 34, .key = address(35), .at_s = 55},
      ExitRequested{.task = task, .member = 34, .exit_at_s = 56},
      StakeWithdrawn{.task = task, .member = 34, .amount = {57}},
      SeedSealed{.task = task, .parent = {digest(2)}, .seed = digest(58)},
      Posted{.batch = batch,
             .header = header(),
             .state_commitments = {digest(37)},
             .table_roots = {digest(38), digest(39)},
             .seed = digest(58)},
      Finalized{.task = task, .batch = batch},
      BatchInvalid{.task = task,
                   .batch = batch,
                   .cause = LossCause::kAdviceRange,
                   .winner = address(11),
                   .reward = {59},
                   .burned = {60}},
      BondReleased{.batch = batch, .poster = address(7), .amount = {61}},
      GameOpened{.game = game()},
      GameMoved{.move = Respond{.claims = some_bytes()}, .by = address(7), .game = game()},
      GameEnded{.game = {digest(8)},
                .batch = batch,
                .outcome = GameOutcome::kPosterDisproved,
                .move = Prove{.witness = some_bytes()}},
      GameEnded{.game = {digest(8)}, .batch = batch, .outcome = GameOutcome::kRefunded},
      Committed{.by = address(11), .commitment = digest(44)},
      LeafRequested{.batch = batch, .leaf = leaf(), .by = address(11)},
      RequestAnswered{.batch = batch, .leaf = leaf(), .by = address(7), .openings = some_bytes()},
      PaidOut{.task = task, .object = 5, .member = 34, .wallet = address(53), .amount = {62}},
      Withdrawn{.by = address(53), .amount = {~math::u128{0}}},
      RequestWithheld{.batch = batch, .leaf = leaf(), .by = address(11)},
      Skipped{.task = task, .parent = batch, .first_live = 63},
  };
}

}  // namespace tally::test
