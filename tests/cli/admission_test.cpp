// Events of the contribution ledger on their way into a batch: who signs one that is worth nothing hears why, and so
// does who aggregates it.
#include <filesystem>
#include <string>
#include <vector>

#include "tests/cli/posting_commands.h"
#include "tests/support/test_batch.h"

namespace tally::cli {
namespace {

constexpr std::int64_t kGenesis = 1'700'000'000;

using Fields = std::map<std::string, std::int64_t>;

class LedgerEvents : public PostingCommands {
 protected:
  void SetUp() override {
    Words words = {"task", "create", "contribution_ledger", "--dim", "M=4", "--dim", "N=2"};
    const Fields parameters{{"pool", 1000},        {"alpha", 5000},        {"beta", 3000},     {"gamma", 2000},
                            {"epoch_s", 3600},     {"skew_s", 60},         {"window_s", 600},  {"limit", 2},
                            {"registrar", 3},      {"newcomer", 1 << 29},  {"half_life", 3},   {"rise", 2},
                            {"cap", 40000},        {"additive", 0},        {"token_share", 0}, {"burn_share", 5000},
                            {"penalty_epochs", 2}, {"genesis_s", kGenesis}};
    for (const auto& [name, value] : parameters) {
      words.insert(words.end(), {"--param", name + "=" + std::to_string(value)});
    }
    for (const char* setting :
         {"--challenge-period",     "600",   "--request-period", "200",    "--window",      "100",
          "--censorship-budget",    "50",    "--move-time",      "1",      "--game-clock",  "400",
          "--exit-delay",           "2000",  "--min-stake",      "1ether", "--payout-unit", "1gwei",
          "--max-payout-per-batch", "1ether"}) {
      words.emplace_back(setting);
    }
    x_task = text(with_data(words, "dev:0"), "task");
    ASSERT_EQ(x_task.size(), 66U);
    join();
    std::filesystem::create_directory(x_folder / "events");
  }

