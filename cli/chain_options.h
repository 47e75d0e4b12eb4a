// What the commands that talk to a chain share: which chain, which key, amounts, and sending a transaction.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <stdexcept>
#include <string>

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/sqlite/database.h"
#include "cli/console.h"
#include "cli/exit_code.h"

namespace tally::cli {

/// --chain, or the environment's TALLY_CHAIN.
void add_chain_option(CLI::App& command, std::string& where);

/// Waits end with an interruption, and the console tells of long ones.
[[nodiscard]] chain::Waiting waiting_at(const Console& console);

/// A Failure says what is wrong with `where`, or with the file behind it.
[[nodiscard]] std::unique_ptr<chain::ChainAdapter> open_chain(const std::string& where, const Console& console);

/// A Failure (bad input) where another file must be named; returns where the outside world is to blame.
void refuse_unusable(const chain::DatabaseError& error);

/// What `work` gives, with the faults of what the user named as a Failure.
template <class Work>
auto with_chain_errors(const Work& work) {
  try {
    return work();
  } catch (const std::invalid_argument& error) {
    bad_input(error.what());
  } catch (const chain::DatabaseError& error) {
    refuse_unusable(error);
    throw;
  }
}

/// --key and --password-file, or the environment's TALLY_KEY and TALLY_PASSWORD_FILE.
struct KeyFlags {
  std::string key;
  std::string password_file;
};
void add_key_options(CLI::App& command, KeyFlags& flags);

/// The key of a keystore, or development key N where it is "dev:N", with a warning.
[[nodiscard]] proof::PrivateKey load_key(const KeyFlags& flags, Console& console);

/// Waits for the transaction's fate. A refused one is a Failure (found invalid) that names the reason.
chain::TransactionFate send(chain::ChainAdapter& chain, const chain::Submission& submission);

/// That the chain refused it, and by which reason.
[[noreturn]] void fail_refused(const proof::Transaction& transaction, const proof::ChainRefusal& refusal);

/// --task: a Failure where it is no id, or the chain has no such task.
[[nodiscard]] proof::TaskId parse_task_argument(chain::ChainAdapter& chain, const std::string& text);

/// "5", "20gwei", "1.5ether". A Failure names the flag.
[[nodiscard]] proof::Wei parse_wei_argument(const std::string& flag, const std::string& text);

/// A batch, task, game or transaction id: 0x and 64 digits. A Failure names the flag.
template <class Id>
[[nodiscard]] Id parse_id_argument(const std::string& flag, const std::string& text) {
  Id id{};
  if (!math::from_hex(text, id.digest.bytes)) bad_input(flag + " " + text + ": not an id, 0x and 64 digits");
  return id;
}

/// 2026-11-21 11:29:18 UTC.
[[nodiscard]] std::string time_text(std::uint64_t time_s);

}  // namespace tally::cli
