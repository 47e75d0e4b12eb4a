#include "sequencer/trainer/safetensors.h"

#include <gtest/gtest.h>

#include "tests/sequencer/trainer/trainer_files.h"

namespace tally::sequencer {
namespace {

TEST(Safetensors, finds_tensors_in_byte_order_of_their_names) {
  const std::string header = R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                             R"("__metadata__":{"format":"pt"},)"
                             R"("a.weight":{"data_offsets":[14,22],"shape":[1,1],"dtype":"F64"},)"
                             R"("é":{"dtype":"BF16","shape":[],"data_offsets":[8,10]},)"
                             R"("B":{"dtype":"F16","shape":[2,1],"data_offsets":[10,14]},)"
                             R"("none":{"dtype":"I32","shape":[3,0],"data_offsets":[22,22]}}   )";
  const std::string file = safetensors_file(header, std::string(22, '\0'));
  const auto contents = decode_safetensors(as_bytes_of(file));
  ASSERT_TRUE(contents.has_value()) << contents.error().message;
  const ModelLayout expected = {ModelFormat::kSafetensors,
                                {{"B", TensorType::kF16, {2, 1}},
                                 {"a.weight", TensorType::kF64, {1, 1}},
                                 {"b", TensorType::kF32, {2}},
                                 {"none", TensorType::kI32, {3, 0}},
                                 {"é", TensorType::kBf16, {}}},
                                {{"format", "pt"}}};
  EXPECT_EQ(contents->layout, expected);
  const std::uint64_t start = 8 + header.size();
  EXPECT_EQ(contents->offsets, (std::vector<std::uint64_t>{start + 10, start + 14, start, start + 22, start + 8}));
}

TEST(Safetensors, writes_wide_elements_first_and_pads_the_header) {
  const ModelLayout layout = {ModelFormat::kSafetensors,
                              {{"a", TensorType::kF16, {3}},
                               {"b", TensorType::kF64, {}},
                               {"c\"\n", TensorType::kF32, {2, 1}},
                               {"d", TensorType::kI32, {1}},
                               {"e", TensorType::kBf16, {2}}},
                              {{"format", "pt"}}};
  const SafetensorsHeader header = encode_safetensors_header(layout);
  const std::string text = R"({"__metadata__":{"format":"pt"},)"
                           R"("b":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
                           R"("c\"\n":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]},)"
                           R"("d":{"dtype":"I32","shape":[1],"data_offsets":[16,20]},)"
                           R"("e":{"dtype":"BF16","shape":[2],"data_offsets":[20,24]},)"
                           R"("a":{"dtype":"F16","shape":[3],"data_offsets":[24,30]}})";
  EXPECT_EQ(header.bytes.substr(8, text.size()), text);
  EXPECT_EQ(header.bytes.size() % 8, 0U);
  EXPECT_EQ(header.bytes.substr(0, 8), little_endian(header.bytes.size() - 8, 8));
  EXPECT_EQ(header.order, (std::vector<std::size_t>{1, 2, 3, 4, 0}));
  const std::string file = header.bytes + std::string(30, '\0');
  const auto contents = decode_safetensors(as_bytes_of(file));
  ASSERT_TRUE(contents.has_value()) << contents.error().message;
  EXPECT_EQ(contents->layout, layout);
}

struct Refused {
  std::string file;
  UpdateReason reason;
  std::string tensor;
};

