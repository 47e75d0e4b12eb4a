#include "chain_adapter/keys/keystore.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <functional>
#include <set>
#include <system_error>

#include "chain_adapter/files/atomic_file.h"
#include "tests/support/hex.h"

namespace tally::chain {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using test::hex;

constexpr ScryptCost kCheap{.n = 2, .r = 1, .p = 1};

// The two test vectors of the Web3 Secret Storage Definition.
constexpr std::string_view kScryptVector = R"({"crypto":{"cipher":"aes-128-ctr",
  "cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},
  "ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt",
  "kdfparams":{"dklen":32,"n":262144,"r":1,"p":8,
    "salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
  "mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},
  "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3})";
constexpr std::string_view kPbkdf2Vector = R"({"crypto":{"cipher":"aes-128-ctr",
  "cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
  "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2",
  "kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256",
    "salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
  "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
  "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3})";
constexpr std::string_view kVectorKey = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

// go-ethereum's vector of a key whose leading zero byte was dropped.
constexpr std::string_view kShortVector = R"({"crypto":{"cipher":"aes-128-ctr",
  "cipherparams":{"iv":"e0c41130a323adc1446fc82f724bca2f"},
  "ciphertext":"9517cd5bdbe69076f9bf5057248c6c050141e970efa36ce53692d5d59a3984","kdf":"scrypt",
  "kdfparams":{"dklen":32,"n":2,"r":8,"p":1,
    "salt":"711f816911c92d649fb4c84b047915679933555030b3552c1212609b38208c63"},
  "mac":"d5e116151c6aa71470e67a7d42c9620c75c4d23229847dcc127794f0732b0db5"},
  "id":"fecfc4ce-e956-48fd-953b-30f8b52ed66c","version":3})";

proof::PrivateKey vector_key() { return proof::PrivateKey::from_bytes(hex<32>(kVectorKey)).value(); }

std::expected<proof::PrivateKey, KeystoreRefusal> decrypt_text(std::string_view text, std::string_view password) {
  const auto keystore = parse_keystore(text);
  if (!keystore) return std::unexpected(keystore.error());
  return decrypt_key(*keystore, password);
}

TEST(Keystore, opens_the_published_scrypt_vector) {
  const auto key = decrypt_text(kScryptVector, "testpassword");
  ASSERT_TRUE(key.has_value()) << key.error().message;
  EXPECT_TRUE(std::ranges::equal(key->bytes(), hex<32>(kVectorKey)));
}

TEST(Keystore, opens_the_published_pbkdf2_vector) {
  const auto key = decrypt_text(kPbkdf2Vector, "testpassword");
  ASSERT_TRUE(key.has_value()) << key.error().message;
  EXPECT_TRUE(std::ranges::equal(key->bytes(), hex<32>(kVectorKey)));
  EXPECT_EQ(decrypt_text(kPbkdf2Vector, "Testpassword").error().reason, KeystoreReason::kWrongPassword);
}

TEST(Keystore, opens_a_vector_with_a_short_key) {
  const auto key = decrypt_text(kShortVector, "foo");
  ASSERT_TRUE(key.has_value()) << key.error().message;
  EXPECT_TRUE(
      std::ranges::equal(key->bytes(), hex<32>("00fa7b3db73dc7dfdf8c5fbdb796d741e4488628c41fc4febd9160a866ba0f35")));
}

TEST(Keystore, what_is_encrypted_decrypts_with_the_password_alone) {
  const std::string text = encrypt_key(vector_key(), "correct horse", kCheap);
  const Keystore keystore = parse_keystore(text).value();
  EXPECT_EQ(keystore.address, vector_key().address());
  EXPECT_EQ(std::get<ScryptCost>(keystore.kdf), kCheap);
  EXPECT_TRUE(std::ranges::equal(decrypt_key(keystore, "correct horse")->bytes(), hex<32>(kVectorKey)));
  for (const char* password : {"", "correct hors", "correct horse ", "Correct horse"}) {
    EXPECT_EQ(decrypt_key(keystore, password).error().reason, KeystoreReason::kWrongPassword);
  }
  EXPECT_TRUE(decrypt_text(encrypt_key(vector_key(), "", kCheap), "").has_value());
}

TEST(Keystore, has_the_members_that_wallets_read) {
  const json::value file = json::parse(encrypt_key(vector_key(), "p", kCheap));
  EXPECT_EQ(file.at("version").as_int64(), 3);
  EXPECT_EQ(file.at("address").as_string(), "008aeeda4d805471df9b2a5b0f38a0c3bcba786b");
  const std::string id(file.at("id").as_string());
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
  EXPECT_EQ(file.at("crypto").at("kdfparams").at("dklen").as_int64(), 32);
}

TEST(Keystore, two_files_of_one_key_share_neither_salt_nor_iv) {
  const Keystore first = parse_keystore(encrypt_key(vector_key(), "p", kCheap)).value();
  const Keystore second = parse_keystore(encrypt_key(vector_key(), "p", kCheap)).value();
  EXPECT_NE(first.salt, second.salt);
  EXPECT_NE(first.iv, second.iv);
  EXPECT_NE(first.ciphertext, second.ciphertext);
}

