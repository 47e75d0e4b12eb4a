#include "chain_adapter/chain/chain.h"

#include <chrono>
#include <stdexcept>
#include <thread>

#include "chain_adapter/embedded/embedded_chain.h"

namespace tally::chain {

namespace {

constexpr std::string_view kEmbedded = "embedded:";
constexpr std::chrono::milliseconds kPoll(200);

}  // namespace

TransactionFate submit_and_wait(ChainAdapter& chain, const Submission& submission) {
  const TransactionId id = chain.submit(submission);
  for (;;) {
    TransactionFate fate = chain.fate(id);
    if (fate.kind == TransactionFate::Kind::kApplied || fate.kind == TransactionFate::Kind::kRefused) return fate;
    std::this_thread::sleep_for(kPoll);
  }
}

std::filesystem::path embedded_file(std::string_view where) {
  if (where.starts_with(kEmbedded)) where.remove_prefix(kEmbedded.size());
  if (where.empty() || where.find("://") != std::string_view::npos) {
    throw std::invalid_argument("the chain \"" + std::string(where) + "\": give embedded:FILE, or the file alone");
  }
  return where;
}

std::unique_ptr<ChainAdapter> open_chain(std::string_view where) {
  return std::make_unique<EmbeddedChain>(embedded_file(where));
}

}  // namespace tally::chain
