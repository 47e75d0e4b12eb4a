// The chain that commands are tried on: a file, which they make and drive themselves, or the contracts on a node
// (tests/support/test_chain.h). Development keys 0 to 63 have 1000 ether each.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/chain/wei_text.h"
#include "chain_adapter/keys/development_keys.h"
#include "tests/cli/tally.h"
#include "tests/support/test_chain.h"

namespace tally::cli {

class TriedChain {
 public:
  explicit TriedChain(const std::filesystem::path& folder) : x_folder(folder), x_where((folder / "chain.db").string()) {
    if (!test::on_evm()) {
      run({"chain", "init", x_where, "--driven-clock", "--time", "1700000000"});
      return;
    }
    constexpr std::uint64_t kRich = 64;
    std::vector<proof::Address> rich;
    for (std::uint64_t number = 0; number < kRich; ++number) rich.push_back(chain::development_key(number).address());
    x_node = test::make_test_chain(folder, rich, kRiches);
    x_where = x_node->where();
  }

  /// What stands behind --chain.
  [[nodiscard]] const std::string& where() const { return x_where; }
  void advance(std::uint64_t seconds) const {
    if (x_node) return x_node->advance(seconds);
    run({"chain", "advance", std::to_string(seconds), "--chain", x_where});
  }
  /// In wei, as the commands print it: what a development key has whose only expense was gas.
  [[nodiscard]] std::string riches_of(std::uint64_t key) const {
    return chain::to_text({kRiches.value - fees(chain::development_key(key).address()).value});
  }
  /// What a development key has outside the settlement, and has paid for gas.
  [[nodiscard]] proof::Wei owned_by(std::uint64_t key) const {
    const proof::Address account = chain::development_key(key).address();
    return {open()->balance(account).value + fees(account).value};
  }
  [[nodiscard]] std::unique_ptr<chain::ChainAdapter> open() const { return chain::open_chain(x_where); }
  /// Whether a process has it open: there is a file for the memory that is shared.
  [[nodiscard]] bool is_in_use() const {
    const std::filesystem::recursive_directory_iterator files(x_folder);
    return std::ranges::any_of(files, [](const auto& file) { return file.path().string().ends_with("-shm"); });
  }

 private:
  static constexpr proof::Wei kRiches{1'000 * test::kEther.value};

  [[nodiscard]] proof::Wei fees(const proof::Address& account) const {
    return x_node ? x_node->fees(account) : proof::Wei{};
  }
  static void run(const Words& words) {
    const Finished finished = tally(words);
    EXPECT_EQ(finished.exit_code, kFine) << finished.err;
  }

  std::filesystem::path x_folder;
  std::string x_where;
  std::shared_ptr<test::TestChain> x_node;  // null: a file
};

}  // namespace tally::cli