TEST(Safetensors, refuses_each_kind_of_bad_header_by_name) {
  const auto with = [](const std::string& header, std::size_t bytes = 4) {
    return safetensors_file(header, std::string(bytes, '\0'));
  };
  const std::string w = R"("w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  const auto entry = [](const std::string& name, const std::string& shape, int begin, int end) {
    return "\"" + name + R"(":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[)" + std::to_string(begin) + "," +
           std::to_string(end) + "]}";
  };
  const std::vector<Refused> cases = {
      {"1234567", UpdateReason::kTruncated, ""},
      {little_endian(100, 8) + "{}", UpdateReason::kTruncated, ""},
      {little_endian(100'000'001, 8) + "{}", UpdateReason::kHeaderLength, ""},
      {little_endian(~std::uint64_t{0}, 8) + "{}", UpdateReason::kHeaderLength, ""},
      {with(""), UpdateReason::kHeaderJson, ""},
      {with(" {" + w + "}"), UpdateReason::kHeaderJson, ""},
      {with("[1]"), UpdateReason::kHeaderJson, ""},
      {with("{" + w), UpdateReason::kHeaderJson, ""},
      {with("{" + w + ",}"), UpdateReason::kHeaderJson, ""},
      {with("{" + w + "}{}"), UpdateReason::kHeaderJson, ""},
      {with("{\"\xff\":{}}"), UpdateReason::kHeaderJson, ""},
      {with(R"({"w":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})"), UpdateReason::kHeaderJson, ""},
      {with("{" + w + "," + w + "}"), UpdateReason::kDuplicateKey, "w"},
      {with("{" + w + R"(,"\u0077":{})" + "}"), UpdateReason::kDuplicateKey, "w"},
      {with(R"({"w":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})"), UpdateReason::kDuplicateKey,
       "w"},
      {with(R"({"w":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}})"), UpdateReason::kDuplicateKey, "w"},
      {with(R"({"__metadata__":{"a":"b","a":"b"}})"), UpdateReason::kDuplicateKey, "a"},
      {with(R"({"__metadata__":{"a":1}})"), UpdateReason::kTensorEntry, "a"},
      {with(R"({"w":1})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":[]})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":"F32"})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":null})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":{"dtype":"F32","shape":[1]}})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":{"shape":[1],"data_offsets":[0,4]}})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":{"dtype":32,"shape":[1],"data_offsets":[0,4]}})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":{"dtype":"F32","shape":{},"data_offsets":[0,4]}})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})"), UpdateReason::kTensorEntry, "w"},
      {with(R"({"w":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})"), UpdateReason::kUnsupportedType, "w"},
      {with(R"({"w":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}})"), UpdateReason::kUnsupportedType, "w"},
      {with(std::string("{") + entry("w", "[4294967296,4294967296]", 0, 4) + "}"), UpdateReason::kShapeTooLarge, "w"},
      {with(std::string("{") + entry("w", "[18446744073709551615]", 0, 4) + "}"), UpdateReason::kShapeTooLarge, "w"},
      {with(std::string("{") + entry("w", "[2]", 0, 4) + "}"), UpdateReason::kSizeMismatch, "w"},
      {with(std::string("{") + entry("w", "[1]", 0, 3) + "}"), UpdateReason::kSizeMismatch, "w"},
      {with(std::string("{") + entry("w", "[1]", 4, 0) + "}"), UpdateReason::kSizeMismatch, "w"},
      {with(std::string("{") + entry("v", "[1]", 0, 4) + "," + entry("w", "[1]", 2, 6) + "}", 6),
       UpdateReason::kOffsetsOverlap, "w"},
      {with(std::string("{") + entry("v", "[1]", 0, 4) + "," + entry("w", "[1]", 0, 4) + "}"),
       UpdateReason::kOffsetsOverlap, "w"},
      {with(std::string("{") + entry("v", "[1]", 0, 4) + "," + entry("w", "[1]", 8, 12) + "}", 12),
       UpdateReason::kOffsetsGap, "w"},
      {with(std::string("{") + entry("w", "[1]", 4, 8) + "}", 8), UpdateReason::kOffsetsGap, "w"},
      {with("{" + w + "}", 5), UpdateReason::kTrailingBytes, ""},
      {with("{" + w + "}", 3), UpdateReason::kTruncated, ""},
      {with("{}", 0), UpdateReason::kEmpty, ""},
      {with(std::string("{") + entry("w", "[0]", 0, 0) + "}", 0), UpdateReason::kEmpty, ""},
  };
  for (const Refused& test : cases) {
    const auto contents = decode_safetensors(as_bytes_of(test.file));
    ASSERT_FALSE(contents.has_value()) << test.file;
    EXPECT_EQ(contents.error().reason, test.reason) << test.file << ": " << contents.error().message;
    EXPECT_EQ(contents.error().tensor, test.tensor) << test.file << ": " << contents.error().message;
    if (!test.tensor.empty()) {
      EXPECT_NE(contents.error().message.find("'" + test.tensor + "'"), std::string::npos) << contents.error().message;
    }
  }
  std::string dims = "[1";
  for (int i = 0; i < 64; ++i) dims += ",1";
  const auto deep = decode_safetensors(as_bytes_of(with(std::string("{") + entry("w", dims + "]", 0, 4) + "}")));
  ASSERT_FALSE(deep.has_value());
  EXPECT_EQ(deep.error().reason, UpdateReason::kShapeTooLarge);
}

TEST(Safetensors, refuses_every_truncation) {
  const std::string file =
      safetensors_file(R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})", std::string(24, '\0'));
  ASSERT_TRUE(decode_safetensors(as_bytes_of(file)).has_value());
  for (std::size_t size = 0; size < file.size(); ++size) {
    const std::string part = file.substr(0, size);
    ASSERT_FALSE(decode_safetensors(as_bytes_of(part)).has_value()) << size;
  }
}

// Names and texts longer than the parser's internal buffers arrive in parts.
TEST(Safetensors, keeps_long_names_whole) {
  const std::string name(20000, 'x');
  const std::string escaped = name + "\\u00e9" + name;
  const std::string file = safetensors_file("{\"" + escaped + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                                            std::string(4, '\0'));
  const auto contents = decode_safetensors(as_bytes_of(file));
  ASSERT_TRUE(contents.has_value()) << contents.error().message;
  EXPECT_EQ(contents->layout.tensors[0].name, name + "é" + name);
}

}  // namespace
}  // namespace tally::sequencer