  /// A training event of dev:1 that is worth something, but for `changes`.
  [[nodiscard]] Words event(const std::string& name, const Fields& changes, const std::string& key = "dev:1") const {
    Fields fields{{"kind", 1},     {"device", 0},   {"epoch", 1},         {"timestamp", kGenesis + 5},
                  {"amount", 100}, {"verdict", 0},  {"model_version", 1}, {"update_0", 7},
                  {"update_1", 0}, {"update_2", 0}, {"update_3", 0},      {"about", 0},
                  {"severity", 1}, {"token", 0},    {"tier", 1},          {"bonus", 0}};
    Fields all = changes;
    all.merge(fields);
    Words words = {"contribute", (x_folder / "events" / name).string(), "--task", x_task};
    words.insert(words.end(), {"--nonce", std::to_string(all.at("nonce"))});
    all.erase("nonce");
    for (const auto& [field, value] : all) {
      words.insert(words.end(), {"--field", field + "=" + std::to_string(value)});
    }
    return with_data(words, key);
  }
  [[nodiscard]] Words aggregating() const {
    return with_data({"aggregate", "--task", x_task, "--updates", (x_folder / "events").string()});
  }
};

TEST_F(LedgerEvents, are_refused_when_they_are_signed_by_the_name_of_the_reason) {
  const auto refused = [&](const Fields& changes, const std::string& message) {
    Fields all = changes;
    all.emplace("nonce", 0);
    expect_refusal(tally(event("bad", all)), kBadInput, "bad.record: refused: " + message);
    EXPECT_FALSE(std::filesystem::exists(x_folder / "events/bad.record"));
  };
  refused({{"epoch", 2}}, "refused_epoch: epoch 2 counts for nothing");
  refused({{"timestamp", kGenesis - 61}}, "refused_timestamp: timestamp 1699999939 counts for nothing");
  refused({{"timestamp", kGenesis + 3660}}, "refused_timestamp: timestamp 1700003660 counts for nothing");
  refused({{"kind", 9}}, "refused_kind: kind 9 counts for nothing");
  refused({{"kind", 6}}, "refused_kind: kind 6 counts for nothing");  // the registrar's alone
  refused({{"update_0", 0}}, "refused_update_0_missing: update_0 0 counts for nothing");
  expect_refusal(tally(event("bad", {{"nonce", 0}}, "dev:7")), kBadInput, "belongs to no member of the task");
  expect_refusal(tally(event("bad", {{"nonce", 0}, {"device", 5}})), kBadInput, "device 5: not within 0..4");
}

// Each alone is good; together some are not.
TEST_F(LedgerEvents, are_refused_or_left_out_when_they_are_aggregated) {
  for (int i = 0; i < 3; ++i) {
    expect_fine(event("limit" + std::to_string(i), {{"nonce", i}, {"timestamp", kGenesis + 5 + i}}));
  }
  expect_fine(event("early", {{"nonce", 3}, {"timestamp", kGenesis + 6}}));
  expect_fine(event("other", {{"nonce", 0}, {"kind", 4}, {"amount", 10000}}, "dev:2"));
  const Finished refused = tally(aggregating());
  expect_refusal(refused, kBadInput,
                 (x_folder / "events/limit2.record").string() +
                     ": refused: refused_timestamp_limit: timestamp 1700000007 counts for nothing\n");
  EXPECT_NE(refused.err.find("early.record: refused: TimestampOrder: timestamp 1700000006"), std::string::npos)
      << refused.err;
  EXPECT_EQ(refused.err.find("limit1"), std::string::npos) << refused.err;

  Words leaving = aggregating();
  leaving.emplace_back("--leave-out-refused");
  const Finished left = expect_fine(leaving);
  EXPECT_NE(left.out.find("aggregated 3 updates"), std::string::npos) << left.out;
  EXPECT_NE(left.out.find("left out 2 that were refused"), std::string::npos) << left.out;
  EXPECT_NE(left.err.find("limit2.record: refused: refused_timestamp_limit"), std::string::npos) << left.err;
  expect_fine({"verify", (x_folder / "data" / text(leaving, "batch_id")).string()});
}

TEST_F(LedgerEvents, of_one_key_and_nonce_stop_no_batch) {
  expect_fine(event("first", {{"nonce", 0}}));
  expect_fine(event("second", {{"nonce", 0}, {"timestamp", kGenesis + 6}}));
  expect_refusal(tally(aggregating()), kBadInput, "second.record: refused: Duplicate: ");
  Words leaving = aggregating();
  leaving.emplace_back("--leave-out-refused");
  const Finished left = expect_fine(leaving);
  EXPECT_NE(left.out.find("aggregated 1 update"), std::string::npos) << left.out;
}

class ModelUpdates : public PostingCommands {};

// One trainer's broken files are no reason for the others to wait.
TEST_F(ModelUpdates, that_are_not_what_was_signed_stop_no_batch) {
  create_task();
  join();
  contribute(1);
  const auto spoil = [&](const std::string& file, const auto& change) {
    const std::filesystem::path path = x_folder / ("updates/" + file);
    std::vector<std::uint8_t> bytes = test::read_bytes(path);
    change(bytes);
    test::write_bytes(path, bytes);
  };
  const auto check = [&](const std::string& file, const std::string& refusal, const auto& change) {
    const std::vector<std::uint8_t> before = test::read_bytes(x_folder / ("updates/" + file));
    spoil(file, change);
    Words words = with_data({"aggregate", "--task", x_task, "--updates", (x_folder / "updates").string()});
    const Finished refused = tally(words);
    EXPECT_EQ(refused.exit_code, kBadInput) << refusal;
    words.emplace_back("--leave-out-refused");
    const Finished left = expect_fine(words);
    EXPECT_NE(left.err.find("refused: " + refusal), std::string::npos) << left.err;
    EXPECT_NE(left.out.find("aggregated 1 update"), std::string::npos) << left.out;
    EXPECT_NE(left.out.find("left out 1 that were refused"), std::string::npos) << left.out;
    test::write_bytes(x_folder / ("updates/" + file), before);
    return refused.err;
  };
  check("client1.npy", "Rows: ", [](auto& bytes) { bytes[bytes.size() - 2] ^= 0x10U; });
  check("client1.npy", "Malformed: ", [](auto& bytes) { bytes.resize(3); });
  check("client2.record", "Malformed: ", [](auto& bytes) { bytes.pop_back(); });
  check("client2.record", "OtherRound: ", [](auto& bytes) { bytes[32 + 7] ^= 1U; });
  const std::string err = check("client2.record", "Signature: ", [](auto& bytes) { bytes[bytes.size() - 10] ^= 1U; });
  EXPECT_NE(err.find("client2.record: refused: Signature: "), std::string::npos) << err;
}

// An event that was good when it was signed: its member asked to exit since.
TEST_F(LedgerEvents, of_a_member_that_leaves_are_refused) {
  expect_fine(event("mine", {{"nonce", 0}}));
  expect_fine(with({"member", "exit", "--task", x_task}, "dev:1"));
  expect_refusal(tally(aggregating()), kBadInput, "mine.record: refused: Leaving: ");
}

// Member 0 shares its work among its wallet's key and five devices, member 1 does the same work with one key.
TEST_F(LedgerEvents, of_five_devices_earn_what_one_key_would) {
  const auto bind = [&](int device) {
    const Words approve = {"member", "approve", "--member", "0", "--task", x_task, "--json"};
    const json::object approval = parsed(expect_fine(with(approve, "dev:" + std::to_string(device))));
    return tally(with({"member", "bind", "--task", x_task, "--device", std::string(approval.at("device").as_string()),
                       "--signature", std::string(approval.at("signature").as_string())},
                      "dev:1"));
  };
  for (int device = 10; device < 15; ++device) EXPECT_EQ(bind(device).exit_code, kFine);
  expect_refusal(bind(15), kFoundInvalid, "TooManyKeys");
  for (int i = 0; i < 6; ++i) {
    const Fields work{{"timestamp", kGenesis + 5 + 500 * i}, {"amount", 100 + i}};
    Fields own = work;
    own["nonce"] = 0;
    own["device"] = i % 5;
    expect_fine(event("device" + std::to_string(i), own, i == 0 ? "dev:1" : "dev:" + std::to_string(9 + i)));
    Fields others = work;
    others["nonce"] = i;
    expect_fine(event("key" + std::to_string(i), others, "dev:2"));
  }
  const Fields heartbeat{{"kind", 4}, {"timestamp", kGenesis + 3590}, {"amount", 9000}};
  Fields beats = heartbeat;
  beats["nonce"] = 1;
  expect_fine(event("beat_of_device", beats, "dev:12"));
  beats["nonce"] = 6;
  expect_fine(event("beat_of_key", beats, "dev:2"));

  const std::string batch = text(aggregating(), "batch_id");
  expect_fine({"verify", (x_folder / "data" / batch).string()});
  expect_fine(with_data({"post", batch}, "dev:0"));
  x_chain.advance(600);
  expect_fine(with({"finalize"}, "dev:0"));
  expect_fine(with({"task", "fund", x_task, "--amount", "1ether"}, "dev:0"));
  for (const char* member : {"dev:1", "dev:2"}) {
    EXPECT_EQ(text(with_data({"payout", "--task", x_task}, member), "amount"), "500000000000");
  }
}

}  // namespace
}  // namespace tally::cli
