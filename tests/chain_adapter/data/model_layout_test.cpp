#include "chain_adapter/data/model_layout.h"

#include <gtest/gtest.h>

namespace tally::chain {
namespace {

ModelLayout tensors(std::vector<TensorLayout> list, ModelFormat format = ModelFormat::kSafetensors) {
  return {.format = format, .tensors = std::move(list), .metadata = {}};
}

TEST(ModelLayout, accepts_what_files_can_have) {
  const TensorLayout array{"", TensorType::kF16, {2, 3}};
  EXPECT_TRUE(check_layout(tensors({array}, ModelFormat::kNpy)).has_value());
  EXPECT_TRUE(check_layout(tensors({{"a", TensorType::kBf16, {}}, {"b", TensorType::kI32, {0, 3}}})).has_value());
  EXPECT_EQ(element_count(tensors({{"a", TensorType::kBf16, {}}, {"b", TensorType::kI32, {2, 3}}})), 7U);
}

TEST(ModelLayout, refuses_what_no_file_has) {
  const TensorLayout a{"a", TensorType::kF32, {1}};
  const TensorLayout b{"b", TensorType::kF32, {1}};
  const TensorLayout large{"c", TensorType::kF32, {kMaxModelElements}};
  const std::vector<std::uint64_t> deep(kMaxTensorRank + 1, 1);
  ModelLayout with_metadata = tensors({{"", TensorType::kF32, {1}}}, ModelFormat::kNpy);
  with_metadata.metadata["by"] = "anna";
  const std::vector<std::pair<ModelLayout, std::string>> cases = {
      {tensors({b, a}), "tensor 'a' is out of order"},
      {tensors({a, a}), "tensor 'a' is out of order"},
      {tensors({}), "the layout holds no parameters"},
      {tensors({{"a", TensorType::kF32, {0}}}), "the layout holds no parameters"},
      {tensors({{"a", TensorType::kF32, deep}}), "tensor 'a' has too many dims"},
      {tensors({{"a", TensorType::kF32, {1ULL << 32, 1ULL << 32}}}), "tensor 'a' is too large"},
      {tensors({a, large}), "the tensors are too large together"},
      {tensors({{"__metadata__", TensorType::kF32, {1}}}), "no tensor can be named '__metadata__'"},
      {tensors({a}, ModelFormat::kNpy), "a .npy file holds one array without a name, not of bf16"},
      {tensors({{"", TensorType::kBf16, {1}}}, ModelFormat::kNpy),
       "a .npy file holds one array without a name, not of bf16"},
      {with_metadata, "a .npy file holds one array without a name, not of bf16"},
  };
  for (const auto& [layout, message] : cases) {
    const auto checked = check_layout(layout);
    ASSERT_FALSE(checked.has_value()) << message;
    EXPECT_EQ(checked.error(), message);
  }
}

TEST(ModelLayout, compares_shapes_only_where_asked) {
  const ModelLayout a = {ModelFormat::kSafetensors, {{"", TensorType::kF32, {2, 3}}}, {{"by", "anna"}}};
  const ModelLayout b = {ModelFormat::kNpy, {{"", TensorType::kF16, {2, 3}}}, {}};
  const ModelLayout c = {ModelFormat::kNpy, {{"", TensorType::kF16, {3, 2}}}, {}};
  EXPECT_TRUE(same_shapes(a, b));
  EXPECT_FALSE(same_shapes(b, c));
}

TEST(ModelLayout, names_every_type_and_format) {
  for (const TensorType type :
       {TensorType::kF16, TensorType::kBf16, TensorType::kF32, TensorType::kF64, TensorType::kI32}) {
    EXPECT_EQ(tensor_type_from(to_string(type)), type);
  }
  EXPECT_EQ(tensor_type_from("F31"), std::nullopt);
  EXPECT_EQ(model_file_name(ModelFormat::kSafetensors), "model.safetensors");
}

TEST(ModelLayout, prints_names_safely) {
  EXPECT_EQ(printable("layer.0\x1b[2J\n"), "'layer.0\\x1b[2J\\x0a'");
  EXPECT_LT(printable(std::string(5000, 'x')).size(), 250U);
}

}  // namespace
}  // namespace tally::chain
