#include "cli/chain_options.h"

#include <array>
#include <ctime>

#include "chain_adapter/chain/wei_text.h"
#include "chain_adapter/sqlite/database.h"
#include "cli/exit_code.h"
#include "cli/password.h"
#include "cli/signing_keys.h"
#include "fraud_proof/refusals/reason.h"

namespace tally::cli {

void add_chain_option(CLI::App& command, std::string& where) {
  command
      .add_option("--chain", where, "The chain: embedded:FILE, or the file alone; or the URL of an EVM chain's node")
      ->envname("TALLY_CHAIN")
      ->required();
}

chain::Waiting waiting_at(const Console& console) {
  return {.stop = console.stop(), .tell = [&console](const std::string& message) { console.warn(message); }};
}

std::unique_ptr<chain::ChainAdapter> open_chain(const std::string& where, const Console& console) {
  return with_chain_errors([&] { return chain::open_chain(where, waiting_at(console)); });
}

void refuse_unusable(const chain::DatabaseError& error) {
  switch (error.fault()) {
    case chain::DatabaseFault::kMissing:
    case chain::DatabaseFault::kExists:
    case chain::DatabaseFault::kForeign:
    case chain::DatabaseFault::kNewer:
      bad_input(error.what());
    case chain::DatabaseFault::kBusy:
    case chain::DatabaseFault::kFull:
    case chain::DatabaseFault::kReadOnly:
    case chain::DatabaseFault::kDamaged:
    case chain::DatabaseFault::kOther:
      return;
  }
}

void add_key_options(CLI::App& command, KeyFlags& flags) {
  command.add_option("--key", flags.key, "The keystore whose key signs, or dev:N for development key N")
      ->envname("TALLY_KEY")
      ->required();
  command.add_option("--password-file", flags.password_file, "File whose first line is the keystore's password")
      ->envname("TALLY_PASSWORD_FILE");
}

proof::PrivateKey load_key(const KeyFlags& flags, Console& console) {
  if (auto key = development_key_argument("--key", flags.key)) {
    console.warn(flags.key + " is a development key, which anyone can derive; give a keystore for real ones");
    return *std::move(key);
  }
  return open_keystore(flags.key, read_password(flags.password_file, Ask::kOnce));
}

chain::TransactionFate send(chain::ChainAdapter& chain, const chain::Submission& submission) {
  chain::TransactionFate fate = chain::submit_and_wait(chain, submission);
  if (fate.refusal) fail_refused(submission.transaction, *fate.refusal);
  return fate;
}

void fail_refused(const proof::Transaction& transaction, const proof::ChainRefusal& refusal) {
  throw Failure(ExitCode::kFoundInvalid, "the chain refused " + std::string(name_of(transaction)) + ": " +
                                             std::string(to_string(refusal.reason)) + ": " + refusal.message);
}

proof::TaskId parse_task_argument(chain::ChainAdapter& chain, const std::string& text) {
  const auto task = parse_id_argument<proof::TaskId>("--task", text);
  if (!proof::read_task(chain.state(), task)) bad_input("--task " + text + ": the chain has no such task");
  return task;
}

proof::Wei parse_wei_argument(const std::string& flag, const std::string& text) {
  const auto amount = chain::parse_wei(text);
  if (!amount) bad_input(flag + " " + text + ": " + amount.error());
  return *amount;
}

std::string time_text(std::uint64_t time_s) {
  const auto time = static_cast<std::time_t>(time_s);
  std::tm parts{};
  std::array<char, 64> text{};
  if (::gmtime_r(&time, &parts) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
    return std::to_string(time_s) + " s";
  }
  return text.data();
}

}  // namespace tally::cli
