// Keepers store a batch and sign for it before it is posted, each a process of its own.
#include "tests/cli/posting_commands.h"

namespace tally::cli {
namespace {

class KeeperCommands : public PostingCommands {
 protected:
  /// What `tally post` takes of a keeper.
  [[nodiscard]] Words kept(const std::string& batch, const std::string& keeper) const {
    const std::string out = (x_folder / (keeper + ".txt")).string();
    expect_fine({"keep", "--once", (x_folder / "data" / batch).string(), "--store", (x_folder / keeper).string(),
                 "--key", keeper, "--out", out});
    std::string line = read_text(out);
    line.pop_back();
    return {"--keeper", line};
  }
};

TEST_F(KeeperCommands, sign_for_what_the_chain_takes_with_enough_of_their_signatures) {
  create_task({"--keepers", "dev:7,dev:8,dev:9", "--threshold", "2"});
  join();
  contribute(1);
  const std::string batch = aggregate();
  Words post = with_data({"post", batch}, "dev:0");
  expect_refusal(tally(post), kFoundInvalid, "KeeperCount");
  for (const char* const keeper : {"dev:7", "dev:9"}) {
    const Words signature = kept(batch, keeper);
    post.insert(post.end(), signature.begin(), signature.end());
  }
  expect_fine(post);
  x_chain.advance(600);
  expect_fine(with({"finalize"}, "dev:3"));
  EXPECT_EQ(text(with({"batch", "show", batch}), "status"), "final");
}

}  // namespace
}  // namespace tally::cli