TEST(Keystore, every_changed_byte_of_the_encrypted_part_is_refused) {
  const Keystore good = parse_keystore(encrypt_key(vector_key(), "p", kCheap)).value();
  ASSERT_TRUE(decrypt_key(good, "p").has_value());
  for (std::size_t i = 0; i < 32; ++i) {
    Keystore bad = good;
    bad.ciphertext[i] ^= 1;
    EXPECT_EQ(decrypt_key(bad, "p").error().reason, KeystoreReason::kWrongPassword);
    bad = good;
    bad.mac[i] ^= 1;
    EXPECT_EQ(decrypt_key(bad, "p").error().reason, KeystoreReason::kWrongPassword);
    bad = good;
    bad.salt[i] ^= 1;
    EXPECT_EQ(decrypt_key(bad, "p").error().reason, KeystoreReason::kWrongPassword);
    // The MAC does not cover the IV; the address does.
    bad = good;
    bad.iv[i / 2] ^= 1;
    EXPECT_EQ(decrypt_key(bad, "p").error().reason, KeystoreReason::kAddress);
  }
}

// Files made outside this project whose MAC is right and whose key is 0 or the order of the group.
TEST(Keystore, refuses_what_decrypts_to_no_private_key) {
  Keystore file;
  file.kdf = Pbkdf2Cost{.rounds = 1};
  for (std::uint8_t i = 0; i < 32; ++i) file.salt.push_back(i);
  for (std::uint8_t i = 0; i < 16; ++i) file.iv[i] = i;
  const auto check = [&](std::string_view ciphertext, std::string_view mac) {
    const auto bytes = hex<32>(ciphertext);
    file.ciphertext.assign(bytes.begin(), bytes.end());
    file.mac = hex<32>(mac);
    const auto key = decrypt_key(file, "p");
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().reason, KeystoreReason::kKey);
  };
  check("df30897748a1a54fd18fdf65a4a10af51ad8bd36abb5e1f6bb957a10cfa17c3f",
        "6520ab6ef034335ee26054e0d4ac710c555af2ca941e179b79c426de5eb869ba");
  check("20cf7688b75e5ab02e70209a5b5ef50ba07661d004fd41cd0447249c1f973d7e",
        "6cb6d347b37ed4eb32428c199f205e6231c827497fb2a4042bddfb908ecfc059");
}

/// The published scrypt vector with one change.
std::string changed(const std::function<void(json::object& file, json::object& crypto, json::object& kdf)>& change) {
  json::value value = json::parse(kScryptVector);
  json::object& file = value.as_object();
  json::object& crypto = file.at("crypto").as_object();
  change(file, crypto, crypto.at("kdfparams").as_object());
  return json::serialize(value);
}

struct MalformedFile {
  std::string text;
  KeystoreReason reason;
};

std::vector<MalformedFile> malformed_documents() {
  using Object = json::object;
  return {
      {std::string(kMaxKeystoreBytes + 1, ' '), KeystoreReason::kTooLarge},
      {"", KeystoreReason::kJson},
      {"{", KeystoreReason::kJson},
      {std::string(kScryptVector) + "x", KeystoreReason::kJson},
      {std::string(9, '[') + std::string(9, ']'), KeystoreReason::kJson},
      {"[]", KeystoreReason::kField},
      {"{}", KeystoreReason::kField},
      {changed([](Object& file, Object&, Object&) { file.erase("crypto"); }), KeystoreReason::kField},
      {changed([](Object& file, Object&, Object&) { file["version"] = "3"; }), KeystoreReason::kField},
      {changed([](Object& file, Object&, Object&) { file["version"] = -3; }), KeystoreReason::kField},
      {changed([](Object& file, Object&, Object&) { file["version"] = 4; }), KeystoreReason::kVersion},
      {changed([](Object& file, Object&, Object&) { file["address"] = 5; }), KeystoreReason::kField},
      {changed([](Object& file, Object&, Object&) { file["address"] = "0x12"; }), KeystoreReason::kHex},
      {changed([](Object& file, Object& crypto, Object&) { file["Crypto"] = crypto; }), KeystoreReason::kField},
  };
}

std::vector<MalformedFile> malformed_ciphers() {
  using Object = json::object;
  return {
      {changed([](Object&, Object& crypto, Object&) { crypto["cipher"] = "aes-128-cbc"; }), KeystoreReason::kCipher},
      {changed([](Object&, Object& crypto, Object&) { crypto["cipherparams"] = 1; }), KeystoreReason::kField},
      {changed([](Object&, Object& crypto, Object&) { crypto["ciphertext"] = ""; }), KeystoreReason::kHex},
      {changed([](Object&, Object& crypto, Object&) { crypto["ciphertext"] = std::string(66, '0'); }),
       KeystoreReason::kHex},
      {changed([](Object&, Object& crypto, Object&) { crypto["ciphertext"] = "123"; }), KeystoreReason::kHex},
      {changed([](Object&, Object& crypto, Object&) { crypto["mac"] = std::string(64, 'g'); }), KeystoreReason::kHex},
      {changed([](Object&, Object& crypto, Object&) { crypto["mac"] = std::string(62, '0'); }), KeystoreReason::kHex},
      {changed([](Object&, Object& crypto, Object&) { crypto["kdf"] = "argon2"; }), KeystoreReason::kKdf},
      {changed([](Object&, Object& crypto, Object&) { crypto.erase("kdfparams"); }), KeystoreReason::kField},
      {changed([](Object&, Object&, Object& kdf) { kdf["salt"] = nullptr; }), KeystoreReason::kField},
      {changed([](Object&, Object&, Object& kdf) { kdf["n"] = 2.5; }), KeystoreReason::kField},
  };
}

