#include "sequencer/trainer/update_file.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/stat.h>

#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "tests/sequencer/trainer/trainer_files.h"

namespace tally::sequencer {
namespace {

// Tensors in another order in the file than by name, one without elements, and all five types.
std::string mixed_file() {
  const std::string header = R"({"e":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},)"
                             R"("c":{"dtype":"F64","shape":[1,2],"data_offsets":[4,20]},)"
                             R"("d":{"dtype":"I32","shape":[2],"data_offsets":[20,28]},)"
                             R"("b":{"dtype":"F32","shape":[0,9],"data_offsets":[28,28]},)"
                             R"("a":{"dtype":"F32","shape":[3],"data_offsets":[28,40]},)"
                             R"("f":{"dtype":"F16","shape":[],"data_offsets":[40,42]}})";
  return safetensors_file(header, raw<std::uint16_t>({0x3f80, 0xbf00}) + raw<double>({0.25, -2.5}) +
                                      raw<std::int32_t>({-7, 8}) + raw<float>({1.0F, 2.0F, -3.0F}) +
                                      raw<std::uint16_t>({0x4400}));
}

const std::vector<std::int32_t> kMixedAtFourBits = {16, 32, -48, 4, -40, -7, 8, 16, -8, 64};

TEST(UpdateFile, flattens_tensors_in_byte_order_of_their_names) {
  const Folder folder;
  const auto file = UpdateFile::open(folder.put("u.safetensors", mixed_file()));
  ASSERT_TRUE(file.has_value()) << file.error().message;
  ASSERT_EQ(file->element_count(), 10U);
  EXPECT_EQ(element_count(file->layout()), 10U);
  std::vector<std::int32_t> all(10);
  ASSERT_TRUE(file->read(0, all, {.frac_bits = 4}).has_value());
  EXPECT_EQ(all, kMixedAtFourBits);
  // Every range, across every border.
  for (std::size_t first = 0; first <= 10; ++first) {
    for (std::size_t count = 0; first + count <= 10; ++count) {
      std::vector<std::int32_t> part(count);
      ASSERT_TRUE(file->read(first, part, {.frac_bits = 4}).has_value());
      EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + static_cast<std::ptrdiff_t>(first)));
    }
  }
}

TEST(UpdateFile, reads_arrays_of_every_type) {
  const Folder folder;
  const auto check = [&](const std::string& descr, const std::string& data) {
    const auto file = UpdateFile::open(folder.put("u.npy", npy_file(npy_dictionary(descr, "(3,)"), data)));
    ASSERT_TRUE(file.has_value()) << file.error().message;
    std::vector<std::int32_t> out(3);
    ASSERT_TRUE(file->read(0, out, {.frac_bits = 1}).has_value());
    EXPECT_EQ(out, (std::vector<std::int32_t>{1, -3, 4}));
  };
  check("<f2", raw<std::uint16_t>({0x3800, 0xbe00, 0x4000}));
  check("<f4", raw<float>({0.5F, -1.5F, 2.0F}));
  check("<f8", raw<double>({0.5, -1.5, 2.0}));
  check("<i4", raw<std::int32_t>({1, -3, 4}));
}

TEST(UpdateFile, refuses_files_by_name) {
  const Folder folder;
  const std::vector<std::pair<std::filesystem::path, UpdateReason>> cases = {
      {folder / "absent.npy", UpdateReason::kMissing},
      {folder.put("file", "") / "below.npy", UpdateReason::kMissing},
      {folder.path(), UpdateReason::kNotRegular},
      {folder.put("model.pt", "PK"), UpdateReason::kUnknownExtension},
      {folder.put("empty.npy", ""), UpdateReason::kNpyMagic},
      {folder.put("empty.safetensors", ""), UpdateReason::kTruncated},
  };
  for (const auto& [path, reason] : cases) {
    const auto file = UpdateFile::open(path);
    ASSERT_FALSE(file.has_value()) << path;
    EXPECT_EQ(file.error().reason, reason) << file.error().message;
    EXPECT_TRUE(file.error().message.starts_with(path.string() + ": ")) << file.error().message;
  }
  ASSERT_EQ(::mkfifo((folder / "pipe.npy").c_str(), 0600), 0);
  const auto pipe = UpdateFile::open(folder / "pipe.npy");
  ASSERT_FALSE(pipe.has_value());
  EXPECT_EQ(pipe.error().reason, UpdateReason::kNotRegular);
}

// Pitfall 35: NaN is rejected with the file, the tensor and the index in the tensor.
TEST(UpdateFile, names_file_tensor_and_element_of_a_bad_number) {
  const Folder folder;
  const std::string header =
      R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[3],"data_offsets":[16,28]}})";
  const std::vector<std::tuple<float, UpdateReason, std::string>> cases = {
      {std::nanf(""), UpdateReason::kNotANumber, "element 1 is NaN"},
      {std::numeric_limits<float>::infinity(), UpdateReason::kInfinite, "element 1 is +infinity"},
      {128.0F, UpdateReason::kOutOfRange,
       "element 1 is 128, out of range: fixed point with 24 fractional bits goes from -128 to 127.99999994"},
  };
  for (const auto& [value, reason, says] : cases) {
    const auto path = folder.put("u.safetensors", safetensors_file(header, raw<float>({0, 0, 0, 0, 0, value, 0})));
    const auto file = UpdateFile::open(path);
    ASSERT_TRUE(file.has_value()) << file.error().message;
    std::vector<std::int32_t> out(3);
    const auto done = file->read(3, out, {});
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().reason, reason);
    EXPECT_EQ(done.error().tensor, "b");
    EXPECT_EQ(done.error().index, 1U);
    EXPECT_EQ(done.error().message, path.string() + ": tensor 'b', " + says);
    // The same element as the first of a later block.
    const auto later = file->read(5, std::span(out).first(1), {});
    ASSERT_FALSE(later.has_value());
    EXPECT_EQ(later.error().index, 1U);
  }
}

TEST(UpdateFile, checks_and_clips_integers_like_floats) {
  const Folder folder;
  const auto path = folder.put("u.npy", npy_file(npy_dictionary("<i4", "(3,)"), raw<std::int32_t>({5, -9, 2})));
  const auto file = UpdateFile::open(path);
  ASSERT_TRUE(file.has_value());
  std::vector<std::int32_t> out(3);
  const auto refused = file->read(0, out, {.lo = -8, .hi = 8});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, UpdateReason::kOutOfRange);
  EXPECT_EQ(refused.error().index, 1U);
  const auto clipped = file->read(0, out, {.lo = -8, .hi = 4, .out_of_range = math::OutOfRangePolicy::kClip});
  ASSERT_TRUE(clipped.has_value());
  EXPECT_EQ(clipped->clipped, 2U);
  EXPECT_EQ(out, (std::vector<std::int32_t>{4, -8, 2}));
}

TEST(UpdateFile, may_be_moved_and_read_from_several_threads) {
  const Folder folder;
  std::vector<float> values(100000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 1024.0F;
  auto opened = UpdateFile::open(folder.put("u.npy", npy_file(npy_dictionary("<f4", "(100000,)"), raw(values))));
  ASSERT_TRUE(opened.has_value());
  const UpdateFile file = std::move(*opened);
  std::vector<std::int32_t> out(values.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t first = t * 1000; first < out.size(); first += 4000) {
          EXPECT_TRUE(file.read(first, std::span(out).subspan(first, 1000), {.frac_bits = 10}).has_value());
        }
      });
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], static_cast<std::int32_t>(i));
}

}  // namespace
}  // namespace tally::sequencer
