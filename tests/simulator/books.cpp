#include "tests/simulator/books.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "fraud_proof/settlement/money.h"
#include "fraud_proof/settlement/settlement.h"
#include "tests/simulator/violation.h"

namespace tally::simulator {

namespace {

[[noreturn]] void fail(const std::string& what) { throw Violation("the books: " + what); }

std::string name_of(const std::vector<std::uint8_t>& key) { return {key.begin(), key.end()}; }

math::Bytes bytes_of(const std::string& key) { return {reinterpret_cast<const std::uint8_t*>(key.data()), key.size()}; }

std::string told(math::u128 amount) { return proof::describe(proof::Wei{amount}); }

// docs/spec.md 11.4.
math::u128 fee_of(std::size_t opening_bytes, const proof::Wei& base_fee) {
  return base_fee.value * (150'000 + 70 * opening_bytes) * 11 / 10;
}

}  // namespace

Books::Books(const Genesis& genesis) : x_genesis(genesis) {
  for (const auto& [key, record] : genesis.records) {
    x_money[key] = proof::money_in(bytes_of(key), record).value;
  }
}

const proof::TaskSettings& Books::settings(const proof::TaskId& task, const proof::StateReader& state) {
  const auto known = x_settings.find(task);
  if (known != x_settings.end()) return known->second;
  return x_settings.emplace(task, proof::read_task(state, task).value().preimage.settings).first->second;
}

void Books::put(const KeyBytes& key, const proof::Wei& amount) { x_money[name_of(key)] += amount.value; }

void Books::credit(const proof::Address& to, math::u128 amount) { put(proof::credit_key(to), {amount}); }

math::u128 Books::take_all(const KeyBytes& key, const std::string& what) {
  const math::u128 amount = std::exchange(x_money[name_of(key)], 0);
  if (amount == 0) fail(what + " is paid out, and nothing is there, or no more");
  return amount;
}

math::u128 Books::burn_share(math::u128 bond, const proof::TaskSettings& settings) {
  const math::u128 burned = bond * settings.burn_bps / 10'000;
  put(proof::burned_key(), {burned});
  return bond - burned;
}

void Books::enter(const chain::LoggedEvent& logged, const proof::StateReader& state) {
  const proof::Event& event = logged.event;
  enter_batch(event, state);
  enter_game(event, state);
  enter_request(event, state);
  enter_member(event, state);
  if (const auto* const withdrawn = std::get_if<proof::Withdrawn>(&event)) {
    const math::u128 credit = take_all(proof::credit_key(withdrawn->by), "a credit");
    if (credit != withdrawn->amount.value) fail("a credit of " + told(credit) + " is not withdrawn as such");
  }
}

void Books::enter_batch(const proof::Event& event, const proof::StateReader& state) {
  const auto bond_of = [&](const proof::BatchId& batch) {
    const proof::BatchHeader& header = x_headers.at(batch);
    return take_all(proof::node_key(header.task, batch), "the bond of a batch");
  };
  if (const auto* const posted = std::get_if<proof::Posted>(&event)) {
    const proof::TaskId& task = posted->header.task;
    x_headers[posted->batch] = posted->header;
    put(proof::node_key(task, posted->batch), settings(task, state).sequencer_bond);
  } else if (const auto* const final = std::get_if<proof::Finalized>(&event)) {
    credit(x_headers.at(final->batch).poster, bond_of(final->batch));
  } else if (const auto* const released = std::get_if<proof::BondReleased>(&event)) {
    credit(x_headers.at(released->batch).poster, bond_of(released->batch));
  } else if (const auto* const lost = std::get_if<proof::BatchInvalid>(&event)) {
    const math::u128 bond = bond_of(lost->batch);
    const math::u128 reward = burn_share(bond, settings(lost->task, state));
    if (lost->reward.value != reward || lost->burned.value != bond - reward) fail("a batch's bond is split wrongly");
    credit(lost->winner, reward);
  }
}

void Books::enter_game(const proof::Event& event, const proof::StateReader& state) {
  if (const auto* const opened = std::get_if<proof::GameOpened>(&event)) {
    const proof::Game& game = opened->game;
    const proof::BatchHeader& header = x_headers.at(game.batch);
    x_games[game.id] = {.poster = header.poster, .challenger = game.challenger, .task = header.task};
    put(proof::game_key(game.id), settings(header.task, state).challenger_bond);
  } else if (const auto* const ended = std::get_if<proof::GameEnded>(&event)) {
    end_game(*ended, state);
  }
}

void Books::end_game(const proof::GameEnded& ended, const proof::StateReader& state) {
  const Game& game = x_games.at(ended.game);
  const math::u128 bond = take_all(proof::game_key(ended.game), "the bond of a game");
  switch (ended.outcome) {
    case proof::GameOutcome::kPosterDisproved:
    case proof::GameOutcome::kPosterTimeout:
    case proof::GameOutcome::kRefunded:
      return credit(game.challenger, bond);
    case proof::GameOutcome::kChallengerTimeout:
      return credit(game.poster, burn_share(bond, settings(game.task, state)));
  }
}

void Books::enter_request(const proof::Event& event, const proof::StateReader& state) {
  if (const auto* const asked = std::get_if<proof::LeafRequested>(&event)) {
    const KeyBytes key = proof::request_key(asked->batch, asked->leaf);
    const auto& rule = settings(x_headers.at(asked->batch).task, state).availability;
    x_requesters[name_of(key)] = asked->by;
    put(key, std::get<proof::LeafRequests>(rule).request_bond);
  } else if (const auto* const answered = std::get_if<proof::RequestAnswered>(&event)) {
    answer(*answered, state);
  } else if (const auto* const withheld = std::get_if<proof::RequestWithheld>(&event)) {
    const KeyBytes key = proof::request_key(withheld->batch, withheld->leaf);
    credit(x_requesters.at(name_of(key)), take_all(key, "the bond of a request"));
  }
}

void Books::answer(const proof::RequestAnswered& answered, const proof::StateReader& state) {
  const KeyBytes key = proof::request_key(answered.batch, answered.leaf);
  const math::u128 bond = take_all(key, "the bond of a request");
  const math::u128 rest = burn_share(bond, settings(x_headers.at(answered.batch).task, state));
  const math::u128 fee = std::min(rest, fee_of(answered.openings.size(), x_genesis.base_fee));
  credit(answered.by, fee);
  credit(x_requesters.at(name_of(key)), rest - fee);
}

void Books::enter_member(const proof::Event& event, const proof::StateReader& state) {
  if (const auto* const funded = std::get_if<proof::Funded>(&event)) {
    put(proof::task_status_key(funded->task), funded->amount);
  } else if (const auto* const joined = std::get_if<proof::Registered>(&event)) {
    put(proof::member_key(joined->task, joined->member), joined->stake);
  } else if (const auto* const left = std::get_if<proof::StakeWithdrawn>(&event)) {
    const math::u128 stake = take_all(proof::member_key(left->task, left->member), "a stake");
    credit(proof::read_member(state, left->task, left->member).value().wallet, stake);
  } else if (const auto* const paid = std::get_if<proof::PaidOut>(&event)) {
    math::u128& pool = x_money[name_of(proof::task_status_key(paid->task))];
    if (paid->amount.value == 0 || paid->amount.value > pool) fail("a pool pays nothing, or more than it has");
    pool -= paid->amount.value;
    credit(proof::read_member(state, paid->task, paid->member).value().wallet, paid->amount.value);
  }
}

void Books::compare(const Records& records, const proof::Wei& held) const {
  math::u128 sum = 0;
  const auto hold = [&](const std::string& key, math::u128 amount, math::u128 expected) {
    if (amount == expected) return;
    fail("a record of kind " + std::to_string(bytes_of(key).front()) + " holds " + told(amount) + " and should hold " +
         told(expected));
  };
  for (const auto& [key, record] : records) {
    const math::u128 amount = proof::money_in(bytes_of(key), record).value;
    const auto expected = x_money.find(key);
    hold(key, amount, expected == x_money.end() ? 0 : expected->second);
    sum += amount;
  }
  for (const auto& [key, amount] : x_money) {
    if (!records.contains(key)) hold(key, 0, amount);
  }
  if (sum != held.value) fail("the records hold " + told(sum) + " together, and the settlement " + told(held.value));
}

}  // namespace tally::simulator
