#include "chain_adapter/evm/evm_chain.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <numeric>
#include <set>
#include <stdexcept>
#include <utility>

#include "chain_adapter/chain/encoded_transaction.h"
#include "chain_adapter/chain/wei_text.h"
#include "chain_adapter/evm/call_data.h"
#include "chain_adapter/evm/deployment.h"
#include "chain_adapter/evm/refusal_of_call.h"
#include "chain_adapter/evm/short_forms.h"
#include "chain_adapter/evm/shown_batches.h"

namespace tally::chain {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kUsualConfirmations = 12;
constexpr std::uint64_t kMostConfirmations = 1'000'000;
constexpr std::size_t kRememberedRefusals = 4096;
/// Behind one URL there may be many nodes, some of them a few blocks behind the others, and one that is asked for the
/// logs of a range gives those that it has. So a block that fewer others are behind is asked for by its hash, which a
/// node that does not have it refuses.
constexpr std::uint64_t kOld = kUsualConfirmations;

std::uint64_t first_young_block(const Block& latest) { return latest.number < kOld ? 0 : latest.number - kOld + 1; }

std::string environment(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here changes it
  return value == nullptr ? std::string() : std::string(value);
}

void read_wei(const char* name, proof::Wei& amount) {
  const std::string text = environment(name);
  if (text.empty()) return;
  const auto given = parse_wei(text);
  if (!given) throw std::invalid_argument(std::string(name) + "=" + text + ": " + given.error());
  amount = *given;
}

bool is_development(std::uint64_t chain_id) { return chain_id == 1'337 || chain_id == 31'337; }

std::uint64_t confirmations_on(std::uint64_t chain_id, const EvmSettings& settings) {
  return settings.confirmations.value_or(is_development(chain_id) ? 0 : kUsualConfirmations);
}

fs::path file_in(const fs::path& folder, const ChainIdentity& identity, std::uint64_t confirmations) {
  return folder / ("evm-" + std::to_string(identity.chain_id) + "-" + math::to_hex(identity.contract.bytes) + "-" +
                   std::to_string(confirmations) + ".sqlite");
}

SenderSettings sending(SenderSettings settings, std::uint64_t confirmations) {
  settings.settled_blocks = std::min(settings.settled_blocks, confirmations);
  return settings;
}

[[noreturn]] void changes_while_read() {
  throw RpcFailure("the chain changes while it is read, or its nodes are not at the same block; try again");
}

/// Those on file, and more.
class LeftOutInMemory final : public LeftOut {
 public:
  explicit LeftOutInMemory(const LeftOut& base) : x_base(base) {}
  [[nodiscard]] bool any() const override { return !x_more.empty() || x_base.any(); }
  [[nodiscard]] bool has(const proof::TaskId& task) const override { return x_more.contains(task) || x_base.has(task); }
  void add(const proof::TaskId& task) override { x_more.insert(task); }

 private:
  const LeftOut& x_base;
  std::set<proof::TaskId> x_more;
};

std::string fate_unknown(const TransactionId& id) {
  return "the transaction " + to_hex(id) + " was sent, and its fate is not known: ";
}

}  // namespace

EvmSettings evm_settings_of_environment() {
  EvmSettings settings;
  if (const std::string text = environment("TALLY_CONFIRMATIONS"); !text.empty()) {
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count > kMostConfirmations)
      throw std::invalid_argument("TALLY_CONFIRMATIONS=" + text + ": not a number of blocks, at most a million");
    settings.confirmations = count;
  }
  read_wei("TALLY_MAX_FEE", settings.sending.max_fee);
  read_wei("TALLY_MAX_TIP", settings.sending.max_tip);
  settings.cache = environment("TALLY_CACHE");
  if (settings.cache.empty()) {
    const std::string cache = environment("XDG_CACHE_HOME");
    const std::string home = environment("HOME");
    if (cache.empty() && home.empty())
      throw std::invalid_argument("no folder for what is derived from the chain: set TALLY_CACHE");
    settings.cache = (cache.empty() ? fs::path(home) / ".cache" : fs::path(cache)) / "tallystick";
  }
  return settings;
}

