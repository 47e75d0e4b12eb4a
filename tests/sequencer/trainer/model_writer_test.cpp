#include "sequencer/trainer/model_writer.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "sequencer/trainer/update_file.h"
#include "tests/sequencer/trainer/trainer_files.h"

namespace tally::sequencer {
namespace {

FixedSource source_of(const std::vector<std::int32_t>& model) {
  return [&model](std::uint64_t first, std::span<std::int32_t> out) {
    std::copy_n(model.begin() + static_cast<std::ptrdiff_t>(first), out.size(), out.begin());
  };
}

TEST(ModelWriter, writes_the_tensors_that_the_updates_had) {
  RC_ASSERT(rc::check([] {
    const Folder folder;
    ModelLayout layout;
    layout.format = ModelFormat::kSafetensors;
    if (*rc::gen::arbitrary<bool>()) layout.metadata["format"] = "pt";
    const auto names = *rc::gen::container<std::set<std::string>>(rc::gen::string<std::string>());
    for (const std::string& name : names) {
      std::string text;
      for (const char c : name) text += static_cast<char>(c & 0x7f);
      layout.tensors.push_back({text,
                                static_cast<TensorType>(*rc::gen::inRange(0, 5)),
                                {*rc::gen::inRange<std::uint64_t>(0, 40), *rc::gen::inRange<std::uint64_t>(1, 5)}});
    }
    layout.tensors.push_back({"last one", TensorType::kF32, {70000}});
    std::ranges::sort(layout.tensors, {}, &TensorLayout::name);
    const auto repeated = std::ranges::unique(layout.tensors, {}, &TensorLayout::name);
    layout.tensors.erase(repeated.begin(), repeated.end());
    // Eight significant bits: exact in every type.
    std::vector<std::int32_t> model(element_count(layout));
    for (std::size_t i = 0; i < model.size(); ++i) model[i] = static_cast<std::int32_t>((i * 7919) % 511) - 255;
    RC_ASSERT(write_model(folder / "m.safetensors", layout, 6, source_of(model)).has_value());
    const auto file = UpdateFile::open(folder / "m.safetensors");
    RC_ASSERT(file.has_value());
    RC_ASSERT(file->layout() == layout);
    std::vector<std::int32_t> back(model.size());
    RC_ASSERT(file->read(0, back, {.frac_bits = 6}).has_value());
    RC_ASSERT(back == model);
  }));
}

TEST(ModelWriter, writes_arrays_as_numpy_does) {
  const Folder folder;
  const std::vector<std::int32_t> model = {1, -2, 3, 5, 8, -13};
  const ModelLayout layout = {ModelFormat::kNpy, {{"", TensorType::kF32, {2, 3}}}, {}};
  ASSERT_TRUE(write_model(folder / "m.npy", layout, 1, source_of(model)).has_value());
  const std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  EXPECT_EQ(folder.get("m.npy"), std::string("\x93NUMPY\x01\x00\x76\x00", 10) + dictionary +
                                     std::string(117 - dictionary.size(), ' ') + "\n" +
                                     raw<float>({0.5F, -1.0F, 1.5F, 2.5F, 4.0F, -6.5F}));
  for (const TensorType type : {TensorType::kF16, TensorType::kF64, TensorType::kI32}) {
    const ModelLayout other = {ModelFormat::kNpy, {{"", type, {6}}}, {}};
    ASSERT_TRUE(write_model(folder / "m.npy", other, 1, source_of(model)).has_value());
    const auto file = UpdateFile::open(folder / "m.npy");
    ASSERT_TRUE(file.has_value()) << file.error().message;
    EXPECT_EQ(file->layout(), other);
    std::vector<std::int32_t> back(model.size());
    ASSERT_TRUE(file->read(0, back, {.frac_bits = 1}).has_value());
    EXPECT_EQ(back, model);
  }
}

TEST(ModelWriter, leaves_no_file_where_a_value_does_not_fit) {
  const Folder folder;
  std::vector<std::int32_t> model(70003);
  model[70001] = 70000;
  const ModelLayout layout = {
      ModelFormat::kSafetensors, {{"a", TensorType::kF32, {2}}, {"b", TensorType::kF16, {70001}}}, {}};
  const auto done = write_model(folder / "m.safetensors", layout, 0, source_of(model));
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().reason, UpdateReason::kNotRepresentable);
  EXPECT_EQ(done.error().tensor, "b");
  EXPECT_EQ(done.error().index, 69999U);
  EXPECT_NE(done.error().message.find("tensor 'b', element 69999 is 70000"), std::string::npos) << done.error().message;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(ModelWriter, writes_floats_bit_for_bit) {
  const Folder folder;
  const std::vector<float> weights = {0.1F, -2.25F, 3e-40F, 1.5F};
  const std::vector<float> bias = {0.5F};
  const std::vector<FloatTensor> tensors = {{"w", {2, 2}, weights}, {"bias", {1}, bias}};
  write_safetensors(folder / "u.safetensors", tensors);
  const auto file = UpdateFile::open(folder / "u.safetensors");
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(file->layout().tensors,
            (std::vector<TensorLayout>{{"bias", TensorType::kF32, {1}}, {"w", TensorType::kF32, {2, 2}}}));
  EXPECT_TRUE(folder.get("u.safetensors").ends_with(raw(bias) + raw(weights)));
  write_npy(folder / "u.npy", {{}, {2, 2}, weights});
  EXPECT_TRUE(folder.get("u.npy").ends_with(raw(weights)));
  EXPECT_TRUE(UpdateFile::open(folder / "u.npy").has_value());
}

}  // namespace
}  // namespace tally::sequencer