std::vector<MalformedFile> unaffordable_costs() {
  const auto scrypt = [](const char* name, std::uint64_t value) {
    return changed([&](json::object&, json::object&, json::object& kdf) { kdf[name] = value; });
  };
  const auto pbkdf2 = [](std::uint64_t rounds, const char* prf) {
    json::value value = json::parse(kPbkdf2Vector);
    json::object& kdf = value.as_object().at("crypto").as_object().at("kdfparams").as_object();
    kdf["c"] = rounds;
    kdf["prf"] = prf;
    return json::serialize(value);
  };
  const std::string too_much_memory = changed([](json::object&, json::object&, json::object& kdf) {
    kdf["n"] = kMaxScryptN;
    kdf["r"] = 9;
  });
  return {
      {scrypt("dklen", 16), KeystoreReason::kKdf},
      {scrypt("dklen", 64), KeystoreReason::kKdf},
      {scrypt("n", 0), KeystoreReason::kCost},
      {scrypt("n", 1), KeystoreReason::kCost},
      {scrypt("n", 3), KeystoreReason::kCost},
      {scrypt("n", kMaxScryptN * 2), KeystoreReason::kCost},
      {scrypt("n", std::uint64_t{1} << 63), KeystoreReason::kCost},
      {scrypt("r", 0), KeystoreReason::kCost},
      {scrypt("r", kMaxScryptR + 1), KeystoreReason::kCost},
      {scrypt("p", 0), KeystoreReason::kCost},
      {scrypt("p", kMaxScryptP + 1), KeystoreReason::kCost},
      {too_much_memory, KeystoreReason::kCost},
      {pbkdf2(0, "hmac-sha256"), KeystoreReason::kCost},
      {pbkdf2(kMaxPbkdf2Rounds + 1, "hmac-sha256"), KeystoreReason::kCost},
      {pbkdf2(1, "hmac-sha512"), KeystoreReason::kKdf},
  };
}

TEST(Keystore, refuses_each_malformed_file_by_name) {
  std::set<KeystoreReason> seen;
  for (const auto& cases : {malformed_documents(), malformed_ciphers(), unaffordable_costs()}) {
    for (const MalformedFile& file : cases) {
      const auto parsed = parse_keystore(file.text);
      ASSERT_FALSE(parsed.has_value()) << file.text.substr(0, 600);
      EXPECT_EQ(parsed.error().reason, file.reason) << file.text.substr(0, 600) << '\n' << parsed.error().message;
      seen.insert(parsed.error().reason);
    }
  }
  // kFile, kWrongPassword, kKey and kAddress have tests of their own.
  EXPECT_EQ(seen.size(), 8U) << "a reason is not covered";
}

TEST(Keystore, accepts_the_spellings_of_other_wallets) {
  const std::string capital = changed([](json::object& file, json::object& crypto, json::object&) {
    const json::object moved = crypto;
    file.erase("crypto");
    file["Crypto"] = moved;
  });
  EXPECT_EQ(parse_keystore(capital).value(), parse_keystore(kScryptVector).value());
  for (const char* address :
       {"0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b", "008aeeda4d805471df9b2a5b0f38a0c3bcba786b"}) {
    const std::string text =
        changed([&](json::object& file, json::object&, json::object&) { file["address"] = address; });
    EXPECT_EQ(parse_keystore(text)->address, vector_key().address());
  }
}

TEST(Keystore, files_are_secret_and_never_replaced) {
  std::string folder = (fs::temp_directory_path() / "tally_keys_XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const fs::path path = fs::path(folder) / "key.json";
  EXPECT_EQ(read_keystore(path).error().reason, KeystoreReason::kFile);
  const std::string text = encrypt_key(vector_key(), "p", kCheap);
  write_keystore(path, text);
  struct stat status = {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_THROW(write_keystore(path, encrypt_key(random_private_key(), "p", kCheap)), std::system_error);
  EXPECT_EQ(read_keystore(path).value(), parse_keystore(text).value());
  write_file_atomically(path, std::vector<std::uint8_t>(kMaxKeystoreBytes + 1));
  EXPECT_EQ(read_keystore(path).error().reason, KeystoreReason::kTooLarge);
  fs::remove_all(folder);
}

TEST(RandomKey, differs_from_the_one_before) {
  EXPECT_NE(random_private_key().address(), random_private_key().address());
}

}  // namespace
}  // namespace tally::chain