std::optional<std::vector<std::uint8_t>> RecordsInMemory::read(math::Bytes key) const {
  const auto found = x_records.find(std::string(key.begin(), key.end()));
  return found == x_records.end() ? x_base.read(key) : std::optional(found->second);
}

void RecordsInMemory::write(const proof::Effects& effects) {
  for (const proof::Write& each : effects.writes)
    x_records[std::string(each.key.begin(), each.key.end())] = each.record;
}

struct EvmChain::Read {
  std::vector<SettlementCall> calls{};
  std::map<std::uint64_t, EvmBlock> blocks{};
};

EvmChain::EvmChain(RpcClient rpc, const EvmSettings& settings)
    : ChainAdapter(settings.waiting),
      x_rpc(std::move(rpc)),
      x_node(x_rpc),
      x_identity{.chain_id = x_node.chain_id(), .contract = settlement_address()},
      x_confirmations(confirmations_on(x_identity.chain_id, settings)),
      x_sender(x_node, x_identity.chain_id, settings.cache, sending(settings.sending, x_confirmations)),
      x_blocks_at_once(std::max<std::uint64_t>(settings.blocks_at_once, 1)),
      x_file(file_in(settings.cache, x_identity, x_confirmations)),
      x_derivation(x_identity) {
  check_settlement(x_node);
  fs::create_directories(settings.cache);
  x_database.emplace(x_file, derived_schema(),
                     DatabaseSettings{.mode = OpenMode::kEither,
                                      .fill = [this](Database& fresh) { begin_derived(fresh, x_identity, start()); }});
  x_tables.emplace(*x_database);
  x_tables->expect(x_identity);
  x_records.emplace(*x_tables);
}

/// Nodes that keep no history do not say when the contract was made: then all blocks are looked through.
Block EvmChain::start() {
  std::uint64_t low = 0;
  std::uint64_t high = x_node.latest().block.number;
  try {
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (x_node.code(x_identity.contract, middle).empty()) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
  } catch (const RpcError&) {
    low = 0;
  }
  const auto block = x_node.block(low == 0 ? 0 : low - 1);
  if (!block) changes_while_read();
  return block->block;
}

void EvmChain::follow() {
  const Block latest = x_node.latest().block;
  if (latest.hash == x_seen.hash) return;
  x_seen = {};  // what is half read is of no block
  begin_anew_after_reorganisation(latest);
  if (latest.number >= x_confirmations) confirm(latest.number - x_confirmations, latest);
  look_beyond(latest);
  x_seen = latest;
}

void EvmChain::begin_anew_after_reorganisation(const Block& latest) {
  const Block head = x_tables->head();
  // A node that is behind the one that was asked before is no reorganisation.
  if (head.number > latest.number && x_confirmations > 0) return;
  const auto there = x_node.block(head.number);
  if (there && there->block.hash == head.hash) return;
  // A node that lacks what it must have says nothing about the chain.
  if (!there && head.number <= latest.number) changes_while_read();
  const Block beginning = start();
  Transaction transaction(*x_database, Transaction::Kind::kWrite);
  if (x_tables->head() != head) return;  // another process was here first
  x_tables->begin_anew(beginning);
  transaction.commit();
}

void EvmChain::confirm(std::uint64_t last, const Block& latest) {
  for (;;) {
    const Block head = x_tables->head();
    if (head.number >= last) return;
    const std::uint64_t until = std::min(last, head.number + x_blocks_at_once);
    const auto end = x_node.block(until);
    Read blocks = read(head.number + 1, until, first_young_block(latest));
    const auto again = x_node.block(until);
    if (!end || !again || end->block != again->block) changes_while_read();
    blocks.blocks.emplace(until, *end);

    Transaction transaction(*x_database, Transaction::Kind::kWrite);
    if (x_tables->head() != head) continue;  // another process did it meanwhile
    keep(blocks, head);
    transaction.commit();
  }
}

