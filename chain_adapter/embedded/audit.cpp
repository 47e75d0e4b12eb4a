#include "chain_adapter/embedded/audit.h"

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

#include "chain_adapter/chain/wei_text.h"
#include "chain_adapter/embedded/block_builder.h"
#include "chain_adapter/embedded/tables.h"

namespace tally::chain {

namespace {

/// Bytes as text: GCC warns of comparing vectors of bytes.
using Key = std::string;

Key key_of(math::Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// Ends an audit: what is wrong.
struct Wrong {
  std::string what;
};

[[noreturn]] void wrong(std::string what) { throw Wrong{std::move(what)}; }

void expect(bool right, const std::string& what) {
  if (!right) wrong(what);
}

class Records final : public proof::StateReader {
 public:
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> read(math::Bytes key) const override {
    const auto found = x_records.find(key_of(key));
    return found == x_records.end() ? std::nullopt : std::optional(found->second);
  }
  void write(proof::Write write) { x_records[key_of(write.key)] = std::move(write.record); }
  [[nodiscard]] const std::map<Key, std::vector<std::uint8_t>>& all() const { return x_records; }

 private:
  std::map<Key, std::vector<std::uint8_t>> x_records;
};

class Audit {
 public:
  Audit(Database& database, Tables& tables)
      : x_tables(tables),
        x_genesis(tables.genesis()),
        x_identity{.chain_id = x_genesis.chain_id, .contract = contract_address(genesis_block(x_genesis))},
        x_event_rows(database, "SELECT transaction_number, kind, bytes FROM events WHERE position = ?") {}

  AuditReport run() {
    begin();
    x_tables.each_transaction([this](const StoredTransaction& stored) { repeat(stored); });
    const std::uint64_t last = x_tables.head().number;
    while (x_block.number < last) open_block();
    end_block();
    compare();
    return {.blocks = x_block.number + 1, .transactions = x_transactions, .events = x_events};
  }

 private:
  void begin() {
    try {
      check_genesis(x_genesis);
    } catch (const std::invalid_argument& error) {
      wrong(std::string("genesis: ") + error.what());
    }
    x_block = genesis_block(x_genesis);
    expect(x_tables.block(0) == x_block, "block 0: not the one that the genesis gives");
    x_hashes = {x_block.hash};
    for (const GenesisAccount& account : x_genesis.accounts) x_accounts[account.address].balance = account.balance;
  }

  /// Goes on to the next block of the file.
  void open_block() {
    end_block();
    const std::string name = "block " + std::to_string(x_block.number + 1);
    const auto next = x_tables.block(x_block.number + 1);
    if (!next) wrong(name + ": missing");
    expect(next->parent == x_block.hash, name + ": not on top of the block before it");
    expect(next->time_s >= x_block.time_s, name + ": before the block before it");
    x_block = *next;
    x_ids.clear();
    x_open = true;
  }

  void end_block() {
    if (!x_open) return;
    const Block parent{.number = x_block.number - 1, .hash = x_block.parent};
    expect(next_block(parent, x_block.time_s, x_ids).hash == x_block.hash,
           "block " + std::to_string(x_block.number) + ": its hash is not that of its transactions");
    x_hashes.push_back(x_block.hash);
    x_open = false;
  }

  void repeat(const StoredTransaction& stored) {
    const std::string name = "transaction " + std::to_string(x_transactions);
    expect(stored.number == x_transactions, name + ": missing");
    expect(stored.block > x_block.number || (x_open && stored.block == x_block.number), name + ": in an earlier block");
    while (x_block.number < stored.block) open_block();
    expect(stored.position == x_ids.size(), name + ": out of place in its block");
    expect(stored.id == transaction_id(stored.bytes), name + ": not the one of its id");

    const auto arrived = arrive(x_identity, stored.bytes);
    if (!arrived) wrong(name + ": " + arrived.error().message);
    expect(stored.sender == arrived->sender, name + ": from another sender");
    expect(stored.nonce == arrived->envelope.nonce && stored.nonce == x_accounts[stored.sender].nonce,
           name + ": out of the order of its sender's");
    expect(stored.kind == proof::name_of(arrived->transaction), name + ": of another kind");
    apply(*arrived, stored, name);
    x_ids.push_back(stored.id);
    ++x_transactions;
  }

  void apply(const Arrived& arrived, const StoredTransaction& stored, const std::string& name) {
    const proof::BlockContext context{.chain_id = x_identity.chain_id,
                                      .contract = x_identity.contract,
                                      .number = x_block.number,
                                      .time_s = x_block.time_s,
                                      .base_fee = x_genesis.base_fee,
                                      .block_hash = [this](std::uint64_t number) -> std::optional<proof::Digest> {
                                        if (number >= x_block.number || x_block.number - number > 256) return {};
                                        return x_hashes.at(number);
                                      }};
    auto effects = x_machine.apply(
        x_records, context,
        {.sender = arrived.sender, .value = arrived.envelope.value, .transaction = arrived.transaction});
    if (!effects) wrong(name + ": the settlement refuses it: " + effects.error().message);
    move_money(arrived.sender, x_identity.contract, arrived.envelope.value, name);
    for (const proof::Payment& payment : effects->payments) {
      move_money(x_identity.contract, payment.to, payment.amount, name);
    }
    ++x_accounts[arrived.sender].nonce;
    for (proof::Write& write : effects->writes) x_records.write(std::move(write));
    expect(stored.first_event == x_events && stored.events == effects->events.size(), name + ": with other events");
    for (const proof::Event& event : effects->events) compare(event);
  }

  void move_money(const proof::Address& from, const proof::Address& to, const proof::Wei& amount,
                  const std::string& name) {
    expect(x_accounts[from].balance >= amount, name + ": pays more than there is");
    x_accounts[from].balance.value -= amount.value;
    x_accounts[to].balance.value += amount.value;
  }

  void compare(const proof::Event& event) {
    const std::string name = "event " + std::to_string(x_events);
    Rows rows = x_event_rows.query(x_events);
    expect(rows.next(), name + ": missing");
    expect(rows.natural(0) == x_transactions, name + ": of another transaction");
    expect(rows.text(1) == proof::name_of(event) && std::ranges::equal(rows.blob(2), proof::encode(event)),
           name + ": not what the settlement said");
    ++x_events;
  }

  void compare() {
    expect(x_tables.next_event() == x_events, "event " + std::to_string(x_events) + ": of no transaction");
    proof::Wei supply;
    for (const GenesisAccount& account : x_genesis.accounts) supply.value += account.balance.value;
    proof::Wei owned;
    for (const StoredAccount& stored : x_tables.accounts()) {
      const auto found = x_accounts.find(stored.address);
      expect(found != x_accounts.end() && found->second == stored.account,
             "account " + proof::to_text(stored.address) + ": not what its transactions give");
      x_accounts.erase(found);
      owned.value += stored.account.balance.value;
    }
    for (const auto& [address, account] : x_accounts) {
      expect(account == Account{}, "account " + proof::to_text(address) + ": missing");
    }
    expect(owned == supply, "the accounts own " + to_text(owned) + " wei, and there are " + to_text(supply));
    auto record = x_records.all().begin();
    x_tables.each_record([&](math::Bytes key, math::Bytes bytes) {
      expect(
          record != x_records.all().end() && record->first == key_of(key) && std::ranges::equal(record->second, bytes),
          "record " + math::to_hex(key) + ": not what the settlement wrote");
      ++record;
    });
    expect(record == x_records.all().end(), "a record of the settlement is missing");
  }

  Tables& x_tables;
  Genesis x_genesis;
  ChainIdentity x_identity;
  Statement x_event_rows;
  proof::Settlement x_machine;
  Records x_records;
  std::map<proof::Address, Account> x_accounts;
  std::vector<proof::Digest> x_hashes;  // of the blocks that are closed
  Block x_block;
  bool x_open = false;  // transactions of x_block may follow
  std::vector<TransactionId> x_ids;
  std::uint64_t x_transactions = 0;
  std::uint64_t x_events = 0;
};

void check_pages(Database& database) {
  Statement statement(database, "PRAGMA integrity_check(1)");
  Rows rows = statement.query();
  expect(rows.next(), "SQLite's own check says nothing");
  expect(rows.text(0) == "ok", "SQLite: " + std::string(rows.text(0)));
}

}  // namespace

std::expected<AuditReport, std::string> audit(const std::filesystem::path& file) {
  Database database(file, embedded_schema());
  Transaction snapshot(database, Transaction::Kind::kRead);
  try {
    check_pages(database);
    Tables tables(database);
    return Audit(database, tables).run();
  } catch (const Wrong& found) {
    return std::unexpected(found.what);
  } catch (const DatabaseError& error) {
    if (error.fault() != DatabaseFault::kDamaged) throw;
    return std::unexpected(std::string(error.what()));
  }
}

}  // namespace tally::chain
