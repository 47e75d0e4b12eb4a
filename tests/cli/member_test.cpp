// Members, their device keys, what they are paid, and how they leave, each role a process of its own.
#include "tests/cli/posting_commands.h"

namespace tally::cli {
namespace {

constexpr const char* kWages = R"(
program wages
dim K in 1..8
dim D <= 1<<20
dim M in 2..32
record examples: i64 in 1..1000
row updates: i32[D]
state model: i32[D]
state balance: i64[M] in 0..1000000
table next_model[d in D]: i32 { return model[d] }
table next_balance[m in M]: i64 in 0..1000000 {
  fold k in K { s = s + select(member[k] == m, examples[k], 0) } from s = 0
  return clamp(balance[m] + s, 0, 1000000)
}
next model = next_model
next balance = next_balance
payable balance to member
)";

class MemberCommands : public PostingCommands {
 protected:
  void create_wages() {
    x_folder.put("wages.tally", kWages);
    create_task(
        {"--dim", "M=4", "--state", "balance=" + zeros(), "--payout-unit", "1gwei", "--max-payout-per-batch", "1ether"},
        (x_folder / "wages.tally").string());
  }
  std::string zeros() {
    x_folder.put("balance.bin", std::string(4 * 8, '\0'));
    return (x_folder / "balance.bin").string();
  }
  [[nodiscard]] Words on_task(Words words, const std::string& key) const {
    words.insert(words.end(), {"--task", x_task});
    return with(std::move(words), key);
  }
  std::string final_batch() {
    contribute(1);
    std::string batch = aggregate();
    expect_fine(with_data({"post", batch}, "dev:0"));
    x_chain.advance(600);
    expect_fine(with({"finalize"}, "dev:0"));
    return batch;
  }
};

TEST_F(MemberCommands, pay_a_member_what_its_entry_is_worth) {
  create_wages();
  join();
  Words payout = {"payout", "--task", x_task};
  expect_refusal(tally(with_data(payout, "dev:1")), kBadInput, "no batch of it is final yet");
  const std::string batch = final_batch();
  expect_refusal(tally(with_data(payout, "dev:1")), kFoundInvalid, "NothingToPay");
  EXPECT_EQ(text(with({"task", "fund", x_task, "--amount", "5ether"}, "dev:0"), "pool"), "5000000000000000000");
  // Both members gave 7 examples, of one gwei each; the second is paid by the first's hand.
  EXPECT_EQ(text(with_data(payout, "dev:1"), "amount"), "7000000000");
  expect_refusal(tally(with_data(payout, "dev:1")), kFoundInvalid, "NothingToPay");
  Words other = payout;
  other.insert(other.end(), {"--member", "1"});
  EXPECT_EQ(text(with_data(other, "dev:1"), "amount"), "7000000000");
  EXPECT_EQ(text(with({"withdraw"}, "dev:2"), "amount"), "7000000000");

  other.back() = "9";
  expect_refusal(tally(with_data(other, "dev:1")), kBadInput, "--member 9: the task has no such member");
  expect_refusal(tally(with_data(payout, "dev:7")), kBadInput, "run `tally register` first");
  edit(x_folder / "data" / batch / "tables" / "next_balance.bin", [](std::string& bytes) { bytes.back() ^= 1; });
  expect_refusal(tally(with_data(payout, "dev:1")), kOutsideWorld, "next_balance");
  std::filesystem::remove_all(x_folder / "data" / batch);
  expect_refusal(tally(with_data(payout, "dev:1")), kBadInput, "the data of batch " + batch);
}

TEST_F(MemberCommands, let_a_device_sign_until_it_is_unbound) {
  create_task();
  join();
  const json::object approval = parsed(expect_fine(on_task({"member", "approve", "--member", "0", "--json"}, "dev:9")));
  const std::string device(approval.at("device").as_string());
  const std::string signature(approval.at("signature").as_string());
  const Words bind = {"member", "bind", "--device", device, "--signature", signature};
  expect_refusal(tally(on_task(bind, "dev:2")), kFoundInvalid, "KeySignature");
  expect_fine(on_task(bind, "dev:1"));
  expect_refusal(tally(on_task(bind, "dev:1")), kFoundInvalid, "AddressTaken");
  expect_refusal(tally(on_task({"member", "bind", "--device", device, "--signature", "0x12"}, "dev:1")), kBadInput,
                 "from `tally member approve`");

  // The device's update counts as the member's.
  std::filesystem::create_directory(x_folder / "updates");
  x_folder.put("updates/device.npy", npy_of(update(1, 20)));
  EXPECT_NE(expect_fine(with_data({"contribute", (x_folder / "updates/device.npy").string(), "--task", x_task,
                                   "--examples", "7"},
                                  "dev:9"))
                .out.find("as member 0"),
            std::string::npos);
  expect_fine(with_data({"post", aggregate()}, "dev:0"));

  expect_fine(on_task({"member", "unbind", "--device", device}, "dev:1"));
  expect_refusal(tally(on_task({"member", "unbind", "--device", device}, "dev:1")), kFoundInvalid, "AlreadyUnbinding");
  const json::array members =
      boost::json::parse(expect_fine(with({"member", "list", "--task", x_task, "--json"})).out).as_array();
  ASSERT_EQ(members.size(), 2U);
  const json::object& bound = members[0].as_object().at("devices").as_array().at(0).as_object();
  EXPECT_EQ(bound.at("key").as_string(), device);
  EXPECT_GT(bound.at("unbound_s").to_number<std::uint64_t>(), bound.at("bound_s").to_number<std::uint64_t>());
  EXPECT_TRUE(members[1].as_object().at("devices").as_array().empty());
}

TEST_F(MemberCommands, leave_with_their_stake) {
  create_task();
  join();
  expect_refusal(tally(on_task({"member", "reclaim"}, "dev:1")), kFoundInvalid, "NotExited");
  expect_fine(on_task({"member", "exit"}, "dev:1"));
  expect_refusal(tally(on_task({"member", "exit"}, "dev:1")), kFoundInvalid, "AlreadyExiting");
  expect_refusal(tally(on_task({"member", "reclaim"}, "dev:1")), kFoundInvalid, "NotExited");
  EXPECT_NE(expect_fine(with({"member", "list", "--task", x_task})).out.find("leaves at "), std::string::npos);
  x_chain.advance(2000);
  EXPECT_EQ(text(on_task({"member", "reclaim"}, "dev:1"), "stake"), "1000000000000000000");
  const std::string balance = text(with({"withdraw"}, "dev:1"), "balance");
  EXPECT_EQ(balance, x_chain.riches_of(1));
  expect_refusal(tally(on_task({"member", "exit"}, "dev:5")), kBadInput, "belongs to no member");
}

}  // namespace
}  // namespace tally::cli