/// Nodes limit how much they look through and how much they tell at once, each in its own way: then by halves.
std::vector<EvmLog> EvmChain::logs(std::uint64_t first, std::uint64_t last) {
  try {
    return x_node.logs(x_identity.contract, first, last);
  } catch (const RpcError&) {
    if (first == last) throw;
  } catch (const RpcFailure&) {
    if (first == last) throw;
    static_cast<void>(x_node.latest());  // it does answer, but not this
  }
  const std::uint64_t middle = std::midpoint(first, last);
  std::vector<EvmLog> all = logs(first, middle);
  std::vector<EvmLog> rest = logs(middle + 1, last);
  std::ranges::move(rest, std::back_inserter(all));
  return all;
}

std::vector<EvmLog> EvmChain::logs_of_block(std::uint64_t number) {
  const auto block = x_node.block(number);
  if (!block) changes_while_read();
  try {
    return x_node.logs(x_identity.contract, block->block.hash);
  } catch (const RpcError& error) {
    throw RpcFailure("a node does not give the logs of block " + std::to_string(number) + ", " +
                     math::to_hex(block->block.hash.bytes) + ": " + error.what() +
                     ": it may be behind the others; try again");
  }
}

/// From `first_young` on one block at a time.
EvmChain::Read EvmChain::read(std::uint64_t first, std::uint64_t last, std::uint64_t first_young) {
  std::vector<EvmLog> logs;
  if (first < first_young) logs = EvmChain::logs(first, std::min(last, first_young - 1));
  for (std::uint64_t number = std::max(first, first_young); number <= last; ++number)
    std::ranges::move(logs_of_block(number), std::back_inserter(logs));
  Read read;
  read.calls = settlement_calls(x_identity.contract, logs, [this](const EvmLog& log) { return call_of(log); });
  for (const EvmLog& log : logs) {
    if (read.blocks.contains(log.block)) continue;
    const auto block = x_node.block(log.block);
    if (!block || block->block.hash != log.block_hash) changes_while_read();
    read.blocks.emplace(log.block, *block);
  }
  return read;
}

/// Nodes may have no index of old transactions, but they have the blocks.
EvmCall EvmChain::call_of(const EvmLog& log) {
  if (auto call = x_node.transaction(log.transaction)) return *std::move(call);
  for (EvmSent& sent : x_node.transactions(log.block_hash)) {
    if (sent.id == log.transaction) return std::move(sent.call);
  }
  throw RpcFailure("a node tells of transaction " + to_hex(log.transaction) + " in block " + std::to_string(log.block) +
                   ", and does not have it: try again, or name a node that keeps all blocks and their transactions");
}

void EvmChain::keep(const Read& read, const Block& head) {
  x_tables->forget_if_empty(head);
  for (const auto& [number, block] : read.blocks) x_tables->append(block.block);
  try {
    for (const SettlementCall& call : read.calls) {
      const proof::Effects effects = derive(*x_tables, *x_tables, read, call);
      x_tables->append(call, effects);
    }
  } catch (const ChainDisagrees& error) {
    throw ChainDisagrees(std::string(error.what()) + "; the node may have left something out: delete " +
                         x_file.string() + " and ask another node. Where that one's answers disagree too, do not post");
  }
}

void EvmChain::look_beyond(const Block& latest) {
  x_records->clear();
  x_recent.clear();
  x_recent_events.clear();
  x_disagreement.clear();
  const Block head = x_tables->head();
  if (head.number >= latest.number) return;
  const Read blocks = read(head.number + 1, latest.number, latest.number + 1);
  const auto again = x_node.block(latest.number);
  if (!again || again->block.hash != latest.hash) changes_while_read();
  LeftOutInMemory left_out(*x_tables);
  try {
    for (const SettlementCall& call : blocks.calls) {
      const proof::Effects effects = derive(*x_records, left_out, blocks, call);
      x_records->write(effects);
      RecentEvents& recent = x_recent_events[call.transaction];
      recent.block = call.block;
      std::ranges::copy(effects.events, std::back_inserter(recent.events));
      for (const proof::Event& event : effects.events) {
        if (const auto* const posted = std::get_if<proof::Posted>(&event))
          x_recent.emplace(posted->batch, RecentBatch{.header = posted->header, .block = call.block});
      }
    }
  } catch (const ChainDisagrees& error) {
    x_disagreement = error.what();  // it may be a reorganisation; once it is taken for final, it is an alarm
  }
}

