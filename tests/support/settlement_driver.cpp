#include "tests/support/settlement_driver.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/settlement/money.h"
#include "fraud_proof/signing/eip712.h"
#include "fraud_proof/step/one_step.h"
#include "tests/support/games_on_chain.h"

namespace tally::test {

using namespace tally::proof;

namespace {

constexpr std::size_t kMostBatches = 8;
constexpr std::uint8_t kFirstDevice = 100;
constexpr std::uint8_t kDevices = 2;

/// Another value of any type.
void flip_lowest_bit(std::vector<std::byte>& table) { table.front() ^= std::byte{1}; }

}  // namespace

SettlementDriver::SettlementDriver(SettlementWorld& world, Choice choose)
    : x_world(world), x_choose(std::move(choose)) {
  x_people = {&world.creator(), &world.poster(), &world.challenger(), &world.other(), &world.wallet(0)};
  for (std::uint8_t i = 0; i < kDevices; ++i) {
    x_devices.push_back(small_key(static_cast<std::uint8_t>(kFirstDevice + i)));
  }
  for (const PrivateKey* person : x_people) x_addresses.push_back(person->address());
  x_supply = supply();
}

void SettlementDriver::step() {
  using Action = void (SettlementDriver::*)();
  constexpr std::array kActions = {&SettlementDriver::wait,     &SettlementDriver::tasks_and_members,
                                   &SettlementDriver::post,     &SettlementDriver::post,
                                   &SettlementDriver::tree,     &SettlementDriver::tree,
                                   &SettlementDriver::open,     &SettlementDriver::open,
                                   &SettlementDriver::move,     &SettlementDriver::move,
                                   &SettlementDriver::move,     &SettlementDriver::move,
                                   &SettlementDriver::end_game, &SettlementDriver::show_proof,
                                   &SettlementDriver::requests, &SettlementDriver::money_out};
  if (x_batches.empty()) return post();
  const Action action = kActions[x_choose(kActions.size())];
  (this->*action)();
  check();
}

bool SettlementDriver::send(const PrivateKey& sender, const Wei& value, const Transaction& transaction) {
  if (chance(16)) send_changed(sender, value, transaction);
  if (chance(16)) check_repeatable(sender, value, transaction);
  const auto effects = x_world.chain().send(address_of(sender), value, transaction);
  if (effects) ++x_accepted[transaction.index()];
  if (effects) note(effects->events);
  return effects.has_value();
}

void SettlementDriver::send_changed(const PrivateKey& sender, const Wei& value, const Transaction& transaction) {
  std::vector<std::uint8_t> bytes = encode(transaction);
  const std::size_t changes = x_choose(3) + 1;
  for (std::size_t i = 0; i < changes; ++i) {
    bytes[x_choose(bytes.size())] ^= static_cast<std::uint8_t>(x_choose(255) + 1);
  }
  // Simulated only: a batch or game of changed bytes would be unknown here.
  if (const auto changed = decode_transaction(bytes)) {
    static_cast<void>(x_world.chain().simulate(address_of(sender), value, *changed));
  }
}

void SettlementDriver::check_repeatable(const PrivateKey& sender, const Wei& value, const Transaction& transaction) {
  const auto here = x_world.chain().simulate(address_of(sender), value, transaction);
  Settlement fresh;
  const auto there = fresh.apply(x_world.state(), x_world.chain().next_block(),
                                 {.sender = address_of(sender), .value = value, .transaction = transaction});
  TALLY_ASSERT(here.has_value() == there.has_value());
  if (!here) {
    TALLY_ASSERT(here.error().reason == there.error().reason && here.error().message == there.error().message);
    return;
  }
  TALLY_ASSERT(std::ranges::equal(here->writes, there->writes, [](const Write& a, const Write& b) {
    return a.key == b.key && a.record == b.record;
  }));
  TALLY_ASSERT(std::ranges::equal(here->events, there->events,
                                  [](const Event& a, const Event& b) { return encode(a) == encode(b); }));
}

void SettlementDriver::note(const std::vector<Event>& events) {
  const auto batch_of = [this](const BatchId& id) {
    const auto found = std::ranges::find(x_batches, id, &WorldBatch::id);
    TALLY_ASSERT(found != x_batches.end());
    return static_cast<std::size_t>(found - x_batches.begin());
  };
  const auto end_request = [this, &batch_of](const BatchId& batch, const OpeningKey& leaf) {
    for (KnownRequest& request : x_requests) {
      if (request.batch == batch_of(batch) && request.leaf == leaf) request.open = false;
    }
  };
  for (const Event& event : events) {
    if (const auto* opened = std::get_if<GameOpened>(&event)) {
      x_games[opened->game.id] = {.game = opened->game, .batch = batch_of(opened->game.batch)};
    } else if (const auto* moved = std::get_if<GameMoved>(&event)) {
      x_games.at(moved->game.id).game = moved->game;
    } else if (const auto* ended = std::get_if<GameEnded>(&event)) {
      x_games.at(ended->game).open = false;
    } else if (const auto* requested = std::get_if<LeafRequested>(&event)) {
      x_requests.push_back({.leaf = requested->leaf, .batch = batch_of(requested->batch)});
    } else if (const auto* answered = std::get_if<RequestAnswered>(&event)) {
      end_request(answered->batch, answered->leaf);
    } else if (const auto* withheld = std::get_if<RequestWithheld>(&event)) {
      end_request(withheld->batch, withheld->leaf);
    }
  }
}

void SettlementDriver::check() {
  TALLY_ASSERT(supply() == x_supply);
  std::size_t final_children = 0;
  for (std::size_t i = 0; i < x_batches.size(); ++i) {
    const BatchId id = x_batches[i].id();
    const NodeRecord node = x_world.node(id);
    const auto is_of = [i](const auto& known) { return known.open && known.batch == i; };
    const auto games = std::ranges::count_if(x_games, [&](const auto& game) { return is_of(game.second); });
    TALLY_ASSERT(node.open_games == static_cast<std::uint64_t>(games));
    TALLY_ASSERT(node.open_requests == static_cast<std::uint64_t>(std::ranges::count_if(x_requests, is_of)));
    TALLY_ASSERT(!x_final.contains(id) || node.state == NodeState::kFinal);
    TALLY_ASSERT(!x_lost.contains(id) || node.state == NodeState::kLost);
    if (node.state == NodeState::kFinal) {
      const NodeRecord parent = x_world.node(node.parent);
      TALLY_ASSERT(parent.state == NodeState::kFinal && parent.final_child == id);
      TALLY_ASSERT(node.bond == Wei{});
      x_final.insert(id);
      ++final_children;
    }
    if (node.state == NodeState::kLost) x_lost.insert(id);
  }
  TALLY_ASSERT(x_world.status().final_number == final_children);
}

void SettlementDriver::wait() {
  const TaskSettings& settings = x_world.settings();
  const std::array<std::uint64_t, 6> times = {1,
                                              settings.window_s,
                                              settings.request_period_s,
                                              settings.challenge_period_s,
                                              settings.game_clock_s,
                                              settings.exit_delay_s};
  x_world.chain().advance(times[x_choose(times.size())] + x_choose(2));
  if (chance(4)) x_world.chain().mine(x_choose(300));
}

Wei SettlementDriver::about(const Wei& amount) {
  if (!chance(16)) return amount;
  return {amount.value + x_choose(3) - std::min<math::u128>(amount.value, 1)};
}

const PrivateKey& SettlementDriver::wallet_of(std::uint64_t member) {
  const auto record = read_member(x_world.state(), x_world.task(), member);
  return record ? person(record->wallet) : anyone();
}

const PrivateKey& SettlementDriver::person(const Address& address) const {
  const auto found = std::ranges::find(x_addresses, address);
  TALLY_ASSERT(found != x_addresses.end());
  return *x_people[static_cast<std::size_t>(found - x_addresses.begin())];
}

const Address& SettlementDriver::address_of(const PrivateKey& person) const {
  const auto found = std::ranges::find(x_people, &person);
  TALLY_ASSERT(found != x_people.end());
  return x_addresses[static_cast<std::size_t>(found - x_people.begin())];
}

Wei SettlementDriver::supply() {
  Wei sum = x_world.chain().held();
  for (const Address& address : x_addresses) sum.value += x_world.chain().balance(address).value;
  return sum;
}

void SettlementDriver::tasks_and_members() {
  const TaskId task = chance(16) ? TaskId{} : x_world.task();
  const std::uint64_t member = x_choose(x_world.status().members + (chance(16) ? 1 : 0));
  const PrivateKey& sender = chance(8) ? anyone() : wallet_of(member);
  const PrivateKey& device = x_devices[x_choose(x_devices.size())];
  switch (x_choose(7)) {
    case 0:
      send(sender, {x_choose(1'000)}, Fund{.task = task});
      return;
    case 1:
      send(anyone(), about(x_world.settings().min_stake), Register{.task = task});
      return;
    case 2: {
      const chain::ChainIdentity identity = x_world.chain().identity();
      const KeccakDigest hash = key_binding_hash(
          domain_separator(tallystick_domain(identity.chain_id, identity.contract)), task, member, sender.address());
      send(sender, {},
           BindKey{.task = task, .member = member, .key = device.address(), .signature = sign(device, hash.bytes)});
      return;
    }
    case 3: {
      const auto binding_of = [this](const PrivateKey& key) {
        return read_binding(x_world.state(), x_world.task(), key.address());
      };
      const auto bound =
          std::ranges::find_if(x_devices, [&](const PrivateKey& key) { return binding_of(key).has_value(); });
      const PrivateKey& key = bound == x_devices.end() || chance(4) ? device : *bound;
      const auto binding = binding_of(key);
      const std::uint64_t owner = binding ? binding->member : member;
      send(binding ? wallet_of(owner) : sender, {}, UnbindKey{.task = task, .member = owner, .key = key.address()});
      return;
    }
    case 4:
      send(sender, {}, RequestExit{.task = task, .member = member});
      return;
    case 5:
      send(sender, {}, WithdrawStake{.task = task, .member = member});
      return;
    default: {
      CreateTask another = x_world.creation();
      another.salt.front() = static_cast<std::uint8_t>(x_choose(4));
      send(anyone(), {}, another);
    }
  }
}

void SettlementDriver::post() {
  if (x_batches.size() >= kMostBatches) return;
  WorldBatch* parent = x_batches.empty() || chance(3) ? nullptr : &x_batches[some_batch()];
  const std::uint64_t lie = x_choose(5);
  WorldBatch batch = x_world.make_batch({.parent = parent,
                                         .records = x_choose(3) + 2,
                                         .random_seed = x_choose(1'000) + 1,
                                         .alter =
                                             [&](RandomBatch& data) {
                                               if (lie == 0) add_to(x_world.program(), data, kTotal, 0, 1);
                                               if (lie == 1) flip_lowest_bit(data.table(kNextModel));
                                               if (lie == 2) data.nonces()[1] = data.nonces()[0] = 0;
                                             },
                                         .poster = &anyone()});
  batch.post().delegate = anyone().address();
  const auto effects =
      x_world.chain().send(batch.header().poster, about(x_world.settings().sequencer_bond), batch.post());
  if (!effects) return;
  ++x_accepted[Transaction(Post{}).index()];
  TALLY_ASSERT(std::get<Posted>(effects->events.front()).header == batch.header());
  x_batches.push_back(std::move(batch));
}

void SettlementDriver::tree() {
  WorldBatch& batch = x_batches[some_batch()];
  switch (x_choose(4)) {
    case 0:
      send(anyone(), {}, SkipInvalid{.task = x_world.task(), .parent = chance(2) ? kGenesisParent : batch.id()});
      return;
    case 1:
      send(anyone(), {}, ReleaseBond{.header = batch.header()});
      return;
    case 2:
      send(anyone(), {}, SealSeed{.task = x_world.task(), .parent = chance(2) ? kGenesisParent : batch.id()});
      return;
    default:
      if (chance(2)) x_world.chain().advance(x_world.settings().challenge_period_s);
      send(anyone(), {}, Finalize{.header = batch.header()});
  }
}

void SettlementDriver::open() {
  WorldBatch& batch = x_batches[some_batch()];
  const auto item = static_cast<std::uint16_t>(x_choose(x_world.program().items.size()));
  const Wei bond = about(x_world.settings().challenger_bond);
  const auto salt = static_cast<std::uint8_t>(x_choose(3));
  if (chance(3)) {
    send(anyone(), bond, descent(x_world, batch, item, salt));
    return;
  }
  const auto& extents = x_world.program().items[item].extents;
  const std::uint64_t entries = math::element_count(extents, batch.data().values());
  OpenGame opened = opening(batch, item, x_choose(entries), salt);
  if (chance(16)) opened.entry += 1;
  send(anyone(), bond, opened);
}

Move SettlementDriver::sensible_move(const KnownGame& known) {
  WorldBatch& batch = x_batches[known.batch];
  const Game& game = known.game;
  switch (game.phase) {
    case Phase::kReveal:
      return reveal_with(game, batch.committed());
    case Phase::kDescend: {
      Descend move;
      for (const Descent& descent : game.descents) {
        if (!descent.located) move.children.push_back(static_cast<std::uint8_t>(x_choose(descent.children.size() + 1)));
      }
      return move;
    }
    case Phase::kChoose: {
      const auto& extents = x_world.program().items[game.item].extents;
      const std::uint64_t entry = x_choose(math::element_count(extents, batch.data().values()));
      return Choose{.item = game.item,
                    .entry = entry,
                    .openings = make_result_openings(batch.committed().batch(), game.item, entry, batch.committed())};
    }
    case Phase::kRespond: {
      const auto committed = x_world.chain().settlement().committed_batch(x_world.state(), batch.header());
      TALLY_ASSERT(committed.has_value());
      const std::uint64_t lie = x_choose(3);
      const StateAt truth = truth_of(x_world, batch, game.item, game.entry);
      return respond_with({.batch = *committed, .arity = x_world.settings().arity}, game, [&](std::uint64_t number) {
        math::Accumulators claim = truth(number);
        claim[0] += lie;
        return claim;
      });
    }
    case Phase::kNarrow:
    case Phase::kProve:
      return next_move(x_world, batch, game).move;
  }
  TALLY_ASSERT(false);
}

void SettlementDriver::move() {
  if (x_games.empty()) return;
  const KnownGame& known = std::next(x_games.begin(), static_cast<std::ptrdiff_t>(x_choose(x_games.size())))->second;
  if (!known.open && !chance(8)) return;
  Move move = chance(8) ? Move(Narrow{.segment = static_cast<std::uint8_t>(x_choose(4))}) : sensible_move(known);
  if (chance(16)) move = Respond{.claims = std::vector<std::uint8_t>(x_choose(9))};
  MakeMove made{.header = x_batches[known.batch].header(), .game = known.game, .move = std::move(move)};
  if (chance(16)) made.header = x_batches[some_batch()].header();
  if (chance(16)) made.game.moved_at_s += 1;
  const Address mover = to_move(known.game.phase) == Side::kPoster ? known.game.poster : known.game.challenger;
  send(chance(8) ? anyone() : person(mover), {}, made);
}

void SettlementDriver::end_game() {
  if (x_games.empty()) return;
  const Game& game = std::next(x_games.begin(), static_cast<std::ptrdiff_t>(x_choose(x_games.size())))->second.game;
  if (chance(2)) x_world.chain().advance(x_world.settings().game_clock_s);
  if (chance(2)) {
    send(anyone(), {}, ClaimTimeout{.game = game});
  } else {
    send(anyone(), {}, RefundGame{.game = game});
  }
}

void SettlementDriver::show_proof() {
  if (!x_committed.empty() && chance(2)) {
    const auto& [shown, sender] = x_committed[x_choose(x_committed.size())];
    send(*sender, {}, shown);
    return;
  }
  WorldBatch& batch = x_batches[some_batch()];
  const CommittedBatch& committed = batch.committed().batch();
  OpeningWriter openings(committed, batch.committed());
  openings.open({.object = math::kMemberObject, .record = 0, .leaf = 0});
  ShowProof shown{.header = batch.header(), .salt = {static_cast<std::uint8_t>(x_choose(2))}};
  switch (x_choose(3)) {
    case 0:
      openings.open({.object = math::kMemberObject, .record = 1, .leaf = 0});
      shown.proof = RecordOrderProof{.index = 0, .openings = openings.take()};
      break;
    case 1:
      shown.proof = RecordSignerProof{.index = 0, .openings = openings.take()};
      break;
    default:
      shown.proof = RecordSignatureProof{.index = 0, .openings = openings.take()};
      break;
  }
  const PrivateKey& sender = anyone();
  const Digest commitment = proof_commitment(sender.address(), batch.id(), shown.proof, shown.salt);
  if (!send(sender, {}, Commit{.commitment = commitment})) return;
  x_committed.emplace_back(shown, &sender);
  if (chance(2)) send(sender, {}, shown);
}

OpeningKey SettlementDriver::some_leaf() {
  constexpr std::array kInputs = {math::kMemberObject, kUpdates, kModel, kCredit, kMiddle, kTotal};
  const math::ObjectId object = kInputs[x_choose(kInputs.size())];
  const bool has_record = object == math::kMemberObject || object == kUpdates;
  return {.object = object,
          .record = has_record ? static_cast<std::uint32_t>(x_choose(3)) : 0,
          .leaf = chance(16) ? std::uint64_t{1} : std::uint64_t{0}};
}

void SettlementDriver::requests() {
  const auto& rule = std::get<LeafRequests>(x_world.settings().availability);
  if (x_requests.empty() || chance(3)) {
    const WorldBatch& batch = x_batches[some_batch()];
    send(anyone(), about(rule.request_bond), RequestLeaf{.header = batch.header(), .leaf = some_leaf()});
    return;
  }
  const KnownRequest request = x_requests[x_choose(x_requests.size())];
  WorldBatch& batch = x_batches[request.batch];
  if (chance(3)) {
    if (chance(2)) x_world.chain().advance(x_world.settings().window_s + 1);
    send(anyone(), {}, ClaimWithheld{.header = batch.header(), .leaf = request.leaf});
    return;
  }
  OpeningWriter openings(batch.committed().batch(), batch.committed());
  openings.open(request.leaf);
  AnswerRequest answer{.header = batch.header(), .leaf = request.leaf, .openings = openings.take()};
  if (chance(8)) answer.openings.pop_back();
  send(anyone(), {}, answer);
}

ClaimPayout SettlementDriver::payout(std::size_t number) {
  WorldBatch& batch = x_batches[number];
  CommittedMemory& committed = batch.committed();
  const auto states = committed.state_commitments();
  const std::uint64_t member = x_choose(2);
  const OpeningKey key = leaf_of(committed.batch(), kCredit, member);
  math::ByteWriter writer;
  write_opening(writer, key, committed.leaf(key));
  return {
      .header = batch.header(),
      .state_commitments = next_state(x_world.program(), {states.begin(), states.end()}, committed.table_commitments()),
      .object = kCredit,
      .member = member,
      .openings = writer.take()};
}

void SettlementDriver::money_out() {
  if (chance(2)) {
    send(anyone(), {}, Withdraw{});
  } else {
    if (chance(2)) send(anyone(), {x_choose(1'000)}, Fund{.task = x_world.task()});
    const auto latest = std::ranges::find(x_batches, x_world.status().final_batch, &WorldBatch::id);
    const bool found = latest != x_batches.end() && !chance(8);
    send(anyone(), {}, payout(found ? static_cast<std::size_t>(latest - x_batches.begin()) : some_batch()));
  }
}

void SettlementDriver::settle() {
  const TaskSettings& settings = x_world.settings();
  const PrivateKey& other = x_world.other();
  for (std::uint64_t member = 0; member < x_world.status().members; ++member) {
    send(wallet_of(member), {}, RequestExit{.task = x_world.task(), .member = member});
  }
  x_world.chain().advance(settings.exit_delay_s + 1);  // longer than every clock, window and period
  for (auto& [id, known] : x_games) {
    if (!known.open) continue;
    const bool lost = x_world.node(known.game.batch).state == NodeState::kLost;
    TALLY_ASSERT(lost ? send(other, {}, RefundGame{.game = known.game})
                      : send(other, {}, ClaimTimeout{.game = known.game}));
  }
  for (const KnownRequest& request : std::vector(x_requests)) {
    if (!request.open) continue;
    TALLY_ASSERT(send(other, {}, ClaimWithheld{.header = x_batches[request.batch].header(), .leaf = request.leaf}));
  }
  check();
  // Parents come before their children, and earlier siblings before later ones.
  for (const WorldBatch& batch : x_batches) {
    const auto status = batch_status(x_world.state(), x_world.task(), batch.id());
    if (status == BatchStatus::kPending) TALLY_ASSERT(send(other, {}, Finalize{.header = batch.header()}));
    const NodeRecord node = x_world.node(batch.id());
    if (node.bond != Wei{}) TALLY_ASSERT(send(other, {}, ReleaseBond{.header = batch.header()}));
  }
  check();
  for (std::uint64_t member = 0; member < x_world.status().members; ++member) {
    const MemberRecord record = *read_member(x_world.state(), x_world.task(), member);
    if (record.stake == Wei{}) continue;
    TALLY_ASSERT(send(wallet_of(member), {}, WithdrawStake{.task = x_world.task(), .member = member}));
  }
  for (const PrivateKey* person : x_people) send(*person, {}, Withdraw{});
  const Wei kept = x_world.status().pool;
  TALLY_ASSERT(x_world.chain().held().value == kept.value + read_burned(x_world.state()).value);
}

}  // namespace tally::test
