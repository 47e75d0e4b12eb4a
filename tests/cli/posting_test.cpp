// The way of a round on chain, each role a process of its own.
#include <gtest/gtest.h>

#include "chain_adapter/keys/development_keys.h"
#include "chain_adapter/keys/keystore.h"
#include "tests/cli/posting_commands.h"

namespace tally::cli {
namespace {

TEST_F(PostingCommands, take_a_task_from_its_creation_to_two_final_batches) {
  create_task();
  join();
  std::string parent = "0x" + std::string(64, '0');
  for (int round = 1; round <= 2; ++round) {
    contribute(round);
    const std::string batch = aggregate();
    expect_fine({"verify", (x_folder / "data" / batch).string()});
    EXPECT_TRUE(std::filesystem::exists(x_folder / "data" / batch / "model.npy"));
    EXPECT_EQ(text(with_data({"post", batch}, "dev:0"), "batch_id"), batch);
    EXPECT_EQ(text(with({"batch", "show", batch}), "status"), "pending");
    EXPECT_EQ(text(with({"batch", "show", batch}), "parent"), parent);
    parent = batch;
  }
  const Finished early = expect_fine(with({"finalize"}, "dev:3"));
  EXPECT_NE(early.out.find("its challenge period ends in 600 s"), std::string::npos) << early.out;
  x_chain.advance(600);
  const json::object done = parsed(expect_fine(with({"finalize", "--json"}, "dev:3")));
  EXPECT_EQ(done.at("finalised").as_array().size(), 2U);
  EXPECT_EQ(text(with({"task", "show", x_task}), "final_batch"), parent);
  const std::string balance = text(with({"withdraw"}, "dev:0"), "balance");
  EXPECT_EQ(balance, x_chain.riches_of(0));
  const Finished none = tally(with({"withdraw"}, "dev:0"));
  expect_refusal(none, kFoundInvalid, "NothingToWithdraw");

  const Finished list = expect_fine(with({"batch", "list", "--task", x_task}));
  EXPECT_NE(list.out.find(parent + "  final"), std::string::npos) << list.out;
  const Finished tasks = expect_fine(with({"task", "list"}));
  EXPECT_EQ(tasks.out, x_task + "  2 members, 2 batches, final 2\n");
}

TEST_F(PostingCommands, leave_nothing_of_a_task_that_the_chain_refused) {
  const Words poor = {"task", "create", "fedavg", "--dim", "D=20", "--sequencer-bond", "1wei"};
  expect_refusal(tally(with_data(poor, "dev:0")), kFoundInvalid, "BondsTooClose");
  EXPECT_TRUE(std::filesystem::is_empty(x_folder / "data"));
}

TEST_F(PostingCommands, go_on_with_a_task_whose_creation_was_interrupted) {
  const std::string salt = "0x" + std::string(64, '7');
  create_task({"--salt", salt});
  const std::string first = x_task;
  create_task({"--salt", salt});
  EXPECT_EQ(x_task, first);
  EXPECT_EQ(expect_fine(with({"task", "list"})).out, first + "  0 members, 0 batches, final 0\n");
  const Finished told =
      expect_fine(with_data({"task", "create", "fedavg", "--dim", "D=20", "--quiet", "--json"}, "dev:0"));
  EXPECT_EQ(told.err, "");
  EXPECT_EQ(parsed(told).at("salt").as_string().size(), salt.size());
}

TEST_F(PostingCommands, refuse_with_the_fix) {
  create_task();
  expect_refusal(tally(with_data({"post", "0x12"}, "dev:0")), kBadInput,
                 "0x12: no such directory, and not the id of a batch");
  const std::string other = "0x" + std::string(64, '1');
  expect_refusal(tally(with({"register", "--task", other}, "dev:1")), kBadInput, "the chain has no such task");
  expect_refusal(tally(with({"finalize", "--task", other}, "dev:1")), kBadInput, "the chain has no such task");
  const std::string memory = (x_folder / "memory").string();
  const auto watch = [&](const std::string& key) {
    return tally(with_data({"watch", "--once", "--memory", memory}, key));
  };
  EXPECT_EQ(watch("dev:1").exit_code, kFine);
  expect_refusal(watch("dev:2"), kBadInput, memory + ": the memory is of another key; give each key its own file");
  expect_refusal(tally(with({"watch", "--once", "--task", other, "--memory", "watched", "--data", "."}, "dev:1")),
                 kBadInput, "the chain has no such task");
  expect_refusal(tally(with({"register", "--task", x_task, "--stake", "1gwei"}, "dev:1")), kFoundInvalid,
                 "StakeTooSmall");
  std::filesystem::create_directory(x_folder / "updates");
  x_folder.put("updates/client1.npy", npy_of(update(1, 20)));
  const std::string update = (x_folder / "updates/client1.npy").string();
  expect_refusal(tally(with_data({"contribute", update, "--task", x_task, "--examples", "7"}, "dev:1")), kBadInput,
                 "run `tally register` first");
  join();
  expect_refusal(tally(with_data({"contribute", update, "--task", x_task}, "dev:1")), kBadInput,
                 "give --field examples=N");
  expect_refusal(tally(with_data({"aggregate", "--task", x_task, "--updates", update})), kBadInput,
                 "client1.record: no such file");
  contribute(1);
  write_text(x_folder / "updates/lone.record", "");
  const Finished lone =
      expect_fine(with_data({"aggregate", "--task", x_task, "--updates", (x_folder / "updates").string()}));
  EXPECT_NE(lone.err.find("left out: " + (x_folder / "updates/lone.record").string() + ": its update is not beside it"),
            std::string::npos)
      << lone.err;
  std::filesystem::remove(x_folder / "updates/lone.record");
  expect_refusal(tally(with_data({"aggregate", "--task", x_task, "--updates", update, "--program", "median"})),
                 kBadInput, "--program does not go with --task");
  const std::string batch = aggregate();
  expect_refusal(tally(with_data({"post", batch}, "dev:5")), kBadInput, "aggregate with the poster's key");
  // A stale record names what it was signed for.
  expect_fine(with_data({"post", batch}, "dev:0"));
  expect_refusal(tally(with_data({"aggregate", "--task", x_task, "--updates", (x_folder / "updates").string()})),
                 kBadInput, "but this is batch 2");
  expect_refusal(tally(with_data({"post", batch}, "dev:0")), kFoundInvalid, "BatchExists");
  expect_refusal(tally({"task", "show", x_task, "--chain", (x_folder / "none.db").string()}), kBadInput, "none.db");
}

TEST_F(PostingCommands, aggregate_for_the_key_that_posts) {
  create_task();
  join();
  contribute(1);
  const auto aggregating = [&](const std::string& key) {
    return with_data({"aggregate", "--task", x_task, "--updates", (x_folder / "updates").string()}, key);
  };
  EXPECT_NE(expect_fine(aggregating("")).err.find("give --key or --poster"), std::string::npos);
  expect_refusal(tally(aggregating((x_folder / "none.json").string())), kBadInput, "none.json");
  const std::string batch = aggregate({"--key", "dev:5"});
  expect_refusal(tally(with_data({"post", batch}, "dev:0")), kBadInput, "aggregate with the poster's key");
  expect_fine(with_data({"post", batch}, "dev:5"));
}

TEST_F(PostingCommands, aggregate_for_a_keystore_without_its_password) {
  create_task();
  join();
  contribute(1);
  const std::string keystore = (x_folder / "poster.json").string();
  write_text(keystore, chain::encrypt_key(chain::development_key(5), "secret", {.n = 2, .r = 8, .p = 1}));
  expect_fine(with_data({"post", aggregate({"--key", keystore})}, "dev:5"));
}

TEST_F(PostingCommands, verify_before_they_put_a_bond_on_a_batch) {
  create_task();
  join();
  contribute(1);
  const std::string batch = aggregate();
  edit(x_folder / "data" / batch / "model.npy", [](std::string& bytes) { bytes.back() ^= 1; });
  expect_refusal(tally(with_data({"post", batch}, "dev:0")), kFoundInvalid, "whoever posts it loses the bond");
  expect_fine(with_data({"post", batch, "--no-verify"}, "dev:0"));
}

TEST_F(PostingCommands, read_settings_from_a_file_and_let_flags_count_more) {
  x_folder.put("settings.toml",
               "leaf_bytes = 256\nsequencer_bond = \"3ether\"\nwindow_s = \"1h\"\nkeepers = [\"dev:7\", \"dev:8\"]\n"
               "threshold = 2\n");
  create_task({"--settings", (x_folder / "settings.toml").string(), "--sequencer-bond", "2.5ether"});
  const json::object task = parsed(expect_fine(with({"task", "show", x_task, "--json"})));
  const json::object& settings = task.at("settings").as_object();
  EXPECT_EQ(settings.at("leaf_bytes").as_string(), "256");
  EXPECT_EQ(settings.at("sequencer_bond").as_string(), "2.5 ether");
  EXPECT_EQ(settings.at("window_s").as_string(), "100");
  EXPECT_EQ(settings.at("threshold").as_string(), "2");
  EXPECT_FALSE(settings.contains("max_requests"));
  for (const auto& [text, message] : std::initializer_list<std::pair<const char*, const char*>>{
           {"arity = 99\n", "arity"},
           {"no_such = 1\n", "there is no setting no_such"},
           {"arity = 1.5\n", "expected a string, a whole number"},
           {"arity = \n", "settings.toml:1"},
           {"window_s = \"1y\"\n", "not a time"},
           {"burn_bps = 70000\n", "too large"}}) {
    x_folder.put("settings.toml", text);
    expect_refusal(tally(with_data({"task", "create", "fedavg", "--dim", "D=20", "--settings",
                                    (x_folder / "settings.toml").string()},
                                   "dev:0")),
                   kBadInput, message);
  }
}

}  // namespace
}  // namespace tally::cli