proof::Effects EvmChain::derive(const proof::StateReader& state, LeftOut& left_out, const Read& read,
                                const SettlementCall& call) {
  const auto hash = [&](std::uint64_t number) -> std::optional<proof::Digest> {
    const auto known = read.blocks.find(number);
    if (known != read.blocks.end()) return known->second.block.hash;
    const auto block = x_node.block(number);
    if (!block) changes_while_read();
    return block->block.hash;
  };
  const Asked asked{.hash = hash, .header = [this](const proof::BatchId& batch) { return header_of(batch); }};
  return x_derivation.derive(state, left_out, read.blocks.at(call.block), asked, call);
}

Head EvmChain::head() {
  follow();
  return {.block = x_node.latest().block.number, .time_s = x_node.next_time_s()};
}

Block EvmChain::confirmed() {
  follow();
  return x_tables->head();
}

std::vector<LoggedEvent> EvmChain::events(std::uint64_t from, std::size_t limit) {
  follow();
  return x_tables->events(from, limit);
}

std::map<proof::BatchId, Confirmations> EvmChain::unconfirmed() {
  follow();
  std::map<proof::BatchId, Confirmations> batches;
  for (const auto& [id, batch] : x_recent) batches[id] = {.has = x_seen.number - batch.block, .needs = x_confirmations};
  return batches;
}

const proof::StateReader& EvmChain::state() {
  follow();
  return *x_records;
}

proof::Wei EvmChain::balance(const proof::Address& account) { return x_node.balance(account); }

std::optional<proof::BatchHeader> EvmChain::header_of(const proof::BatchId& batch) {
  const auto recent = x_recent.find(batch);
  return recent == x_recent.end() ? x_tables->header(batch) : recent->second.header;
}

TransactionId EvmChain::submit(const Submission& submission) {
  const std::vector<std::uint8_t> bytes = encoded_transaction(submission.transaction);
  const Outgoing outgoing{.key = submission.key,
                          .to = x_identity.contract,
                          .value = submission.value,
                          .data = call_data_at(state(), submission.transaction, shortened(bytes),
                                               [this](const proof::BatchId& batch) { return header_of(batch); })};
  auto sent = x_sender.send(outgoing);
  if (sent) return *sent;
  if (x_refused.size() == kRememberedRefusals) x_refused.clear();
  // No node has it: a name of its own.
  math::ByteWriter name;
  name.raw(submission.key.address().bytes);
  name.u64be(x_refused.size());
  name.raw(bytes);
  const TransactionId id{math::sha256(name.take())};
  const EvmCall call{.sender = submission.key.address(), .value = submission.value, .data = outgoing.data};
  x_refused[id] = {
      .kind = TransactionFate::Kind::kRefused, .refusal = in_words(sent.error(), call), .bytes = outgoing.data.size()};
  return id;
}

/// The contract names a reason and no more. The machine says more, where it comes to the same.
proof::ChainRefusal EvmChain::in_words(const proof::ChainRefusal& refusal, const EvmCall& call) {
  const auto bytes = called_with(call.data);
  if (!bytes) return refusal;
  try {
    const proof::StateReader& records = state();
    EvmBlock next = x_node.latest();
    ++next.block.number;
    next.block.time_s = x_node.next_time_s();
    const Asked asked{.hash = [this](std::uint64_t number) -> std::optional<proof::Digest> {
                        const auto block = x_node.block(number);
                        return block ? std::optional(block->block.hash) : std::nullopt;
                      },
                      .header = [this](const proof::BatchId& batch) { return header_of(batch); }};
    const SettlementCall asked_for{.sender = call.sender, .value = call.value, .bytes = {bytes->begin(), bytes->end()}};
    if (auto told = x_derivation.refusal(records, next, asked, asked_for); told && told->reason == refusal.reason)
      return *std::move(told);
  } catch (const std::runtime_error&) {
    return refusal;  // words are not worth an error
  }
  return refusal;
}

