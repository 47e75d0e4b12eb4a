// What the contract takes in tasks that are left out need not decode; elsewhere it must.
#include "chain_adapter/evm/derivation.h"

#include <gtest/gtest.h>

#include "tests/support/settlement_samples.h"

namespace tally::chain {
namespace {

using proof::TaskId;

class Nothing final : public proof::StateReader {
 public:
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> read(math::Bytes /*key*/) const override {
    return std::nullopt;
  }
};

class One final : public LeftOut {
 public:
  explicit One(const TaskId& task) : x_task(task) {}
  [[nodiscard]] bool any() const override { return true; }
  [[nodiscard]] bool has(const TaskId& task) const override { return task == x_task; }
  void add(const TaskId& /*task*/) override {}

 private:
  TaskId x_task;
};

/// As the contract knows it: of a game, from its state.
std::optional<TaskId> task_of(const proof::Transaction& transaction) {
  return std::visit(
      [](const auto& each) -> std::optional<TaskId> {
        if constexpr (requires { each.game.task; }) {
          return each.game.task;
        } else if constexpr (requires { each.header.task; }) {
          return each.header.task;
        } else if constexpr (requires { each.task; }) {
          return each.task;
        } else {
          return std::nullopt;
        }
      },
      transaction);
}

bool goes_on(const TaskId& left_out, const std::vector<std::uint8_t>& bytes) {
  const Nothing state;
  One one(left_out);
  Derivation derivation({});
  const Asked nobody{.hash = [](std::uint64_t) { return std::nullopt; },
                     .header = [](const proof::BatchId&) { return std::nullopt; }};
  try {
    return derivation.derive(state, one, {}, nobody, {.bytes = bytes, .events = {}}).events.empty();
  } catch (const ChainDisagrees&) {
    return false;
  }
}

TEST(Derivation, passes_over_what_does_not_decode_in_tasks_that_are_left_out) {
  std::size_t with_task = 0;
  for (const proof::Transaction& sample : test::sample_transactions()) {
    SCOPED_TRACE(name_of(sample));
    std::vector<std::uint8_t> bytes = encode(sample);
    bytes.push_back(0);
    ASSERT_FALSE(proof::decode_transaction(bytes).has_value());
    const auto task = task_of(sample);
    EXPECT_FALSE(goes_on({{.bytes = {0xaa}}}, bytes));
    if (!task) continue;
    ++with_task;
    EXPECT_TRUE(goes_on(*task, bytes));
    if (!std::holds_alternative<proof::MakeMove>(sample)) continue;
    bytes.erase(bytes.begin(), bytes.begin() + proof::kHeaderBytes);
    bytes.front() = 0;
    EXPECT_TRUE(goes_on(*task, bytes));
    EXPECT_FALSE(goes_on({{.bytes = {0xaa}}}, bytes));
  }
  EXPECT_GT(with_task, 25U);
}

// The limits of the codec are those of programs that the validator takes; the contract has wider ones.
TEST(Derivation, passes_over_games_over_tables_that_no_valid_program_has) {
  for (const proof::Transaction& sample : test::sample_transactions()) {
    const auto* const make = std::get_if<proof::MakeMove>(&sample);
    if (make == nullptr) continue;
    proof::MakeMove move = *make;
    move.game.phase = proof::Phase::kReveal;
    move.game.descents = {{.object = 1, .first_leaf = 0, .leaves = std::uint64_t{1} << 54}};
    const std::vector<std::uint8_t> bytes = encode(proof::Transaction(move));
    ASSERT_FALSE(proof::decode_transaction(bytes).has_value());
    EXPECT_TRUE(goes_on(move.game.task, bytes));
    EXPECT_FALSE(goes_on({{.bytes = {0xaa}}}, bytes));
  }
}

}  // namespace
}  // namespace tally::chain
