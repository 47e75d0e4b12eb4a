// Contracts and C++ name the same things, and the committed files name no place on the network.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "deterministic_math/bytecode/opcodes.h"
#include "fraud_proof/refusals/reason.h"

namespace tally::chain {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(TALLY_SOURCE_DIR) / "chain_adapter/evm";

std::string read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// What the groups of each match hold.
std::vector<std::smatch> matches(const std::string& text, const std::regex& pattern) {
  return {std::sregex_iterator(text.begin(), text.end(), pattern), std::sregex_iterator()};
}

TEST(Contracts, pitfall_8_have_exactly_the_opcodes_of_cpp) {
  const std::string text = read(kFolder / "contracts/Opcodes.sol");
  std::map<std::string, unsigned> found;
  for (const std::smatch& match : matches(text, std::regex(R"(uint256 constant OP_([A-Z]+) = 0x([0-9a-f]{2});)")))
    found.emplace(match[1], std::stoul(match[2], nullptr, 16));
  std::map<std::string, unsigned> expected;
  for (const math::OpInfo& info : math::kOpcodes) {
    std::string name(info.mnemonic);
    std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    expected.emplace(name, static_cast<unsigned>(info.op));
  }
  EXPECT_EQ(found, expected);
}

TEST(Contracts, pitfall_31_have_the_reasons_of_cpp_as_errors) {
  const std::string text = read(kFolder / "contracts/Reasons.sol");
  std::set<std::string> found;
  for (const std::smatch& match : matches(text, std::regex(R"(\nerror (\w+)\(\);)")))
    EXPECT_TRUE(found.insert(match[1]).second) << match[1];
  std::set<std::string> expected;
  for (const auto& [reason, name] : proof::all_reasons()) {
    // These are about an embedded chain's envelope; a node of an EVM chain has its own words for them.
    const bool is_of_the_envelope = reason == proof::Reason::kWrongChain || reason == proof::Reason::kWrongNonce ||
                                    reason == proof::Reason::kBadSignature ||
                                    reason == proof::Reason::kInsufficientFunds;
    if (!is_of_the_envelope) expected.emplace(name);
  }
  EXPECT_EQ(found, expected);
}

TEST(Contracts, name_in_the_specification_what_is_their_own_to_refuse) {
  const std::string text = read(kFolder / "contracts/OwnReasons.sol");
  const std::string specification = read(std::filesystem::path(TALLY_SOURCE_DIR) / "docs/spec.md");
  std::set<std::string> of_cpp;
  for (const auto& [reason, name] : proof::all_reasons()) of_cpp.emplace(name);
  const auto errors = matches(text, std::regex(R"(\nerror (\w+)\(\);)"));
  EXPECT_FALSE(errors.empty());
  for (const std::smatch& match : errors) {
    EXPECT_FALSE(of_cpp.contains(match[1])) << match[1];
    EXPECT_NE(specification.find(match[1]), std::string::npos) << match[1];
  }
}

TEST(Contracts, refuse_nothing_without_a_name) {
  const std::regex nameless(R"(\brevert\(\)|\brequire\(|\brevert\(0, 0\))");
  for (const auto& entry : std::filesystem::directory_iterator(kFolder / "contracts"))
    EXPECT_FALSE(std::regex_search(read(entry.path()), nameless)) << entry.path();
}

TEST(Contracts, are_built_by_packages_of_exact_versions_from_no_named_place) {
  const std::string lock = read(kFolder / "package-lock.json");
  EXPECT_EQ(lock.find("\"resolved\""), std::string::npos);
  EXPECT_EQ(lock.find("://"), std::string::npos);
  EXPECT_NE(lock.find("\"integrity\": \"sha512-"), std::string::npos);
  const std::string package = read(kFolder / "package.json");
  EXPECT_TRUE(std::regex_search(package, std::regex(R"re("solc": "0\.8\.\d+")re"))) << package;
  EXPECT_FALSE(std::regex_search(package, std::regex("\"[~^*><]"))) << package;
  const std::string version = matches(package, std::regex(R"re("solc": "([0-9.]+)")re")).at(0)[1];
  for (const auto& entry : std::filesystem::directory_iterator(kFolder / "contracts"))
    EXPECT_NE(read(entry.path()).find("pragma solidity " + version + ";"), std::string::npos) << entry.path();
}

}  // namespace
}  // namespace tally::chain