TransactionFate EvmChain::fate(const TransactionId& id) {
  if (const auto refused = x_refused.find(id); refused != x_refused.end()) return refused->second;
  try {
    return fate_of_sent(id);
  } catch (const ChainDisagrees& error) {
    throw ChainDisagrees(fate_unknown(id) + error.what());
  } catch (const RpcFailure& error) {
    throw RpcFailure(fate_unknown(id) + error.what());
  } catch (const RpcError& error) {
    throw RpcError({error.code(), fate_unknown(id) + error.what(), error.data()}, error.may_be_done());
  }
}

TransactionFate EvmChain::fate_of_sent(const TransactionId& id) {
  const Whereabouts progress = x_sender.follow(id);
  switch (progress.kind) {
    case Whereabouts::Kind::kUnknown:
      break;
    case Whereabouts::Kind::kPending:
      return {.kind = TransactionFate::Kind::kPending, .bytes = progress.call.data.size()};
    case Whereabouts::Kind::kInBlock:
      return fate_in_block(progress.call, progress.receipt);
    case Whereabouts::Kind::kNonceUsed:
      return {.kind = TransactionFate::Kind::kRefused,
              .refusal = proof::ChainRefusal{.reason = proof::Reason::kWrongNonce,
                                             .message = "another transaction of " +
                                                        proof::to_text(progress.call.sender) + " took its nonce" +
                                                        (progress.other ? ": " + to_hex(*progress.other) : "")},
              .bytes = progress.call.data.size()};
  }
  const auto call = x_node.transaction(id);
  if (!call) return {};
  const auto receipt = x_node.receipt(id);
  if (!receipt) return {.kind = TransactionFate::Kind::kPending, .bytes = call->data.size()};
  return fate_in_block(*call, *receipt);
}

TransactionFate EvmChain::fate_in_block(const EvmCall& call, const EvmReceipt& receipt) {
  if (!receipt.taken) return refused(call, receipt);
  auto events = events_of(receipt);
  if (!events) return {.kind = TransactionFate::Kind::kPending, .bytes = call.data.size()};
  return {.kind = TransactionFate::Kind::kApplied,
          .block = receipt.block,
          .events = *std::move(events),
          .bytes = call.data.size(),
          .gas = receipt.gas};
}

/// In the block that the receipt names: a reorganisation may have put it into another one, or none, since.
std::optional<std::vector<proof::Event>> EvmChain::events_of(const EvmReceipt& receipt) {
  follow();
  if (receipt.block <= x_tables->head().number) return x_tables->events_of(receipt.transaction, receipt.block);
  const auto recent = x_recent_events.find(receipt.transaction);
  if (recent != x_recent_events.end() && recent->second.block == receipt.block) return recent->second.events;
  if (!x_disagreement.empty()) throw RpcFailure(x_disagreement);
  return std::nullopt;
}

/// Somebody's transaction came first. The block does not say why; the same call after it does, unless what stood
/// against it was undone in the same block.
TransactionFate EvmChain::refused(const EvmCall& call, const EvmReceipt& receipt) {
  try {
    static_cast<void>(x_node.simulate(call, receipt.block));
  } catch (const RpcError& error) {
    auto refusal = refusal_of_call(error);
    if (!refusal) refusal = refusal_by_what_it_rests_on(error);
    if (refusal) {
      refusal = in_words(*refusal, call);
      return {.kind = TransactionFate::Kind::kRefused,
              .block = receipt.block,
              .refusal = std::move(refusal),
              .bytes = call.data.size(),
              .gas = receipt.gas};
    }
  }
  return {
      .kind = TransactionFate::Kind::kFailed, .block = receipt.block, .bytes = call.data.size(), .gas = receipt.gas};
}

RpcClient rpc_client(std::string_view urls, const Waiting& waiting) {
  return {http_endpoints(urls, {.stop = waiting.stop}),
          {},
          [stop = waiting.stop](std::chrono::milliseconds time) { sleep_unless_stopped(stop, time); },
          waiting};
}

std::unique_ptr<EvmChain> open_evm_chain(std::string_view urls, const Waiting& waiting) {
  EvmSettings settings = evm_settings_of_environment();
  settings.waiting = waiting;
  return std::make_unique<EvmChain>(rpc_client(urls, waiting), settings);
}

}  // namespace tally::chain
