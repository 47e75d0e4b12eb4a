#include "chain_adapter/chain/chain.h"

#include <stdexcept>

#include "chain_adapter/embedded/embedded_chain.h"
#include "chain_adapter/evm/evm_chain.h"

namespace tally::chain {

namespace {

constexpr std::string_view kEmbedded = "embedded:";
constexpr int kTries = 3;

[[noreturn]] void interrupt(const TransactionId& id, std::string_view name) {
  throw Interrupted("interrupted: " + std::string(name) + ", transaction " + to_hex(id) +
                    ", was sent, and may still get into a block. While it waits, the same again (a task with the same "
                    "--salt) goes on with it; once it is done, that is done twice or refused: look first, with `tally "
                    "chain events`");
}

/// kApplied, kRefused or kFailed.
TransactionFate wait_for(ChainAdapter& chain, const TransactionId& id, std::string_view name) {
  for (Wait wait(chain.waiting(), std::string(name) + ", transaction " + to_hex(id) + ",");; wait.pause()) {
    TransactionFate fate;
    try {
      fate = chain.fate(id);
    } catch (const std::runtime_error&) {
      if (wait.is_stopped()) interrupt(id, name);
      throw;
    }
    switch (fate.kind) {
      case TransactionFate::Kind::kApplied:
      case TransactionFate::Kind::kRefused:
      case TransactionFate::Kind::kFailed:
        return fate;
      case TransactionFate::Kind::kUnknown:
        throw std::runtime_error("nobody knows the transaction " + to_hex(id) +
                                 " any more: see whether it was done, and do it again where it was not");
      case TransactionFate::Kind::kPending:
        break;
    }
    if (wait.is_stopped()) interrupt(id, name);
  }
}

}  // namespace

TransactionFate submit_and_wait(ChainAdapter& chain, const Submission& submission) {
  const std::string_view name = proof::name_of(submission.transaction);
  for (int tried = 1;; ++tried) {
    const TransactionId id = chain.submit(submission);
    TransactionFate fate = wait_for(chain, id, name);
    if (fate.kind != TransactionFate::Kind::kFailed) return fate;
    if (tried == kTries) {
      throw std::runtime_error(std::string(name) + " failed " + std::to_string(kTries) +
                               " times, last as transaction " + to_hex(id) + " in block " + std::to_string(fate.block) +
                               ", where it would be taken at the block's end: do it again later");
    }
  }
}

bool is_evm_chain(std::string_view where) { return where.starts_with("http://") || where.starts_with("https://"); }

std::filesystem::path embedded_file(std::string_view where) {
  if (where.starts_with(kEmbedded)) where.remove_prefix(kEmbedded.size());
  if (where.empty() || where.find("://") != std::string_view::npos) {
    throw std::invalid_argument("the chain \"" + std::string(where) + "\": give embedded:FILE, or the file alone");
  }
  return where;
}

std::unique_ptr<ChainAdapter> open_chain(std::string_view where, const Waiting& waiting) {
  if (is_evm_chain(where)) return open_evm_chain(where, waiting);
  return std::make_unique<EmbeddedChain>(embedded_file(where));
}

}  // namespace tally::chain
