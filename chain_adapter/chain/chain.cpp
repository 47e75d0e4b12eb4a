#include "chain_adapter/chain/chain.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "chain_adapter/embedded/embedded_chain.h"
#include "chain_adapter/evm/evm_chain.h"

namespace tally::chain {

namespace {

constexpr std::string_view kEmbedded = "embedded:";
// A development node has it at once, others after a block.
constexpr std::chrono::milliseconds kFirstPause(5);
constexpr std::chrono::milliseconds kLongestPause(500);

}  // namespace

TransactionFate submit_and_wait(ChainAdapter& chain, const Submission& submission) {
  const TransactionId id = chain.submit(submission);
  for (auto pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    TransactionFate fate = chain.fate(id);
    if (fate.kind == TransactionFate::Kind::kApplied || fate.kind == TransactionFate::Kind::kRefused) return fate;
    if (fate.kind == TransactionFate::Kind::kUnknown) {
      throw std::runtime_error("nobody knows the transaction " + to_hex(id) +
                               " any more: see whether it was done, and do it again where it was not");
    }
    std::this_thread::sleep_for(pause);
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

std::unique_ptr<ChainAdapter> open_chain(std::string_view where) {
  if (is_evm_chain(where)) return open_evm_chain(where);
  return std::make_unique<EmbeddedChain>(embedded_file(where));
}

}  // namespace tally::chain
