// `tally keygen`, `tally address`, and batches signed by keystores.
#include <sys/stat.h>

#include "chain_adapter/keys/development_keys.h"
#include "chain_adapter/keys/keystore.h"
#include "tests/cli/tally.h"

namespace tally::cli {
namespace {

namespace fs = std::filesystem;

/// A keystore that opens at once; those of `tally keygen` take about a second by design.
void put_cheap_keystore(const fs::path& path, std::uint64_t number) {
  write_text(path, chain::encrypt_key(chain::development_key(number), "secret", {.n = 2, .r = 8, .p = 1}));
}

class Keys : public ::testing::Test {
 protected:
  Keys() : x_password(x_folder.put("password", "secret\n").string()) { fs::create_directory(x_folder / "keys"); }

  [[nodiscard]] std::string key(const std::string& name) const {
    return (x_folder / "keys" / (name + ".json")).string();
  }

  Folder x_folder;
  std::string x_password;
};

TEST_F(Keys, keygen_makes_keystores_that_sign_a_batch) {
  std::vector<std::string> addresses;
  fs::create_directory(x_folder / "updates");
  for (const std::string name : {"alice", "bob"}) {
    const Finished made = tally({"keygen", "--out", key(name), "--password-file", x_password, "--json"});
    ASSERT_EQ(made.exit_code, kFine) << made.out << made.err;
    addresses.emplace_back(parsed(made).at("address").as_string());
    EXPECT_EQ(parsed(made).at("keystore").as_string(), key(name));
    struct ::stat status{};
    ASSERT_EQ(::stat(key(name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    // What the file claims; nothing is opened.
    EXPECT_EQ(tally({"address", key(name)}).out, addresses.back() + "\n");
    x_folder.put("updates/" + name + ".npy", npy_of(update(static_cast<int>(addresses.size()), 40)));
  }
  EXPECT_NE(addresses[0], addresses[1]);
  const std::string batch = make_batch(
      x_folder, {"--program", "median", "--keys", (x_folder / "keys").string(), "--password-file", x_password});
  EXPECT_EQ(tally({"verify", batch}).exit_code, kFine);
  for (const std::string& address : addresses) {
    EXPECT_EQ(tally({"receipt", batch, "--signer", address}).exit_code, kFine) << address;
  }
}

TEST_F(Keys, keygen_never_overwrites) {
  const std::string before = "not even a keystore";
  write_text(key("alice"), before);
  expect_refusal(tally({"keygen", "--out", key("alice"), "--password-file", x_password}), kBadInput,
                 "alice.json: exists already; a keystore is never overwritten");
  EXPECT_EQ(read_text(key("alice")), before);
}

TEST_F(Keys, keygen_says_what_is_missing) {
  expect_refusal(tally({"keygen"}), kBadInput, "--out is required");
  expect_refusal(tally({"keygen", "--out", key("a"), "--password-file", (x_folder / "none").string()}), kBadInput,
                 "none: no such file");
  expect_refusal(tally({"keygen", "--out", key("a")}), kBadInput, "give --password-file FILE");
  EXPECT_TRUE(fs::is_empty(x_folder / "keys"));
}

TEST_F(Keys, keygen_makes_the_folder_for_its_owner_alone) {
  const auto make = [&](const fs::path& file) {
    return tally({"keygen", "--out", file.string(), "--password-file", x_password});
  };
  EXPECT_EQ(make(x_folder / "new/deeper/key.json").exit_code, kFine);
  for (const char* folder : {"new", "new/deeper"}) {
    EXPECT_EQ(fs::status(x_folder / folder).permissions(), fs::perms::owner_all) << folder;
  }
  expect_refusal(make(fs::path(x_password) / "key.json"), kOutsideWorld, "password/key.json");
  expect_refusal(make(fs::path(x_password) / "deeper/key.json"), kOutsideWorld, "password/deeper: cannot be made");
}

TEST_F(Keys, address_tells_those_of_development_keys) {
  EXPECT_EQ(tally({"address", "dev:1"}).out, proof::to_text(chain::development_key(1).address()) + "\n");
  expect_refusal(tally({"address", "dev:x"}), kBadInput, "dev:x: not dev: and a number");
}

TEST_F(Keys, address_opens_the_keystore_when_asked) {
  put_cheap_keystore(key("a"), 1);
  const std::string address = proof::to_text(chain::development_key(1).address());
  EXPECT_EQ(tally({"address", key("a")}).out, address + "\n");
  const Finished proved = tally({"address", key("a"), "--check", "--password-file", x_password, "--json"});
  EXPECT_EQ(proved.exit_code, kFine);
  EXPECT_EQ(parsed(proved), (boost::json::object{{"address", address}, {"proved", true}}));
}

TEST_F(Keys, address_refuses_a_wrong_password_and_files_that_are_no_keystores) {
  put_cheap_keystore(key("a"), 1);
  const std::string wrong = x_folder.put("wrong", "sesame\n").string();
  expect_refusal(tally({"address", key("a"), "--check", "--password-file", wrong}), kBadInput, "a.json: ");
  expect_refusal(tally({"address", key("a"), "--check", "--password-file", wrong}), kBadInput, "password");
  expect_refusal(tally({"address", key("a"), "--check"}), kBadInput, "give --password-file FILE");
  expect_refusal(tally({"address", x_password}), kBadInput, "password: ");
  expect_refusal(tally({"address", key("none")}), kBadInput, "none.json: no such file");
}

TEST_F(Keys, a_keystore_whose_address_is_not_its_keys_is_refused) {
  put_cheap_keystore(key("a"), 1);
  put_cheap_keystore(key("b"), 2);
  edit(key("a"), [&](std::string& text) {
    const auto field = [](const std::string& json) { return json.find("\"address\""); };
    const std::string other = read_text(key("b"));
    text.replace(field(text), 54, other.substr(field(other), 54));
  });
  expect_refusal(tally({"address", key("a"), "--check", "--password-file", x_password}), kBadInput,
                 "holds the key of " + proof::to_text(chain::development_key(1).address()));
}

/// Keystores of development keys 1 to 8, one for each update.
class SignedBatches : public Keys {
 protected:
  SignedBatches() {
    write_updates(x_folder);
    for (int k = 0; k < kClients; ++k) {
      put_cheap_keystore(key("client" + std::to_string(k)), static_cast<std::uint64_t>(k) + 1);
    }
  }

  [[nodiscard]] Words aggregate(const std::string& out) const {
    return {"aggregate",
            "--program",
            "median",
            "--updates",
            (x_folder / "updates").string(),
            "--out",
            (x_folder / out).string(),
            "--keys",
            (x_folder / "keys").string(),
            "--password-file",
            x_password};
  }
};

TEST_F(SignedBatches, are_those_of_the_same_keys_and_warn_of_nothing) {
  const Finished made = tally(aggregate("signed"));
  EXPECT_EQ(made.exit_code, kFine) << made.err;
  EXPECT_EQ(made.err, "");
  EXPECT_EQ(contents_of(x_folder / "signed"), contents_of(make_batch(x_folder)));
}

// Pitfall 33: with keys that belong to the updates, not even the names of the files matter.
TEST_F(SignedBatches, do_not_depend_on_the_names_of_the_files) {
  ASSERT_EQ(tally(aggregate("first")).exit_code, kFine);
  for (int k = 0; k < kClients; ++k) {
    const std::string from = "client" + std::to_string(k);
    const std::string to = "trainer" + std::to_string(kClients - k);
    fs::rename(x_folder / ("updates/" + from + ".npy"), x_folder / ("updates/" + to + ".npy"));
    fs::rename(key(from), key(to));
  }
  ASSERT_EQ(tally(aggregate("second")).exit_code, kFine);
  EXPECT_EQ(contents_of(x_folder / "first"), contents_of(x_folder / "second"));
}

TEST_F(SignedBatches, refuse_a_missing_keystore_a_wrong_password_and_a_key_used_twice) {
  put_cheap_keystore(key("client6"), 3);
  const Finished twice = tally(aggregate("batch"));
  expect_refusal(twice, kBadInput,
                 "are signed by the same address, " + proof::to_text(chain::development_key(3).address()));
  EXPECT_NE(twice.err.find("client2.npy"), std::string::npos) << twice.err;
  EXPECT_NE(twice.err.find("client6.npy"), std::string::npos) << twice.err;
  fs::remove(key("client6"));
  expect_refusal(tally(aggregate("batch")), kBadInput,
                 "client6.json: missing; each update needs the keystore that signs it");
  x_folder.put("password", "sesame\n");
  expect_refusal(tally(aggregate("batch")), kBadInput, "client0.json: ");
  EXPECT_FALSE(fs::exists(x_folder / "batch"));
}

}  // namespace
}  // namespace tally::cli
