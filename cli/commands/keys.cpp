// `tally keygen` and `tally address`: make a keystore, and tell whose it is.
#include <memory>

#include "chain_adapter/keys/keystore.h"
#include "cli/commands.h"
#include "cli/parent_folder.h"
#include "cli/password.h"
#include "cli/signing_keys.h"

namespace tally::cli {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct KeyFlags {
  std::string file;
  std::string password_file;
  bool check = false;
};

ExitCode keygen(const KeyFlags& flags, const Console& console) {
  if (fs::exists(flags.file)) bad_input(flags.file + ": exists already; a keystore is never overwritten");
  const std::string password = read_password(flags.password_file, Ask::kTwice);
  const proof::PrivateKey key = chain::random_private_key();
  make_parent_folder(flags.file, kOwnerOnly);
  chain::write_keystore(flags.file, chain::encrypt_key(key, password));
  const std::string address = proof::to_text(key.address());
  console.result(address + "\nkeystore " + flags.file, json::object{{"address", address}, {"keystore", flags.file}});
  return ExitCode::kFine;
}

ExitCode address(const KeyFlags& flags, const Console& console) {
  if (const auto key = development_key_argument("tally address", flags.file)) {
    const std::string text = proof::to_text(key->address());
    console.result(text, json::object{{"address", text}, {"proved", true}});
    return ExitCode::kFine;
  }
  const auto keystore = chain::read_keystore(flags.file);
  if (!keystore) bad_input(keystore.error().message);
  const bool decrypt = flags.check || !flags.password_file.empty() || !keystore->address;
  const proof::Address found = decrypt
                                   ? open_keystore(flags.file, read_password(flags.password_file, Ask::kOnce)).address()
                                   : *keystore->address;
  const std::string text = proof::to_text(found);
  console.result(text, json::object{{"address", text}, {"proved", decrypt}});
  return ExitCode::kFine;
}

void add_password_file(CLI::App& command, KeyFlags& flags) {
  command.add_option("--password-file", flags.password_file, "File whose first line is the password");
}

}  // namespace

void add_keygen(CLI::App& app, Session& session) {
  auto flags = std::make_shared<KeyFlags>();
  CLI::App* command = app.add_subcommand("keygen", "Make a key, sealed in a keystore file (version 3)");
  command->add_option("--out", flags->file, "The keystore file to make")->required();
  add_password_file(*command, *flags);
  add_output_flags(*command, session);
  command->callback([flags, &session] { session.run = [flags](Console& console) { return keygen(*flags, console); }; });
}

void add_address(CLI::App& app, Session& session) {
  auto flags = std::make_shared<KeyFlags>();
  CLI::App* command = app.add_subcommand("address", "Print the address of a key");
  command->add_option("keystore", flags->file, "The keystore file, or dev:N for development key N")->required();
  command->add_flag("--check", flags->check, "Open the keystore and derive the address, not only read it");
  add_password_file(*command, *flags);
  add_output_flags(*command, session);
  command->callback(
      [flags, &session] { session.run = [flags](Console& console) { return address(*flags, console); }; });
}

}  // namespace tally::cli
