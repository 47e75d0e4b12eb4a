// `tally receipt`: one participant's proof that its record is in a batch, made and checked.
#include <memory>

#include "chain_adapter/data/receipt_file.h"
#include "chain_adapter/files/atomic_file.h"
#include "cli/commands.h"
#include "cli/signing_keys.h"

namespace tally::cli {

namespace {

namespace json = boost::json;

struct ReceiptFlags {
  std::string directory;
  std::string signer;
  std::string out;
  std::string check;
  std::string batch_id;
};

ExitCode make(const ReceiptFlags& flags, const Console& console) {
  if (flags.directory.empty() || flags.signer.empty()) {
    bad_input("give a batch directory and --signer ADDRESS to make a receipt, or --check FILE to check one");
  }
  const proof::Address signer = parse_address_argument("--signer", flags.signer);
  const auto receipt = chain::make_receipt(flags.directory, signer);
  if (!receipt) bad_input(receipt.error().message);
  const std::string text = chain::write_receipt(*receipt);
  if (flags.out.empty()) {
    console.result(text, json::parse(text));
    return ExitCode::kFine;
  }
  chain::write_file_atomically(flags.out, math::unsigned_bytes(text));
  const std::string id = to_hex(proof::batch_id(receipt->header));
  console.result("receipt of record " + std::to_string(receipt->index) + " in batch " + id + "\nfile " + flags.out,
                 json::object{{"batch_id", id}, {"index", receipt->index}, {"file", flags.out}});
  return ExitCode::kFine;
}

ExitCode check(const ReceiptFlags& flags, const Console& console) {
  const auto bytes = chain::read_file(flags.check, chain::kMaxReceiptBytes);
  if (!bytes) bad_input(bytes.error().message);
  const auto receipt = chain::parse_receipt(std::string(bytes->begin(), bytes->end()));
  if (!receipt) throw Failure(ExitCode::kFoundInvalid, flags.check + ": " + receipt.error().message);
  const auto signer = proof::check_receipt(*receipt);
  if (!signer) throw Failure(ExitCode::kFoundInvalid, flags.check + ": " + signer.error().message);
  const std::string id = to_hex(proof::batch_id(receipt->header));
  if (!flags.batch_id.empty() && flags.batch_id != id) {
    throw Failure(ExitCode::kFoundInvalid, flags.check + ": it is for batch " + id + ", not " + flags.batch_id);
  }
  const std::string who = proof::to_text(*signer);
  console.result("valid: " + who + " signed record " + std::to_string(receipt->index) + " of " +
                     std::to_string(receipt->header.record_count) + " in batch " + id,
                 json::object{{"valid", true}, {"signer", who}, {"index", receipt->index}, {"batch_id", id}});
  return ExitCode::kFine;
}

}  // namespace

void add_receipt(CLI::App& app, Session& session) {
  auto flags = std::make_shared<ReceiptFlags>();
  CLI::App* command = app.add_subcommand("receipt", "Prove that a participant's record is in a batch, or check that");
  command->add_option("directory", flags->directory, "The batch directory");
  command->add_option("--signer", flags->signer, "The participant's address");
  command->add_option("--out", flags->out, "File for the receipt (default: standard output)");
  CLI::Option* check_option = command->add_option("--check", flags->check, "Check the receipt in this file");
  for (const char* const flag : {"directory", "--signer", "--out"}) check_option->excludes(flag);
  command->add_option("--batch-id", flags->batch_id, "With --check: the batch id that is trusted")->needs(check_option);
  add_output_flags(*command, session);
  command->callback([flags, &session] {
    session.run = [flags](Console& console) {
      return flags->check.empty() ? make(*flags, console) : check(*flags, console);
    };
  });
}

}  // namespace tally::cli
